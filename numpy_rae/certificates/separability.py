"""Test numerically whether a penalty treats every unit on every sample alike and on its own.

    (a) G_ij = N dR/da_ij, including the path through the reconstruction: N (dR/da + (dR/dy W^T) * h')     (N, m)
    (b) two random batches agree in one pre-activation a_ij and in the length of W_j, and differ in everything else:
        in the direction of W_j, in i and j, in the other units and samples, and in the source of noise
    (c) R is separable if G_ij is the same in both batches, for each of PAIRS such pairs

If R is separable, dR/db_e_j = E[g(a_j, ||W_j||)] with one function g, and the sign of g decides. (c) is a test on
random points. It can miss a dependence that is smaller than TOLERANCE or that these points do not reach.
"""

from dataclasses import dataclass

import numpy as np

from numpy_rae import _contracts
from numpy_rae._validation import Array
from numpy_rae.activations import Activation
from numpy_rae.autoencoder import Params, PenaltyGrad, forward, times_rows
from numpy_rae.certificates.conditions import Witness
from numpy_rae.penalties import Penalty

PAIRS = 200
SHAPE = (3, 4, 5)  # units, inputs, samples
TOLERANCE = 1e-9
STEP = 8  # all numbers are multiples of 1 / STEP, so that a and the row lengths are exact


@dataclass(frozen=True)
class Separability:
    """Hold the result of the test.

    Attributes
    ----------
    witness : Witness or None
        The change of G_ij between two batches with the same a_ij and ||W_j||. None if the penalty is separable.
    through_lengths : bool
        Whether R depends on W only through the pre-activations and the row lengths.
    """

    witness: Witness | None
    through_lengths: bool

    @property
    def holds(self) -> bool:
        """Return whether the penalty is separable.

        Returns
        -------
        bool
            True if there is no witness.
        """
        return self.witness is None


def total_derivative(
    penalty: Penalty, params: Params, activation: Activation, x: Array, rng: np.random.Generator
) -> tuple[Array, Array, PenaltyGrad]:
    """Evaluate step (a).

    Parameters
    ----------
    penalty : Penalty
        The penalty.
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    activation : Activation
        Encoder activation.
    x : ndarray, shape (N, n)
        Samples.
    rng : numpy.random.Generator
        Source of noise, for a penalty that needs one.

    Returns
    -------
    a : ndarray, shape (N, m)
        The pre-activations.
    G : ndarray, shape (N, m)
        The derivatives. Their means over the samples are dR/db_e.
    grad : PenaltyGrad
        What the penalty returned.
    """
    fwd = forward(params, activation, x, penalty.order)
    _, grad = _contracts.first_penalty_call(penalty, params, activation, fwd, rng)
    G = np.zeros_like(fwd.a) if grad.dR_da is None else grad.dR_da
    if grad.dR_dy is not None:
        G = G + times_rows(params.W, grad.dR_dy) * fwd.jet.dh_da
    return fwd.a, len(x) * G, grad


def check_separability(activation: Activation, penalty: Penalty, seed: int = 0) -> Separability:
    """Evaluate step (c).

    Parameters
    ----------
    activation : Activation
        Encoder activation.
    penalty : Penalty
        The penalty.
    seed : int
        Seed of the random batches.

    Returns
    -------
    Separability
        The result, with the largest change as the witness.
    """
    rng = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        rows = [_compare(activation, penalty, rng) for _ in range(PAIRS)]
    a, one, other, through = (np.array(column) for column in zip(*rows, strict=True))
    i, change = _largest_change(one, other)
    witness = Witness("change of N dR/da", change, float(a[i])) if change else None
    return Separability(witness, bool(through.all()))


def _largest_change(one: Array, other: Array) -> tuple[int, float]:
    """Return the pair of (b) with the change of G_ij that is largest beside its size, and this change.

    The change is 0 if no pair exceeds rounding. Pairs that overflow are left out.
    """
    finite = np.isfinite(one) & np.isfinite(other)
    one, other = np.where(finite, one, 0), np.where(finite, other, 0)
    size = np.maximum(np.abs(one), np.abs(other))
    slack = TOLERANCE * (size + 1e-3 * np.median(size)) + np.finfo(float).tiny
    excess = np.abs(other - one) / slack
    i = int(excess.argmax())
    return i, float(other[i] - one[i]) if excess[i] > 1 else 0.0


def _compare(activation: Activation, penalty: Penalty, rng: np.random.Generator) -> tuple[float, float, float, bool]:
    """Return a_ij, G_ij in both batches of (b), and whether R acts on W only through a and the row lengths."""
    (first, i, j), (second, k, u) = (_draw(rng) for _ in range(2))
    (W, b_e), x = first
    (W_2, b_2), x_2 = second
    W_2[u] = rng.permutation(W[j]) * rng.choice([-1, 1], len(W[j]))
    b_2[u] = x[i] @ W[j] + b_e[j] - x_2[k] @ W_2[u]
    a, G, grad = total_derivative(penalty, Params(W, b_e), activation, x, rng)
    _, G_2, _ = total_derivative(penalty, Params(W_2, b_2), activation, x_2, rng)
    through = grad.dR_dy is None and not grad.factors and grad.dR_dW is None
    return float(a[i, j]), float(G[i, j]), float(G_2[k, u]), through


def _draw(rng: np.random.Generator) -> tuple[tuple[Params, Array], int, int]:
    """Return random parameters and samples, with a sample i and a unit j."""
    m, n, N = SHAPE
    W, b_e, x = (rng.integers(-2 * STEP, 2 * STEP + 1, size) / STEP for size in ((m, n), m, (N, n)))
    return (Params(W, b_e), x), int(rng.integers(N)), int(rng.integers(m))
