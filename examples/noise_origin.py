"""Where does DAE's sparsity with ReLU come from? DAE against variants of its noise (Sec. 3.1.1), digits.

The paper's answer is the first-order Taylor term that finite sampling leaves. Antithetic noise cancels that term exactly
(its control is two independent copies), many copies average it away, eDAE keeps nothing else; smoothed-mDAE and the
two expected-DAE draw no noise at all and keep what its expectation does to the kink.
"""

import sys

from numpy_rae.experiments.figure_script import main
from numpy_rae.experiments.protocol import Preset, Protocol

NOISE = Protocol(
    name="noise_origin",
    title="Where DAE's sparsity comes from: ReLU, unit-length rows",
    source="mnist",
    activation="relu",
    models=("DAE", "antithetic", "2-copies", "8-copies", "eDAE", "smoothed-mDAE", "expected-DAE", "expected-DAE+cov"),
    sample=Preset(5000, 20, sigma2=(0.0, 0.01, 0.09, 0.25, 1.0)),
    reference="DAE",
)

if __name__ == "__main__":
    sys.exit(main(NOISE))
