"""Fig. 3: average activation fraction against sigma^2, eDAE with ReLU, unit-length rows, MNIST (Sec. 3.1.1).

eDAE is the plain auto-encoder with the first-order Taylor term of the denoising loss, with explicit noise. This term alone makes
ReLU units sparser.
"""

import sys

from numpy_rae.experiments.figure_script import main
from numpy_rae.experiments.protocol import PROTOCOLS

PROTOCOL = PROTOCOLS["fig3_edae_mnist"]

if __name__ == "__main__":
    sys.exit(main(PROTOCOL))
