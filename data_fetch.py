"""Download MNIST and CIFAR-10: the same command as `python -m numpy_rae fetch`."""

import argparse
import sys

from numpy_rae.data import fetch_command
from numpy_rae.experiments.command import command


@command("data_fetch")
def main(argv: list[str] | None = None) -> int:
    """Run the command and return its exit code; 2 with one sentence on stderr for bad input."""
    parser = argparse.ArgumentParser(prog="data_fetch", description=fetch_command.DESCRIPTION)
    fetch_command.add_options(parser)
    return fetch_command.run(parser.parse_args(argv))


if __name__ == "__main__":
    sys.exit(main())
