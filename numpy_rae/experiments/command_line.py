"""The command-line options of the scripts: figures, pictures of the theory, studies."""

import argparse
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from numpy_rae import _validation
from numpy_rae.experiments.checkpoint import INTERVAL
from numpy_rae.experiments.protocol import Protocol
from numpy_rae.registry import OBJECTIVES
from numpy_rae.train_config import TrainConfig

UNSET = ("seeds", "sigma2", "samples", "epochs", "hidden", "images", "data_dir", "scheduler", "picture")
PICTURES = (".png", ".pdf", ".svg")


def parser(protocol: Protocol) -> argparse.ArgumentParser:
    """Return the options of a figure script.

    Parameters
    ----------
    protocol : Protocol
        The figure.

    Returns
    -------
    ArgumentParser
        The options with their defaults.
    """
    p = argparse.ArgumentParser(
        prog=f"{protocol.name}.py", description=protocol.title, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    p.set_defaults(models=list(protocol.models), **dict.fromkeys(UNSET))
    _add_what(p.add_argument_group("what is run"), protocol)
    _add_how(p.add_argument_group("how and where"), protocol)
    return p


def _add_what(group: argparse._ActionsContainer, protocol: Protocol) -> None:
    """Add the options that determine the numbers."""
    group.add_argument("--preset", choices=protocol.presets(), default="sample", help=_presets_help(protocol))
    models = f"of {', '.join(OBJECTIVES)} (default: {' '.join(protocol.models)})"
    _add_unset(group, "--models", models, nargs="+", metavar="M")
    _add_unset(group, "--seeds", "several give bands (default: 0)", nargs="+", type=int, metavar="K")
    group.add_argument("--eta", type=float, default=TrainConfig.eta, help="learning rate; the paper: 0.001 to 0.005")
    sigma2 = "regularisation coefficients (default: the preset's)"
    _add_unset(group, "--sigma2", sigma2, nargs="+", type=float, metavar="S")
    for name, of in (("samples", "training samples"), ("epochs", "epochs"), ("hidden", "hidden units")):
        _add_unset(group, f"--{name}", f"number of {of} (default: the preset's)", type=int, metavar="N")


def _add_how(group: argparse._ActionsContainer, protocol: Protocol) -> None:
    """Add the options that do not change the numbers."""
    group.add_argument("--workers", type=int, default=cores(), metavar="N", help="processes, one BLAS thread each")
    every = "seconds between checkpoints of a run; not used on a cluster"
    group.add_argument("--save-every", type=float, default=INTERVAL, metavar="SECONDS", help=every)
    scheduler = "of a Dask cluster to send the runs to (default: processes on this machine)"
    _add_unset(group, "--scheduler", scheduler, metavar="ADDRESS")
    group.add_argument("--out", type=user_path, default=Path("results"), help="folder of the results and the picture")
    _add_picture(group, "beside the results, as <name>-selection.png if a selection leaves out stored runs")
    text = "a picture of each run trained now, in <results>.reports: history, densities, biases, filters"
    group.add_argument("--report", action="store_true", help=text)
    group.add_argument("--plot-only", action="store_true", help="redraw from the stored results, train nothing")
    folder = "folder of the data sets (default: $NUMPY_RAE_DATA, else the cache)"
    _add_unset(group, "--data-dir", folder, type=user_path)
    if protocol.source == "cifar10":
        images = "uint8 images to take the patches from (default: CIFAR-10)"
        _add_unset(group, "--images", images, type=user_path, metavar="FILE.npy")


def _add_unset(group: argparse._ActionsContainer, option: str, text: str, **more: Any) -> None:
    """Add an option whose help text states the default, because the parser's default is None."""
    group.add_argument(option, help=text, default=argparse.SUPPRESS, **more)


def user_path(text: str) -> Path:
    """Return a path of the command line with its `~` expanded.

    Parameters
    ----------
    text : str
        Value of the option.

    Returns
    -------
    Path
        The path.

    Raises
    ------
    ArgumentTypeError
        If there is no home folder.
    """
    try:
        return _validation.user_path(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def picture_path(text: str) -> Path:
    """Return the path of a picture that is given on the command line.

    Parameters
    ----------
    text : str
        What was typed.

    Returns
    -------
    Path
        The path.

    Raises
    ------
    ArgumentTypeError
        If its name does not end in .png, .pdf or .svg, or if there is no home folder.
    """
    try:
        return check_picture(user_path(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def check_picture(path: Path) -> Path:
    """Return the path of a picture if its name is allowed.

    Parameters
    ----------
    path : Path
        The path.

    Returns
    -------
    Path
        The same path.

    Raises
    ------
    ValueError
        If its name does not end in .png, .pdf or .svg.
    """
    if path.suffix.lower() not in PICTURES:
        raise ValueError(f"picture is {str(path)!r}; its name must end in {', '.join(PICTURES)}")
    return path


def _add_picture(group: argparse._ActionsContainer, default: str) -> None:
    """Add the option for the picture's file; `default` says where the picture goes without it."""
    text = f"file of the picture, whose name ends in {', '.join(PICTURES)} (default: {default})"
    group.add_argument("--picture", type=picture_path, metavar="FILE", help=text, default=argparse.SUPPRESS)


def _presets_help(protocol: Protocol) -> str:
    """Return a short description of each preset."""
    return "; ".join(
        f"{name}: {p.samples:,} samples, {p.epochs} epochs, {p.hidden} units" for name, p in protocol.presets().items()
    )


def cores() -> int:
    """Return the number of cores that this process may use.

    Returns
    -------
    int
        At least 1.
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def text_parser(
    name: str,
    description: str,
    presets: Iterable[str] = ("sample", "tiny"),
    out: str = "accepted as in other scripts; this one writes no file",
) -> argparse.ArgumentParser:
    """Return the options of a script that prints tables and draws nothing.

    Parameters
    ----------
    name : str
        Name of the script.
    description : str
        Its docstring.
    presets : iterable of str, optional
        Names of its presets.
    out : str, optional
        Help text of the option `--out`, whose default is None.

    Returns
    -------
    ArgumentParser
        The options with their defaults.
    """
    p = _preset_parser(name, description, presets)
    p.add_argument("--out", type=user_path, help=out)
    return p


def _preset_parser(name: str, description: str, presets: Iterable[str]) -> argparse.ArgumentParser:
    """Return a parser with the only option that all scripts have."""
    p = argparse.ArgumentParser(
        prog=f"{name}.py", description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    p.add_argument("--preset", choices=presets, default="sample", help="tiny is for a quick try")
    return p


def picture_parser(name: str, description: str, presets: Iterable[str] = ("sample", "tiny")) -> argparse.ArgumentParser:
    """Return the options of a script that draws one picture.

    Parameters
    ----------
    name : str
        Name of the script.
    description : str
        Its docstring.
    presets : iterable of str, optional
        Names of its presets.

    Returns
    -------
    ArgumentParser
        The options with their defaults.
    """
    p = _preset_parser(name, description, presets)
    p.add_argument("--out", type=user_path, default=Path("results"), help="folder of the picture")
    p.set_defaults(picture=None)
    _add_picture(p, "in the folder of --out")
    return p


def study_parser(name: str, description: str, presets: Iterable[str]) -> argparse.ArgumentParser:
    """Return the options of a script that trains many runs of different configurations (`study`).

    Parameters
    ----------
    name : str
        Name of the script.
    description : str
        Its docstring.
    presets : iterable of str
        Names of its presets.

    Returns
    -------
    ArgumentParser
        The options with their defaults.
    """
    p = picture_parser(name, description, presets)
    p.add_argument("--workers", type=int, default=cores(), metavar="N", help="processes, one BLAS thread each")
    p.add_argument("--plot-only", action="store_true", help="table and picture from the stored runs, train nothing")
    p.set_defaults(seeds=None, data_dir=None, images=None)
    _add_unset(p, "--seeds", "seeds of the runs (default: the preset's)", nargs="+", type=int, metavar="K")
    _add_unset(p, "--data-dir", "folder of the data sets (default: $NUMPY_RAE_DATA, else the cache)", type=Path)
    images = "uint8 images to take the patches from (default: CIFAR-10)"
    _add_unset(p, "--images", images, type=Path, metavar="FILE.npy")
    return p
