"""Fig. 4 (right): average activation fraction against sigma^2, sigmoid, unit-length rows, CIFAR-10 (Sec. 3.2).

Sigmoid units have a bias gradient under every penalty. The trend needs the paper's 50,000 updates: `--preset paper`.
"""

import sys

from numpy_rae.experiments.figure_script import main
from numpy_rae.experiments.protocol import PROTOCOLS

PROTOCOL = PROTOCOLS["fig4_sigmoid_cifar10"]

if __name__ == "__main__":
    sys.exit(main(PROTOCOL))
