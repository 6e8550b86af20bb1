"""Fn. 4: average activation fraction against sigma^2, softplus, unit-length rows, MNIST (Sec. 3.2, Fn. 4).

The paper reports trends like the sigmoid's and shows no plot. They need its 50,000 updates: `--preset paper`.
"""

import sys

from numpy_rae.experiment import Preset, Protocol, main

FN4 = Protocol(
    name="fn4_softplus_mnist",
    title="Fn. 4: softplus, unit-length rows",
    source="mnist",
    activation="softplus",
    models=("DAE", "CAE", "mDAE", "SAE"),
    constraint="unit",
    sample=Preset(5000, 10),
    shows_at=50000,
)

if __name__ == "__main__":
    sys.exit(main(FN4))
