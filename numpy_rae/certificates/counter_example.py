"""Search random parameters and samples for a unit whose bias gradient is negative.

The theory lowers the mean pre-activation of a unit if dR/db_e_j is positive (Thm 1). If R couples units or samples, its
sign cannot be read from a grid. Then

    (a) each draw has random sizes, a random scale, and normal W, b_e and x
    (b) a draw is a counter-example if some dR/db_e_j is below -RELATIVE times the mean over the samples of |N dR/da_ij|

A search without a result proves nothing: it covers only the draws that were made.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.activations import Activation
from numpy_rae.autoencoder import Params
from numpy_rae.certificates.conditions import accuracy
from numpy_rae.certificates.separability import total_derivative
from numpy_rae.penalties import Penalty

DRAWS = 1000
LARGEST = 6  # the largest number of units, inputs and samples in a draw
SCALES = (0.3, 1.0, 3.0)
RELATIVE, NUMERIC = 1e-9, 1e-3


@dataclass(frozen=True)
class CounterExample:
    """Hold parameters and samples with a unit whose bias gradient is negative.

    Attributes
    ----------
    draw : int
        Number of the draw. It is also the seed of the noise, for a penalty that draws some.
    unit : int
        The unit j.
    value : float
        The bias gradient dR/db_e_j.
    W : tuple of tuple of float
        The weights, one row per unit.
    b_e : tuple of float
        The encoder biases.
    x : tuple of tuple of float
        The samples, one per row.
    """

    draw: int
    unit: int
    value: float
    W: tuple[tuple[float, ...], ...]
    b_e: tuple[float, ...]
    x: tuple[tuple[float, ...], ...]

    def arrays(self) -> tuple[Params, Array]:
        """Return the parameters and the samples as arrays.

        Returns
        -------
        params : Params
            W, shape (m, n), and b_e, shape (m,).
        x : ndarray, shape (N, n)
            The samples.
        """
        return Params(np.array(self.W), np.array(self.b_e)), np.array(self.x)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "CounterExample":
        """Make a counter-example from its fields, whose tuples may be lists.

        Parameters
        ----------
        content : dict
            The fields, as `dataclasses.asdict` or JSON gives them.

        Returns
        -------
        CounterExample
            The counter-example.
        """
        W, x = (tuple(map(tuple, content[name])) for name in ("W", "x"))
        return cls(**{**content, "W": W, "b_e": tuple(content["b_e"]), "x": x})

    def __str__(self) -> str:
        return f"dR/db is {self.value:.4g} for unit {self.unit} in draw {self.draw}"


def search(activation: Activation, penalty: Penalty, draws: int = DRAWS) -> CounterExample | None:
    """Search for a counter-example, and stop at the first one.

    Parameters
    ----------
    activation : Activation
        Encoder activation.
    penalty : Penalty
        The penalty.
    draws : int
        Largest number of draws.

    Returns
    -------
    CounterExample or None
        The counter-example. None if no draw is one.
    """
    relative = NUMERIC if any(accuracy(activation)) else RELATIVE
    for draw in range(draws):
        params, x = batch(draw)
        with np.errstate(all="ignore"):
            _, G, _ = total_derivative(penalty, params, activation, x, np.random.default_rng(draw))
            value, size = G.mean(axis=0), np.abs(G).mean(axis=0)  # (m,)
        below = np.flatnonzero(value < -relative * size)  # (b)
        if below.size:
            return _counter_example(draw, params, x, int(below[0]), float(value[below[0]]))
    return None


def batch(draw: int) -> tuple[Params, Array]:
    """Evaluate step (a).

    Parameters
    ----------
    draw : int
        Number of the draw.

    Returns
    -------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    x : ndarray, shape (N, n)
        The samples.
    """
    rng = np.random.default_rng([draw, LARGEST])
    m, n, N = rng.integers(1, LARGEST + 1, 3)
    scale = rng.choice(SCALES)
    return Params(scale * rng.standard_normal((m, n)), scale * rng.standard_normal(m)), rng.standard_normal((N, n))


def _counter_example(draw: int, params: Params, x: Array, unit: int, value: float) -> CounterExample:
    """Return a counter-example with its arrays as tuples."""
    W, samples = (tuple(map(tuple, values.tolist())) for values in (params.W, x))
    return CounterExample(draw, unit, value, W, tuple(params.b_e.tolist()), samples)
