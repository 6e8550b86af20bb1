"""One identity of a run: what decides its numbers, as JSON values, and the hash of it.

A field of the configuration or of the data at its default adds nothing, so that a new option keeps old records valid.
An activation or model is identified by

    the package's own      its name; and the version of its formula, from 2 on (VERSIONS)
    `version=` is given    its name and that version, and nothing else
    any other              its name, what it is made of (`fingerprint`), and its values at fixed points
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from numpy_rae.activations import Activation
from numpy_rae.data.prepared import DataRef, DataSpec
from numpy_rae.identity.fingerprint import digest, fingerprint
from numpy_rae.identity.fixed_points import close, jet_values, model_values, objective_values, rounded, tried
from numpy_rae.objectives import AE, Objective
from numpy_rae.penalties import PENALTIES, JacobianPenalty, Penalty
from numpy_rae.registry import OWN_ACTIVATIONS, OWN_OBJECTIVES
from numpy_rae.taylor_penalties import CAE_H, TAYLOR, CrossTerm, HessianTerm, MarginalisedPenalty, ResidualTerm
from numpy_rae.train_config import TrainConfig

# The versions of this package's formulas that are above 1, by "activation NAME", "penalty NAME" or "model NAME".
# Whoever changes what a formula computes raises its version here: records of the old formula are then not used.
VERSIONS: dict[str, int] = {}

Memo = dict[int, tuple[object, object]]


def formulas() -> dict[str, Activation | Penalty | Objective]:
    """Return every formula of the package that has a version, by kind and name."""
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
    kinds = {"activation": OWN_ACTIVATIONS, "penalty": penalties, "model": OWN_OBJECTIVES}
    return {f"{kind} {name}": formula for kind, table in kinds.items() for name, formula in table.items()}


def version_of(formula: str) -> int:
    """Return the version of a formula of `formulas`."""
    return VERSIONS.get(formula, 1)


def of_activation(activation: Activation, memo: Memo | None = None) -> dict:
    """Identify an activation. `memo` keeps what was found for the same object before."""
    return _remembered(memo, activation, lambda: _identified(activation, "activation", jet_values, 0.0, 0.5))


def of_model(model: Objective, memo: Memo | None = None) -> dict:
    """Identify a model. `memo` keeps what was found for the same object before."""
    return _remembered(memo, model, lambda: _identified(model, "model", model_values, 1, 1000))


def _remembered(memo: Memo | None, obj: object, find: Callable[[], object]) -> object:
    if memo is None:
        return find()
    if id(obj) not in memo:
        memo[id(obj)] = obj, find()  # the object is kept, or another one could get its address
    return memo[id(obj)][1]


def _identified(obj: Activation | Objective, kind: str, values: Callable, at: float, elsewhere: float) -> dict:
    """An activation's or a model's identity; `values(obj, at)` are its values at one set of fixed points."""
    version = getattr(obj, "version", None)
    if version is not None:
        return {"name": obj.name, "version": version}
    if is_ours(obj, kind):
        current = version_of(f"{kind} {obj.name}")
        return {"name": obj.name, **({} if current == 1 else {"formula": current})}
    tried(values, obj, elsewhere)
    before, one = fingerprint(obj), tried(values, obj, at)
    after, two = fingerprint(obj), tried(values, obj, at)
    # What changes when the object is used, such as a counter or a buffer in a closure, is no part of it.
    made_of = after if before == after else fingerprint(obj, data=False)
    return {"name": obj.name, "made_of": made_of[:32], "values": _values_digest(one, two)}


def _values_digest(one: np.ndarray | None, two: np.ndarray | None) -> str | None:
    """None where there are no values, or other ones every time."""
    if one is None or two is None or not np.array_equal(rounded(one), rounded(two), equal_nan=True):
        return None
    return digest([repr(value) for value in rounded(one).tolist()])[:32]


def is_ours(obj: Activation | Objective, kind: str) -> bool:
    """Say whether an activation or a model is the package's own of its name, a copy from another process included."""
    table = OWN_ACTIVATIONS if kind == "activation" else OWN_OBJECTIVES
    ours = table.get(obj.name) if isinstance(obj.name, str) else None
    return obj is ours or (type(obj) is type(ours) and fingerprint(obj) == fingerprint(ours))


def is_plain_at_zero(model: Objective, activation: Activation) -> bool:
    """Say whether a model at sigma^2 = 0 is the plain auto-encoder, in value and gradient on fixed batches.

    Every model of the package is. A user's own need not be: it may have a second penalty of a fixed size.
    """
    return is_ours(model, "model") or _same_as_plain(model, activation)


def _same_as_plain(model: Objective, activation: Activation) -> bool:
    mine = tried(objective_values, model, activation, 0.0)
    plain = tried(objective_values, AE, activation, 0.0)
    return mine is not None and plain is not None and close(plain, mine)


def of_config(config: TrainConfig) -> dict:
    """Return the fields of a configuration that are not at their default."""
    return changed(dataclasses.asdict(config), TrainConfig)


def of_data(data: DataRef) -> dict:
    """Return the description of the data without the fields that are at their default."""
    return changed(data.description(), DataSpec)


def changed(values: dict, cls: type) -> dict:
    """Return the values that are not at the default of a field of the data class."""
    defaults = defaults_of(cls)
    return {name: value for name, value in values.items() if name not in defaults or value != defaults[name]}


def defaults_of(cls: type) -> dict:
    """Return the defaults of a data class by field."""
    return {field.name: field.default for field in dataclasses.fields(cls) if field.default is not dataclasses.MISSING}
