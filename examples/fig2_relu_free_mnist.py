"""Fig. 2 (left): average activation fraction against sigma^2, ReLU, free row lengths, MNIST (Sec. 3.1).

Without the constraint sigma^2 also moves the row lengths, and the trend of CAE and mDAE is no longer predicted.
"""

import sys

from numpy_rae.experiments.figure_script import main
from numpy_rae.experiments.protocol import Preset, Protocol

FIG2 = Protocol(
    name="fig2_relu_free_mnist",
    title="Fig. 2: ReLU, free row lengths",
    source="mnist",
    activation="relu",
    models=("DAE", "CAE", "mDAE", "SAE"),
    constraint="free",
    sample=Preset(5000, 10),
    shows_at=1000,
)

if __name__ == "__main__":
    sys.exit(main(FIG2))
