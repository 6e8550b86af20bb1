"""Where does DAE's sparsity with ReLU come from? DAE against variants of its noise (Sec. 3.1.1), digits.

The paper's answer is the first-order Taylor term that finite sampling leaves. Antithetic noise cancels that term exactly
(its control is two independent copies). Many copies average it away. eDAE has only that term. smoothed-mDAE and the two
expected-DAE draw no noise. They have the expectation over the noise, which makes ReLU's kink smooth.
"""

import sys

from numpy_rae.experiments.figure_script import main
from numpy_rae.experiments.protocol import PROTOCOLS

PROTOCOL = PROTOCOLS["noise_origin"]

if __name__ == "__main__":
    sys.exit(main(PROTOCOL))
