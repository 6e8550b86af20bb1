"""Fig. 1 (right): average activation fraction against sigma^2, ReLU, unit-length rows, CIFAR-10 (Sec. 3.1).

ReLU has h'' = 0 wherever it is differentiable, so the penalties of CAE and mDAE have no bias gradient
on a batch. Their curves stay flat, while DAE and SAE grow sparser with sigma^2. The expectation of these penalties does have a
bias gradient (docs/derivations.md, section 20).
The models are DAE, Eq. (6), CAE, Eq. (9), mDAE, Eq. (11), and SAE, Eq. (13).
"""

import sys

from numpy_rae.experiments.figure_script import main
from numpy_rae.experiments.protocol import PROTOCOLS

PROTOCOL = PROTOCOLS["fig1_relu_cifar10"]

if __name__ == "__main__":
    sys.exit(main(PROTOCOL))
