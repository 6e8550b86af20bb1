"""Fetch MNIST and CIFAR-10: a script in front of `python -m numpy_rae fetch`."""

import sys

from numpy_rae.data.fetch import main

if __name__ == "__main__":
    sys.exit(main())
