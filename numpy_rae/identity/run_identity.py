"""Identify a run by all values that determine its numbers (as JSON), and by the hash of these values.

A field of the configuration or of the data is left out if it has its default value. So old records stay valid if a
release adds an option. An activation or a model is identified as follows:

    it belongs to the package     its name, and the version of its formula if that is above 1 (VERSIONS)
    it has a `version`            its name and that version, and nothing else
    any other                     its name, its content (`fingerprint`), and its values at fixed points
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.activations import Activation
from numpy_rae.data.data_spec import DataRef, DataSpec
from numpy_rae.identity.fingerprint import digest, fingerprint
from numpy_rae.identity.fixed_points import close, jet_values, model_values, objective_values, rounded, tried
from numpy_rae.objectives import AE, Objective
from numpy_rae.penalties import PENALTIES, JacobianPenalty, Penalty
from numpy_rae.registry import OWN_ACTIVATIONS, OWN_OBJECTIVES
from numpy_rae.taylor_penalties import CAE_H, TAYLOR, CrossTerm, HessianTerm, MarginalisedPenalty, ResidualTerm
from numpy_rae.train_config import TrainConfig

# The versions of this package's formulas that are above 1, by "activation NAME", "penalty NAME" or "model NAME".
# If you change what a formula computes, raise its version here. Records of the old formula are then not used.
VERSIONS: dict[str, int] = {"penalty SAE": 2, "model SAE": 2}  # 2: eps = 0.1 where h can exceed 1

Memo = dict[int, tuple[object, dict[str, Any]]]


def formulas() -> dict[str, Activation | Penalty | Objective]:
    """Return every formula of the package that has a version.

    Returns
    -------
    dict of str to Activation, Penalty or Objective
        The formulas by kind and name, for example "penalty CAE".
    """
    penalties = {
        **PENALTIES,
        "taylor_dae": TAYLOR,
        "CAE+H": CAE_H,
        "cross term": CrossTerm(),
        "residual term": ResidualTerm(),
        "Hessian term": HessianTerm(),
        "marginalised": MarginalisedPenalty(np.array([0.1, 0.2, 0.3, 0.4])),
        "Jacobian q=3 p=1": JacobianPenalty(3, 1),
    }
    kinds: dict[str, Mapping[str, Any]] = {"activation": OWN_ACTIVATIONS, "penalty": penalties, "model": OWN_OBJECTIVES}
    return {f"{kind} {name}": formula for kind, table in kinds.items() for name, formula in table.items()}


def version_of(formula: str) -> int:
    """Return the version of a formula.

    Parameters
    ----------
    formula : str
        A key of `formulas`.

    Returns
    -------
    int
        Its version, from 1 on.
    """
    return VERSIONS.get(formula, 1)


def of_activation(activation: Activation, memo: Memo | None = None) -> dict[str, Any]:
    """Identify an activation.

    Parameters
    ----------
    activation : Activation
        The activation.
    memo : dict, optional
        Identities that were computed before, by object. The new one is added.

    Returns
    -------
    dict
        Its identity, as JSON values.
    """
    return _remembered(memo, activation, lambda: _identified(activation, "activation", jet_values, 0.0, 0.5))


def of_model(model: Objective, memo: Memo | None = None) -> dict[str, Any]:
    """Identify a model.

    Parameters
    ----------
    model : Objective
        The model.
    memo : dict, optional
        Identities that were computed before, by object. The new one is added.

    Returns
    -------
    dict
        Its identity, as JSON values.
    """
    return _remembered(memo, model, lambda: _identified(model, "model", model_values, 1, 1000))


def _remembered(memo: Memo | None, obj: object, find: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return the identity of an object from the memo, or compute it and add it there."""
    if memo is None:
        return find()
    if id(obj) not in memo:
        memo[id(obj)] = obj, find()  # the object is kept, or another one could get its address
    return memo[id(obj)][1]


