"""Options and body of the command that downloads image sets: `data_fetch.py` and `python -m numpy_rae fetch`."""

import argparse
import sys
from pathlib import Path

from numpy_rae import _validation
from numpy_rae.data import cifar_subset, images
from numpy_rae.data.fetch import fetch, files_of
from numpy_rae.data.folders import DataError, data_folder
from numpy_rae.data.sources import CATALOGUE

DESCRIPTION = "Download image sets and verify them."


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command to a parser.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The parser, which is changed.
    """
    parser.add_argument("names", nargs="+", metavar="NAME", help=f"what to fetch: {', '.join(CATALOGUE)}")
    parser.add_argument("--dir", help="data folder; default: NUMPY_RAE_DATA, else a cache folder of the user")
    subset = f"cut the first N images of each batch of cifar10; the stored runs have N = {cifar_subset.PER_BATCH}"
    parser.add_argument("--subset", type=int, metavar="N", help=subset)
    file = "file of the subset; default: cifar10/images_<5 N>.npy in the data folder"
    parser.add_argument("--subset-out", metavar="FILE.npy", help=file)


def run(options: argparse.Namespace) -> int:
    """Download the named data sets, cut the subset if the option is given, and print the paths of all files.

    Parameters
    ----------
    options : argparse.Namespace
        The parsed options of `add_options`.

    Returns
    -------
    int
        The exit code 0.

    Raises
    ------
    DataError
        For the same reasons as in `fetch` and `cifar_subset.save`. All options are checked before the first download.
    KeyboardInterrupt
        If the user interrupts the download. The part that was downloaded is kept.
    """
    for name in options.names:
        files_of(name)
    _check_subset(options)
    try:
        for name in options.names:
            print(*fetch(name, options.dir, progress=sys.stderr.isatty()), sep="\n")
    except KeyboardInterrupt:
        raise KeyboardInterrupt("interrupted; run the command again to continue the download") from None
    if options.subset is not None:
        print(_cut_subset(options))
    return 0


def _check_subset(options: argparse.Namespace) -> None:
    """Raise DataError if the options do not describe a possible subset."""
    if options.subset is None and options.subset_out is not None:
        raise DataError(f"--subset-out is {options.subset_out}; it needs --subset N.")
    if options.subset is not None and "cifar10" not in options.names:
        raise DataError(f"--subset is {options.subset}; it needs cifar10 among the names.")
    if options.subset is not None and options.subset < 1:
        raise DataError(f"--subset is {options.subset}; it must be a whole number of at least 1.")


def _cut_subset(options: argparse.Namespace) -> Path:
    """Cut the subset of the fetched archive and return the path of its file."""
    subset = cifar_subset.cut(images.load_cifar10(options.dir), options.subset)
    default = data_folder(options.dir) / "cifar10" / f"images_{len(subset)}.npy"
    return cifar_subset.save(subset, _validation.user_path(options.subset_out or default))
