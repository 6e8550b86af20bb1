"""The tables of activations and objectives by name, for training, figures, certificates and model files."""

import re
from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from numpy_rae import _validation
from numpy_rae.activations import PAPER_ACTIVATIONS, Activation
from numpy_rae.dae_noise.noise_variants import NOISE_OBJECTIVES
from numpy_rae.extra_activations import EXTRA_ACTIVATIONS, softplus_beta
from numpy_rae.numerical_activations import from_callable
from numpy_rae.objectives import PAPER_OBJECTIVES, Objective, ObjectiveFunction, Penalised
from numpy_rae.penalties import PENALTIES

ACTIVATIONS: dict[str, Activation] = {**PAPER_ACTIVATIONS, **EXTRA_ACTIVATIONS}
OBJECTIVES: dict[str, Objective] = {**PAPER_OBJECTIVES, **NOISE_OBJECTIVES}
# A user may add entries to the tables above. These copies have only the package's own entries.
OWN_ACTIVATIONS = MappingProxyType(dict(ACTIVATIONS))
OWN_OBJECTIVES = MappingProxyType(dict(OBJECTIVES))


def find_activation(activation: str | Activation | Callable[..., Any]) -> Activation:
    """Return an activation, given by its name, as an `Activation`, or as a function of one number.

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
    return from_callable(name_of(activation), activation)


def softplus_sharpness(name: str) -> float | None:
    """Return the number B of the name "softplus(beta=B)", or None for any other name.

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
    """Return an objective, given by its name or as an object that can be called.

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


def named_objective(model: Any) -> Objective:
    """Return an `Objective`, given by its name, or as an objective, a penalty or a pair.

    Parameters
    ----------
    model : str, Objective, callable, penalty or tuple
        A name in `OBJECTIVES`, an objective, a penalty, or a pair (name, objective or penalty). An objective or a
        penalty without a name gets the name of its function or class.

    Returns
    -------
    Objective
        The objective, with its name.

    Raises
    ------
    ValueError
        If `model` is a string that is not in `OBJECTIVES`, or has none of the types above.
    """
    if isinstance(model, tuple):
        return _renamed(*_pair(model))
    if isinstance(model, str):
        return OBJECTIVES[_validation.one_of("model", model, OBJECTIVES)]
    if isinstance(model, Objective):
        return model
    if not callable(model) and hasattr(model, "value_and_grad"):
        model = Penalised(model)
    _validation.function("model", model)
    return Objective(name_of(model), model)


def _pair(model: tuple[Any, ...]) -> tuple[str, Any]:
    if len(model) != 2 or not isinstance(model[0], str) or not model[0]:
        raise ValueError(f"model is {model!r}; a pair must be (name, objective or penalty)")
    name, objective = model
    return name, objective


def _renamed(name: str, model: Any) -> Objective:
    found = named_objective(model)
    return found if found.name == name else replace(found, name=name)


def name_of(thing: Any) -> str:
    """Return the name of an activation, a penalty or an objective in records and figures.

    Parameters
    ----------
    thing : object
        A function, an object with a name, or any other object.

    Returns
    -------
    str
        The attribute `name` of the object. If it has none: the name in the table of penalties, else the name of the
        function, else the name of the class.
    """
    if isinstance(thing, Penalised):
        mine = thing.penalty
        known = [name for name, each in PENALTIES.items() if type(each) is type(mine) and each == mine]
        return known[0] if known else name_of(mine)
    name = getattr(thing, "name", None)
    return name if isinstance(name, str) else getattr(thing, "__name__", None) or type(thing).__name__
