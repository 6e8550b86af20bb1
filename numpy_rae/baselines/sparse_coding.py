"""Sparse coding, Eq. (2): J = sum over samples of ||x_i - W^T h_i||^2 + lam ||h_i||_1, no 1/2 and no mean.

What the SAE of Eq. (13) is compared with: here every sample has a code of its own, found by optimisation, where an
auto-encoder computes it. J is minimised in the codes h and in the dictionary W by turns; the rows of W have length 1,
for otherwise long rows and short codes would make the penalty vanish.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.linalg import eigvalsh

from numpy_rae import _validation
from numpy_rae._validation import Array
from numpy_rae.row_norms import directions, row_len2


class Codes(NamedTuple):
    """h (N, m); gap (N,) bounds J_i above its minimum; iterations made; how many samples missed the tolerance."""

    h: Array
    gap: Array
    iterations: int
    unconverged: int


class Fit(NamedTuple):
    """Dictionary W (m, n), codes h (N, m), and how they were reached.

    `history` holds J after the first codes, then after each dictionary and each codes half-step by turns. For each
    call of `encode`, `code_iterations` and `unconverged` say what `Codes` says; `redrawn` counts replaced atoms.
    """

    W: Array
    h: Array
    history: tuple[float, ...]
    code_iterations: tuple[int, ...]
    unconverged: tuple[int, ...]
    redrawn: int


@_validation.tiny_is_zero
def sample_objectives(W: Array, h: Array, x: Array, lam: float) -> Array:
    """J_i = ||x_i - W^T h_i||^2 + lam ||h_i||_1 for every sample, (N,)."""
    return row_len2(x - h @ W) + float(lam) * np.abs(h).sum(axis=1)


@_validation.tiny_is_zero
def objective(W: Array, h: Array, x: Array, lam: float) -> float:
    """Eq. (2): the sum of J_i over samples."""
    return float(sample_objectives(W, h, x, lam).sum())


@_validation.tiny_is_zero
def encode(
    W: Array,
    x: Array,
    lam: float,
    non_negative: bool = False,
    tol: float = 1e-5,
    max_iterations: int = 1000,
    start: Array | None = None,
) -> Codes:
    """Codes h (N, m) of x (N, n) minimising Eq. (2) for fixed W: FISTA (Beck & Teboulle 2009), all samples at once.

        (a) c    = (x - h W) W^T = a - h G,  a = x W^T,  G = W W^T        (N, m)
        (b) d||x_i - W^T h_i||^2 / dh = -2 c,  with Lipschitz constant L = 2 (largest eigenvalue of G)
        (c) h    <- shrink(z + 2 c(z) / L, lam / L)
        (d) t    <- (1 + sqrt(1 + 4 t^2)) / 2,  z <- h + beta (h - h_old),  beta = (t_old - 1) / t
        (e) c(z) = c + beta (c - c_old), as c is affine in h: one matrix product an iteration

    A sample whose momentum points uphill starts again at t = 1 (O'Donoghue & Candes 2015). While beta <= 1, (c) never
    increases J_i + (L / 2) ||h - h_old||^2, so no J_i ends above its value at `start` (zeros if None). Ends when every
    gap is at most tol ||x_i||^2, or after `max_iterations`: the result tells. float32 cannot go far below tol = 1e-5.
    Raises ValueError if an argument does not fit, or a row of W has not length 1.
    """
    check(x, lam, tol, max_iterations)
    check_dictionary(W, x)
    h = check_start(start, (len(x), len(W)), x.dtype, non_negative)
    lam, x2, a, G = float(lam), row_len2(x), x @ W.T, W @ W.T
    L = 2 * float(eigvalsh(G, subset_by_index=(len(G) - 1, len(G) - 1))[0])  # (b)
    c = a - h @ G  # (a) (N, m)
    z, c_z, t = h, c, np.ones((len(x), 1), x.dtype)
    for iterations in range(max_iterations + 1):
        gap = duality_gap(h, c, a, x2, lam, non_negative)
        if iterations == max_iterations or (gap <= tol * x2).all():
            break
        h_old, c_old, t_old = h, c, t
        h = shrink(z + c_z * (2 / L), lam / L, non_negative)  # (c) (N, m)
        c = a - h @ G  # (a) (N, m)
        uphill = ((z - h) * (h - h_old)).sum(axis=1, keepdims=True) > 0  # (N, 1)
        t = np.where(uphill, 1, (1 + np.sqrt(1 + 4 * t_old**2)) / 2).astype(x.dtype)  # (d) (N, 1)
        beta = np.where(uphill, 0, (t_old - 1) / t).astype(x.dtype)  # (d) (N, 1)
        z, c_z = h + beta * (h - h_old), c + beta * (c - c_old)  # (d) (e) (N, m)
    return Codes(h, gap, iterations, int((gap > tol * x2).sum()))


@_validation.tiny_is_zero
def shrink(v: Array, threshold: float, non_negative: bool = False) -> Array:
    """argmin over h of (h - v)^2 / 2 + threshold |h|, entry by entry, with h >= 0 if asked."""
    return np.maximum(v - threshold, 0) if non_negative else v - v.clip(-threshold, threshold)


@_validation.tiny_is_zero
def duality_gap(h, c, a, x2, lam: float, non_negative: bool) -> Array:
    """How far J_i(h) can be above its minimum, (N,); with c = W r and a = W x (N, m), x2 = ||x_i||^2 (N,).

    ||r||^2 = max over u of 2 u.r - ||u||^2, so the dual is max 2 u.x - ||u||^2 where |2 W_j u| <= lam for all j
    (2 W_j u <= lam if h >= 0). The point u = s r is feasible for

        (a) s   = lam / max(lam, 2 max_j |c_j|)                                       (N,)
        (b) gap = J_i - 2 s r.x + s^2 ||r||^2 = (1 - s)^2 ||r||^2 + sum_j (lam |h_j| - 2 s h_j c_j)

    by x = r + W^T h. Every term of (b) is at least 0: nothing cancels near the optimum.
    """
    steepest = (c if non_negative else np.abs(c)).max(axis=1)
    s = lam / np.maximum(2 * steepest, lam)  # (a) (N,)
    r2 = x2 - (h * (a + c)).sum(axis=1)  # (N,)
    return (1 - s) ** 2 * r2 + (lam * np.abs(h) - 2 * s[:, None] * h * c).sum(axis=1)  # (b) (N,)


@_validation.tiny_is_zero
def update_dictionary(W: Array, h: Array, x: Array, rng: np.random.Generator) -> tuple[Array, int]:
    """One sweep over the atoms for fixed h: the new W (m, n), and how many unused atoms were drawn anew from x.

    With the other rows fixed and E = x - sum over l != j of h_l W_l, the best row of length 1 is exact:

        (a) ||E - h_j W_j||^2 = ||E||^2 - 2 W_j . (E^T h_j) + ||h_j||^2           as ||W_j|| = 1
        (b) W_j = u / ||u||,  u = E^T h_j = B_j - A_j W + A_jj W_j,  A = h^T h,  B = h^T x

    so J cannot increase. It does not see an atom that no sample uses, which may hence be replaced.
    """
    W, A, B = W.copy(), h.T @ h, h.T @ x  # (b) (m, n), (m, m), (m, n)
    for j in np.flatnonzero(A.diagonal()):
        u = B[j] - A[j] @ W + A[j, j] * W[j]  # (b) (n,)
        if u.any():
            W[j] = directions(u[None])
    unused = np.flatnonzero(A.diagonal() == 0)
    if len(unused):
        W[unused] = draw_atoms(x, len(unused), rng)
    return W, len(unused)


@_validation.tiny_is_zero
def draw_atoms(x: Array, count: int, rng: np.random.Generator) -> Array:
    """`count` non-zero samples of x scaled to length 1, (count, n); different ones as long as there are enough."""
    drawable = np.flatnonzero(x.any(axis=1))
    if not len(drawable):
        raise ValueError("x is 0 everywhere; atoms are drawn from its samples, so one must be non-zero")
    return directions(x[rng.choice(drawable, count, replace=count > len(drawable))])


@_validation.tiny_is_zero
def fit(
    x: Array,
    m: int,
    lam: float,
    rng: np.random.Generator,
    iterations: int = 50,
    non_negative: bool = False,
    tol: float = 1e-5,
    max_iterations: int = 1000,
) -> Fit:
    """Minimise Eq. (2) over W and h for x (N, n): atoms drawn from x, then `iterations` times dictionary and codes.

    `tol` and `max_iterations` are those of `encode`. Raises ValueError before any work for a value outside its range.
    """
    _validation.integer("m", m)
    _validation.integer("iterations", iterations, low=0)
    check(x, lam, tol, max_iterations)
    _validation.instance("rng", rng, np.random.Generator)
    code = partial(encode, x=x, lam=lam, non_negative=non_negative, tol=tol, max_iterations=max_iterations)
    W, redrawn = draw_atoms(x, m, rng), 0
    h, _, made, missed = code(W)
    history, code_iterations, unconverged = [objective(W, h, x, lam)], [made], [missed]
    for _ in range(iterations):
        W, unused = update_dictionary(W, h, x, rng)
        history.append(objective(W, h, x, lam))
        h, _, made, missed = code(W, start=h)
        history.append(objective(W, h, x, lam))
        code_iterations.append(made)
        unconverged.append(missed)
        redrawn += unused
    return Fit(W, h, tuple(history), tuple(code_iterations), tuple(unconverged), redrawn)


@_validation.tiny_is_zero
def check(x: Array, lam: float, tol: float, max_iterations: int) -> None:
    """Raise ValueError unless x is a finite matrix, lam > 0 in x's precision, tol in [0, 1] and max_iterations >= 1."""
    _validation.matrix("x", x, squares=True)
    lam_range = np.finfo(x.dtype)
    _validation.number("lam", lam, float(lam_range.tiny), float(lam_range.max) ** 0.5)
    _validation.number("tol", tol, high=1)
    _validation.integer("max_iterations", max_iterations)


@_validation.tiny_is_zero
def check_dictionary(W: Array, x: Array) -> None:
    """Raise ValueError unless W is a finite (m, n) array of x's dtype with rows of length 1."""
    _validation.matrix("W", W, columns=x.shape[1])
    _validation.like("W", W, W.shape, x.dtype)
    length = np.sqrt(row_len2(W))
    off = np.abs(length - 1).argmax()
    if abs(length[off] - 1) > np.finfo(W.dtype).eps ** 0.5:
        raise ValueError(f"W has a row of length {length[off]:g}; every row must have length 1")


@_validation.tiny_is_zero
def check_start(start: Array | None, shape: tuple[int, int], dtype: np.dtype, non_negative: bool) -> Array:
    """`start`, or zeros if None; raise ValueError unless it fits shape, dtype and sign."""
    if start is None:
        return np.zeros(shape, dtype)
    _validation.like("start", start, shape, dtype)
    if non_negative and start.min() < 0:
        raise ValueError(f"start has the entry {start.min():g}; with non_negative it must be at least 0 everywhere")
    return _validation.matrix("start", start, squares=True)
