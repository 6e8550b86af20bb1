"""The command line that every figure script has."""

import argparse
import os
from pathlib import Path

from numpy_rae.objectives import MODELS
from numpy_rae.training import TrainConfig


def parser(protocol) -> argparse.ArgumentParser:
    """Options with their defaults, for an `experiment.Protocol`."""
    p = argparse.ArgumentParser(
        prog=f"{protocol.name}.py", description=protocol.title, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    what = p.add_argument_group("what is run")
    what.add_argument("--preset", choices=protocol.presets(), default="sample", help=presets_help(protocol))
    what.add_argument("--models", nargs="+", default=list(protocol.models), metavar="M", help=f"of {', '.join(MODELS)}")
    what.add_argument("--seeds", nargs="+", type=int, metavar="K", help="several give bands; default: 0", default=argparse.SUPPRESS)
    what.add_argument("--eta", type=float, default=TrainConfig.eta, help="learning rate; the paper: 0.001 to 0.005")
    unset = {"default": argparse.SUPPRESS}
    what.add_argument("--sigma2", nargs="+", type=float, metavar="S", help="instead of the preset's values", **unset)
    for name in ("samples", "epochs", "hidden"):
        what.add_argument(f"--{name}", type=int, metavar="N", help="instead of the preset's number", **unset)
    p.set_defaults(seeds=None, sigma2=None, samples=None, epochs=None, hidden=None, images=None)
    how = p.add_argument_group("how and where")
    how.add_argument("--workers", type=int, default=cores(), metavar="N", help="processes, one BLAS thread each")
    how.add_argument("--out", type=Path, default=Path("results"), help="folder of the results and the picture")
    how.add_argument("--plot-only", action="store_true", help="redraw from the stored results, train nothing")
    how.add_argument("--data-dir", type=Path, help="folder of the data sets, instead of $NUMPY_RAE_DATA or the cache")
    if protocol.source == "cifar10":
        how.add_argument("--images", type=Path, metavar="FILE.npy", help="uint8 images to take the patches from")
    return p


def presets_help(protocol) -> str:
    """One line on each preset."""
    return "; ".join(
        f"{name}: {p.samples:,} samples, {p.epochs} epochs, {p.hidden} units" for name, p in protocol.presets().items()
    )


def cores() -> int:
    """The number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
