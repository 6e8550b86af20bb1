"""Fn. 4: average activation fraction against sigma^2, softplus, unit-length rows, MNIST (Sec. 3.2, Fn. 4).

The paper reports trends like the sigmoid's and shows no plot. They are there after 1,000 updates.
"""

import sys

from numpy_rae.experiments.figure_script import main
from numpy_rae.experiments.protocol import Preset, Protocol

FN4 = Protocol(
    name="fn4_softplus_mnist",
    title="Fn. 4: softplus, unit-length rows",
    source="mnist",
    activation="softplus",
    models=("DAE", "CAE", "mDAE", "SAE"),
    constraint="unit",
    sample=Preset(5000, 10),
    shows_at=1000,
)

if __name__ == "__main__":
    sys.exit(main(FN4))
