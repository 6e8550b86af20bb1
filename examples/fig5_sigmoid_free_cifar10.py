"""Fig. 5 (right): average activation fraction against sigma^2, sigmoid, free row lengths, CIFAR-10 (Sec. 3.2).

Without the constraint the trend of CAE and mDAE is not predicted. It needs the paper's 50,000 updates:
`--preset paper`.
"""

import sys

from numpy_rae.experiments.figure_script import main
from numpy_rae.experiments.protocol import Preset, Protocol

FIG5 = Protocol(
    name="fig5_sigmoid_free_cifar10",
    title="Fig. 5: sigmoid, free row lengths",
    source="cifar10",
    activation="sigmoid",
    models=("DAE", "CAE", "mDAE", "SAE"),
    constraint="free",
    sample=Preset(5000, 10),
    shows_at=50000,
)

if __name__ == "__main__":
    sys.exit(main(FIG5))
