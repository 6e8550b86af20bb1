"""What Hypothesis draws: small problems in float64 whose pre-activations keep clear of every kink by construction."""

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from numpy_rae.activations import ACTIVATIONS, Activation
from numpy_rae.autoencoder import Params

MARGIN = 0.05


class Problem(NamedTuple):
    """Parameters, data, noise and an activation; `eps` is the noise that default_rng(seed) draws first, unscaled."""

    params: Params
    activation: Activation
    x: np.ndarray
    eps: np.ndarray
    seed: int


def values(*shape: int, bound: float = 2.0):
    """Float64 arrays with entries in [-bound, bound]."""
    return hnp.arrays(np.float64, shape, elements=st.floats(-bound, bound, allow_subnormal=False))


@st.composite
def problems(draw, activations=tuple(ACTIVATIONS.values()), noise=0.3, bound=1.0) -> Problem:
    """A problem on which neither x nor x + noise * eps puts a pre-activation within MARGIN of a kink."""
    N, n, m = draw(st.integers(1, 5)), draw(st.integers(1, 4)), draw(st.integers(1, 4))
    activation = draw(st.sampled_from(activations))
    x, W, seed = draw(values(N, n)), draw(values(m, n, bound=bound)), draw(st.integers(0, 2**16))
    eps = np.random.default_rng(seed).standard_normal((N, n))
    if activation.kinks:
        seen = np.concatenate([x, x + noise * eps]) @ W.T
        b_e = np.array([draw(clear_bias(seen[:, j])) for j in range(m)])
    else:
        b_e = draw(values(m, bound=1.0))
    return Problem(Params(W, b_e), activation, x, eps, seed)


def clear_bias(projections: np.ndarray):
    """Biases that put 0 in the middle of a gap of width > 2 MARGIN between the projections, or beyond either end."""
    s = np.sort(projections)
    gaps = np.flatnonzero(np.diff(s) > 2 * MARGIN)
    middles = (s[gaps] + s[gaps + 1]) / 2
    return st.sampled_from([*(-middles), 0.5 - s[0], -0.5 - s[-1]])


def whitened(x: np.ndarray) -> np.ndarray:
    """Centre and whiten x (N, n), N > n, to rounding: E[x] = 0 and E[x x^T] = I."""
    Q, _ = np.linalg.qr(np.column_stack([np.ones(len(x)), x]))
    return Q[:, 1:] * len(x) ** 0.5


@st.composite
def white_problems(draw, activations=tuple(ACTIVATIONS.values()), bound=1.5) -> Problem:
    """Data that satisfy Assumption 1 exactly, with parameters drawn freely."""
    n, m = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    N = draw(st.integers(n + 2, 12))
    seed = draw(st.integers(0, 2**16))
    x = whitened(np.random.default_rng(seed).standard_normal((N, n)))
    params = Params(draw(values(m, n, bound=bound)), draw(values(m, bound=bound)))
    return Problem(params, draw(st.sampled_from(activations)), x, np.zeros_like(x), seed)
