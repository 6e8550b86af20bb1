"""Fig. 5 (left): average activation fraction against sigma^2, sigmoid, free row lengths, MNIST (Sec. 3.2).

Without the constraint the trend of CAE and mDAE is not predicted. It needs the paper's 50,000 updates:
`--preset paper`.
"""

import sys

from numpy_rae.experiments.figure_script import main
from numpy_rae.experiments.protocol import Preset, Protocol

FIG5 = Protocol(
    name="fig5_sigmoid_free_mnist",
    title="Fig. 5: sigmoid, free row lengths",
    source="mnist",
    activation="sigmoid",
    models=("DAE", "CAE", "mDAE", "SAE"),
    constraint="free",
    sample=Preset(5000, 10),
    shows_at=50000,
)

if __name__ == "__main__":
    sys.exit(main(FIG5))
