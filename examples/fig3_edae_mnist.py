"""Fig. 3: average activation fraction against sigma^2, eDAE with ReLU, unit-length rows, MNIST (Sec. 3.1.1).

eDAE keeps only the first-order Taylor term of the denoising loss, with explicit noise: it alone makes ReLU units
sparser.
"""

import sys

from numpy_rae.experiments.figure_script import main
from numpy_rae.experiments.protocol import Preset, Protocol

FIG3 = Protocol(
    name="fig3_edae_mnist",
    title="Fig. 3: eDAE, ReLU, unit-length rows",
    source="mnist",
    activation="relu",
    models=("eDAE",),
    constraint="unit",
    sample=Preset(5000, 10),
    shows_at=1000,
)

if __name__ == "__main__":
    sys.exit(main(FIG3))