def _identified(
    obj: Activation | Objective, kind: str, values: Callable[..., Array | None], at: float, elsewhere: float
) -> dict[str, Any]:
    """Return the identity of an activation or a model. `values(obj, at)` returns its values at fixed points."""
    version = getattr(obj, "version", None)
    if version is not None:
        return {"name": obj.name, "version": version}
    if is_ours(obj, kind):
        current = version_of(f"{kind} {obj.name}")
        return {"name": obj.name, **({} if current == 1 else {"formula": current})}
    tried(values, obj, elsewhere)
    before, one = fingerprint(obj), tried(values, obj, at)
    after, two = fingerprint(obj), tried(values, obj, at)
    # Data that change when the object is used (a counter or a buffer in a closure) are not part of the identity.
    made_of = after if before == after else fingerprint(obj, data=False)
    return {"name": obj.name, "made_of": made_of[:32], "values": _values_digest(one, two)}


def _values_digest(one: Array | None, two: Array | None) -> str | None:
    """Return the digest of the values. Return None if there are none, or if two evaluations differ."""
    if one is None or two is None or not np.array_equal(rounded(one), rounded(two), equal_nan=True):
        return None
    return digest([repr(value) for value in rounded(one).tolist()])[:32]


def is_ours(obj: Activation | Objective, kind: str) -> bool:
    """Return whether an activation or a model belongs to the package.

    Parameters
    ----------
    obj : Activation or Objective
        The object. It can be a copy from another process.
    kind : str
        "activation" or "model".

    Returns
    -------
    bool
        True if it is the object of the package with this name, or a copy of that object.
    """
    table: Mapping[str, Any] = OWN_ACTIVATIONS if kind == "activation" else OWN_OBJECTIVES
    ours = table.get(obj.name) if isinstance(obj.name, str) else None
    return obj is ours or (type(obj) is type(ours) and fingerprint(obj) == fingerprint(ours))


def is_plain_at_zero(model: Objective, activation: Activation) -> bool:
    """Return whether a model with sigma^2 = 0 is the plain auto-encoder.

    This holds for every model of the package. A model of the user can have another penalty with a fixed factor.

    Parameters
    ----------
    model : Objective
        The model.
    activation : Activation
        Encoder activation s_e.

    Returns
    -------
    bool
        True if value and gradient on fixed batches equal those of the plain auto-encoder.
    """
    return is_ours(model, "model") or _same_as_plain(model, activation)


def _same_as_plain(model: Objective, activation: Activation) -> bool:
    """Return whether the values with sigma^2 = 0 equal those of the plain auto-encoder."""
    mine = tried(objective_values, model, activation, 0.0)
    plain = tried(objective_values, AE, activation, 0.0)
    return mine is not None and plain is not None and close(plain, mine)


def of_config(config: TrainConfig) -> dict[str, Any]:
    """Return the fields of a configuration that do not have their default value.

    Parameters
    ----------
    config : TrainConfig
        The configuration.

    Returns
    -------
    dict
        The values by field.
    """
    return changed(dataclasses.asdict(config), TrainConfig)


def of_data(data: DataRef) -> dict[str, Any]:
    """Return the description of the data without the fields that have their default value.

    Parameters
    ----------
    data : DataRef
        The prepared data.

    Returns
    -------
    dict
        The values by field.
    """
    return changed(data.description(), DataSpec)


def changed(values: dict[str, Any], cls: type) -> dict[str, Any]:
    """Return the values that differ from the defaults of a data class.

    Parameters
    ----------
    values : dict
        Values by field. A field that the class does not have is kept.
    cls : type
        The data class.

    Returns
    -------
    dict
        The values that differ from their default.
    """
    defaults = defaults_of(cls)
    return {name: value for name, value in values.items() if name not in defaults or value != defaults[name]}


def defaults_of(cls: type) -> dict[str, Any]:
    """Return the defaults of a data class by field.

    Parameters
    ----------
    cls : type
        The data class.

    Returns
    -------
    dict
        The defaults. A field without a default is left out.
    """
    return {field.name: field.default for field in dataclasses.fields(cls) if field.default is not dataclasses.MISSING}
