"""Options and body of the command that downloads image sets: `data_fetch.py` and `python -m numpy_rae fetch`."""

import argparse
import sys

from numpy_rae.data.fetch import fetch, files_of
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


def run(options: argparse.Namespace) -> int:
    """Download the named data sets and print the paths of their files.

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
        As `fetch` does. All names are checked before the first download.
    KeyboardInterrupt
        If the user interrupts the download. The part that was downloaded is kept.
    """
    for name in options.names:
        files_of(name)
    try:
        for name in options.names:
            print(*fetch(name, options.dir, progress=sys.stderr.isatty()), sep="\n")
    except KeyboardInterrupt:
        raise KeyboardInterrupt("interrupted; run the command again to continue the download") from None
    return 0
