"""Fig. 5 (left): average activation fraction against sigma^2, sigmoid, free row lengths, MNIST (Sec. 3.2).

Without the constraint the trend of CAE and mDAE is not predicted. It needs the paper's 50,000 updates:
`--preset paper`.
"""

import sys

from numpy_rae.experiments.figure_script import main
from numpy_rae.experiments.protocol import PROTOCOLS

PROTOCOL = PROTOCOLS["fig5_sigmoid_free_mnist"]

if __name__ == "__main__":
    sys.exit(main(PROTOCOL))
