"""Hypothesis strategies: small problems in float64 whose pre-activations are never close to a kink."""

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from numpy_rae.activations import PAPER_ACTIVATIONS, Activation
from numpy_rae.autoencoder import Params
from numpy_rae.penalties import EPS

MARGIN = 0.05
EDGES, CLEAR = (EPS, 1 - EPS), 5e-3
SHIFTS = np.array([0, *(sign * k / 10 for k in range(1, 61) for sign in (1, -1))])


class Problem(NamedTuple):
    """Parameters, data, noise and an activation. `eps` is the first noise that default_rng(seed) draws, not scaled."""

    params: Params
    activation: Activation
    x: np.ndarray
    eps: np.ndarray
    seed: int


def values(*shape: int, bound: float = 2.0):
    """Draw float64 arrays with entries in [-bound, bound]."""
    return hnp.arrays(np.float64, shape, elements=st.floats(-bound, bound, allow_subnormal=False))


@st.composite
def problems(
    draw, activations=tuple(PAPER_ACTIVATIONS.values()), noise=(0.0, 0.1, 0.3), bound=1.0, least=0.0
) -> Problem:
    """Draw a problem whose pre-activations and mean activations are not close to a point without a derivative.

    For every `level` in `noise`, the pre-activations of x + level * eps are more than MARGIN from every kink. The mean
    activations are not close to the values at which a penalty changes to its tangent. No |entry| of W is below `least`.
    """
    N, n, m = draw(st.integers(1, 5)), draw(st.integers(1, 4)), draw(st.integers(1, 4))
    activation = draw(st.sampled_from(activations))
    x, W, seed = draw(values(N, n)), draw(values(m, n, bound=bound)), draw(st.integers(0, 2**16))
    W = W + np.copysign(least, W)
    eps = np.random.default_rng(seed).standard_normal((N, n))
    seen = [(x + level * eps) @ W.T for level in noise]
    b_e = np.array([draw(clear_bias(activation, [a[:, j] for a in seen])) for j in range(m)])
    return Problem(Params(W, b_e), activation, x, eps, seed)


def clear_bias(activation: Activation, projections: list[np.ndarray]):
    """Draw the bias of one unit such that no pre-activation is close to a kink and its mean activation to no edge.

    `projections` holds W_j x for x with every noise level. The first has no noise.
    """
    if not activation.kinks:
        return st.floats(-1, 1).map(lambda b: next(c for c in b + SHIFTS if clear_mean(activation, projections[0] + c)))
    # The bias must not be close to any -s. Every projection gives one s for each kink.
    s = np.sort(np.subtract.outer(np.concatenate(projections), activation.kinks).ravel())
    gaps = np.flatnonzero(np.diff(s) > 2 * MARGIN)
    middles = (s[gaps] + s[gaps + 1]) / 2
    biases = [*(-middles), 0.5 - s[0], 0.7 - s[0]]
    return st.sampled_from([-0.5 - s[-1], *(b for b in biases if clear_mean(activation, projections[0] + b))])


def clear_mean(activation: Activation, a: np.ndarray) -> bool:
    """Return whether the mean activation is not close to an edge of the penalties' domains."""
    return all(abs(activation(a, 1).h.mean() - edge) > CLEAR for edge in EDGES)


def whitened(x: np.ndarray) -> np.ndarray:
    """Centre and whiten x (N, n), N > n, up to rounding: E[x] = 0 and E[x x^T] = I."""
    Q, _ = np.linalg.qr(np.column_stack([np.ones(len(x)), x]))
    return Q[:, 1:] * len(x) ** 0.5


@st.composite
def white_problems(draw, activations=tuple(PAPER_ACTIVATIONS.values()), bound=1.5) -> Problem:
    """Draw data that satisfy Assumption 1 exactly, and any parameters."""
    n, m = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    N = draw(st.integers(n + 2, 12))
    seed = draw(st.integers(0, 2**16))
    x = whitened(np.random.default_rng(seed).standard_normal((N, n)))
    params = Params(draw(values(m, n, bound=bound)), draw(values(m, bound=bound)))
    return Problem(params, draw(st.sampled_from(activations)), x, np.zeros_like(x), seed)
