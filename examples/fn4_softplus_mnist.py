"""Fn. 4: average activation fraction against sigma^2, softplus, unit-length rows, MNIST (Sec. 3.2, Fn. 4).

The paper reports trends like the sigmoid's and shows no plot. 1,000 updates are enough to show them.
"""

import sys

from numpy_rae.experiments.figure_script import main
from numpy_rae.experiments.protocol import PROTOCOLS

PROTOCOL = PROTOCOLS["fn4_softplus_mnist"]

if __name__ == "__main__":
    sys.exit(main(PROTOCOL))
