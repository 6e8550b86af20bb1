"""Checks of what a user's activation, penalty or objective returns, at its first use.

Each check raises ValueError with one sentence that names the object, what it returned and what is expected.

Other modules call a check by the name of this package, as in `_contracts.check_penalty(penalty)`.
"""

from numpy_rae._contracts.calls import FirstUse
from numpy_rae._contracts.objective import first_objective_call
from numpy_rae._contracts.penalty import check_penalty, first_penalty_call
from numpy_rae._contracts.returned import array, check_gradient, pair, real

__all__ = [
    "FirstUse",
    "array",
    "check_gradient",
    "check_penalty",
    "first_objective_call",
    "first_penalty_call",
    "pair",
    "real",
]
