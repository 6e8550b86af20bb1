"""Download MNIST and CIFAR-10: the same command as `python -m numpy_rae fetch`."""

import argparse
import sys

from numpy_rae.data import fetch_command
from numpy_rae.experiments.command import command


@command("data_fetch")
def main(argv: list[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    argv : list of str, optional
        The arguments. The default is `sys.argv[1:]`.

    Returns
    -------
    int
        The exit code: 0, 2 after an error (with one sentence on stderr), or 130 after an interrupt.
    """
    parser = argparse.ArgumentParser(prog="data_fetch", description=fetch_command.DESCRIPTION)
    fetch_command.add_options(parser)
    return fetch_command.run(parser.parse_args(argv))


if __name__ == "__main__":
    sys.exit(main())
