"""Where does DAE's sparsity with ReLU come from? DAE against variants of its noise (Sec. 3.1.1), digits.

The paper's answer is the first-order Taylor term, which is not 0 for a finite number of noise samples. Antithetic noise
cancels this term exactly (two independent copies are its control). Many copies make it small. eDAE has only this term.
smoothed-mDAE and the two expected-DAE draw no noise. They use expectations over the noise, which smooth the kink of ReLU.
"""

import sys

from numpy_rae.experiments.figure_script import main
from numpy_rae.experiments.protocol import PROTOCOLS

PROTOCOL = PROTOCOLS["noise_origin"]

if __name__ == "__main__":
    sys.exit(main(PROTOCOL))
