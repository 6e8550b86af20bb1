"""Two training steps of a tiny auto-encoder, line by line: derivation, name, shape, value, finite difference.

The inputs come first, then the forward pass (Eq. (1) and Eq. (3)), the penalty (Eq. (8), Eq. (9), Cor. 1, Cor. 2), the
backward pass (Eq. (5) uses its bias gradient), momentum, step and unit rows. The second step starts from the result of
the first. "JacobianPenalty (d)" is step (d) in the docstring of JacobianPenalty, and the line of its code with the
comment "(d)". Next to each gradient there is a finite difference of its function. The exit code is 1 if they disagree.

`--model` names the objective: a penalised one, Eq. (4), with CAE, mDAE, Eq. (11), KL, Eq. (12), SAE, Eq. (13), or
taylor_dae, Eq. (7), as the penalty; or DAE, Eq. (6), or eDAE (Sec. 3.1.1).
"""

import sys

from numpy_rae import _validation
from numpy_rae.experiments import command_line
from numpy_rae.experiments.command import command
from numpy_rae.registry import ACTIVATIONS, OBJECTIVES, find_activation
from numpy_rae.walkthrough.report import report
from numpy_rae.walkthrough.setting import first_setting


def options():
    p = command_line.text_parser("gradient_walkthrough", __doc__)
    p.add_argument("--model", choices=OBJECTIVES, default="CAE", metavar="MODEL", help=", ".join(OBJECTIVES))
    p.add_argument("--activation", default="softplus", help=", ".join(ACTIVATIONS))
    p.add_argument("--sigma2", type=float, default=0.5, help="factor lam of a penalty, or variance of the noise")
    p.add_argument("--steps", type=int, default=2, help="number of training steps")
    return p


@command("gradient_walkthrough")
def main(argv=None):
    args = options().parse_args(argv)
    _validation.integer("steps", args.steps)
    setting = first_setting(OBJECTIVES[args.model], find_activation(args.activation), args.sigma2)
    text, agree = report(setting, args.steps)
    print(f"{args.model} with {setting.activation.name}", *text, sep="\n")
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
