"""Check the arguments of `numpy_rae.sweep`: models, configurations, and data that are centred."""

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from numpy_rae.objectives import Objective
from numpy_rae.registry import named_objective
from numpy_rae.train_config import TrainConfig

# The share of E||x||^2 in the squared length of the mean above which X does not count as centred.
CENTRED = 0.05


def checked_models(models: Iterable[Any]) -> list[Objective]:
    """Return the named objectives of `sweep`.

    Parameters
    ----------
    models : list
        One or several entries, each of a kind that `registry.named_objective` takes.

    Returns
    -------
    list of Objective
        One per entry.

    Raises
    ------
    ValueError
        If `models` is empty, or if two models have the same name.
    """
    entries = list(models) if isinstance(models, Iterable) and not isinstance(models, str) else [models]
    found = [named_objective(entry) for entry in entries]
    names = [model.name for model in found]
    if not found:
        raise ValueError("models is empty; it must have at least one model")
    for name in names:
        if names.count(name) > 1:
            raise ValueError(
                f"models has {name!r} {names.count(name)} times; give pairs (name, objective) with different names"
            )
    return found


def checked_configs(
    sigma2: Iterable[float] | float, seeds: Iterable[int] | int, fixed: Mapping[str, Any]
) -> list[TrainConfig]:
    """Return one configuration per seed and sigma^2.

    Parameters
    ----------
    sigma2 : iterable of float or float
        Regularisation coefficients.
    seeds : iterable of int or int
        Seeds.
    fixed : dict
        The other fields of `TrainConfig`.

    Returns
    -------
    list of TrainConfig
        Each pair once.

    Raises
    ------
    ValueError
        For an empty list, an unknown field, or a value outside its range.
    """
    several = {"sigma2": _several(sigma2), "seeds": _several(seeds)}
    for name, values in several.items():
        if not values:
            raise ValueError(f"{name} is empty; it must have at least one number")
    for name in fixed:
        if name not in TrainConfig.__dataclass_fields__:
            raise ValueError(f"{name} is no argument of sweep; settings must be fields of TrainConfig")
    return [TrainConfig(s, seed, **fixed) for seed in several["seeds"] for s in several["sigma2"]]


def _several(values: Any) -> list[Any]:
    """Return a list of the values. A single number becomes a list. NumPy's numbers become Python's, for JSON."""
    entries = list(values) if isinstance(values, Iterable) and not isinstance(values, str) else [values]
    plain = [entry.item() if isinstance(entry, np.generic) else entry for entry in entries]
    return list(dict.fromkeys(plain))


def warn_if_not_centred(x: NDArray[Any]) -> None:
    """Warn if the mean of the rows is far from 0, because the model has no decoder bias.

    Parameters
    ----------
    x : ndarray, shape (N, n)
        The data.
    """
    mean = x.mean(axis=0, dtype=np.float64)
    share, total = float(mean @ mean), float(np.vdot(x, x)) / len(x)
    if share > CENTRED * total:
        warnings.warn(
            f"X is not centred: its mean has {share / total:.0%} of its mean square, and the model has no decoder "
            "bias; centre each feature, or call sweep with standardise=True",
            UserWarning,
            stacklevel=3,
        )
