"""The tables of activations and objectives by name: the same for training, figures, certificates and model files."""

import re
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from numpy_rae import _validation
from numpy_rae.activations import PAPER_ACTIVATIONS, Activation
from numpy_rae.dae_noise.noise_variants import NOISE_OBJECTIVES
from numpy_rae.extra_activations import EXTRA_ACTIVATIONS, softplus_beta
from numpy_rae.numerical_activations import from_callable
from numpy_rae.objectives import PAPER_OBJECTIVES, Objective, ObjectiveFunction

ACTIVATIONS: dict[str, Activation] = {**PAPER_ACTIVATIONS, **EXTRA_ACTIVATIONS}
OBJECTIVES: dict[str, Objective] = {**PAPER_OBJECTIVES, **NOISE_OBJECTIVES}
# A user may add entries to the tables above. These copies hold the package's own only.
OWN_ACTIVATIONS = MappingProxyType(dict(ACTIVATIONS))
OWN_OBJECTIVES = MappingProxyType(dict(OBJECTIVES))


def find_activation(activation: str | Activation | Callable[..., Any]) -> Activation:
    """Return the activation that a name, an activation or a function of one number stands for.

    Parameters
    ----------
    activation : str, Activation or callable
        A name in `ACTIVATIONS`, "softplus(beta=B)" with a number B, an activation, or a function s_e(a).

    Returns
    -------
    Activation
        The activation. The derivatives of a plain function are computed numerically.

    Raises
    ------
    ValueError
        If the name is unknown or the function cannot be used.
    """
    if isinstance(activation, Activation):
        return activation
    if isinstance(activation, str):
        beta = softplus_sharpness(activation)
        return (
            softplus_beta(beta)
            if beta is not None
            else ACTIVATIONS[_validation.one_of("activation", activation, ACTIVATIONS)]
        )
    _validation.function("activation", activation)
    return from_callable(getattr(activation, "__name__", type(activation).__name__), activation)


def softplus_sharpness(name: str) -> float | None:
    """Return B of "softplus(beta=B)", None for any other name.

    Parameters
    ----------
    name : str
        Name of an activation.

    Returns
    -------
    float or None
        The number B.
    """
    found = re.fullmatch(r"softplus\(beta=([-+.\de]+)\)", name)
    try:
        return float(found[1]) if found else None
    except ValueError:
        return None


def find_objective(objective: str | ObjectiveFunction) -> ObjectiveFunction:
    """Return the objective that a name or an objective stands for.

    Parameters
    ----------
    objective : str, Objective or callable
        A name in `OBJECTIVES`, an objective, or a function of the same arguments.

    Returns
    -------
    Objective or callable
        The objective.

    Raises
    ------
    ValueError
        If the name is unknown, or the value cannot be called.
    """
    if isinstance(objective, str):
        return OBJECTIVES[_validation.one_of("objective", objective, OBJECTIVES)]
    _validation.function("objective", objective)
    return objective
