"""Fig. 2 (left): average activation fraction against sigma^2, ReLU, free row lengths, MNIST (Sec. 3.1).

Without the constraint sigma^2 also moves the row lengths, and the trend of CAE and mDAE is no longer predicted.
"""

import sys

from numpy_rae.experiments.figure_script import main
from numpy_rae.experiments.protocol import PROTOCOLS

PROTOCOL = PROTOCOLS["fig2_relu_free_mnist"]

if __name__ == "__main__":
    sys.exit(main(PROTOCOL))
