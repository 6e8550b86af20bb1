"""Sparse coding, Eq. (2): J = sum over samples of ||x_i - W^T h_i||^2 + lam ||h_i||_1, no 1/2 and no mean.

This is a baseline for the SAE of Eq. (13). Here the code of each sample is found by optimisation. An
auto-encoder computes its codes. J is minimised in the codes h (`sparse_codes`) and in the dictionary W
(`dictionary_update`) in turn. The rows of W have length 1, because otherwise long rows and short codes would make the
penalty vanish.
"""

from functools import partial
from typing import NamedTuple

import numpy as np

from numpy_rae import _validation
from numpy_rae._validation import Array
from numpy_rae.baselines.dictionary_update import draw_atoms, update_dictionary
from numpy_rae.baselines.sparse_codes import check, encode
from numpy_rae.row_norms import row_len2


class Fit(NamedTuple):
    """Hold a dictionary, its codes, and how the fit proceeded.

    Attributes
    ----------
    W : ndarray, shape (m, n)
        Dictionary.
    h : ndarray, shape (N, m)
        Codes.
    history : tuple of float
        J after the first codes, then after each half-step, for dictionary and codes in turn.
    code_iterations : tuple of int
        Number of iterations of each call of `encode`.
    unconverged : tuple of int
        Number of samples that missed the tolerance in each call of `encode`.
    redrawn : int
        Number of replaced atoms.
    """

    W: Array
    h: Array
    history: tuple[float, ...]
    code_iterations: tuple[int, ...]
    unconverged: tuple[int, ...]
    redrawn: int


@_validation.tiny_is_zero
def sample_objectives(W: Array, h: Array, x: Array, lam: float) -> Array:
    """Compute J_i = ||x_i - W^T h_i||^2 + lam ||h_i||_1 for each sample.

    Parameters
    ----------
    W : ndarray, shape (m, n)
        Dictionary.
    h : ndarray, shape (N, m)
        Codes.
    x : ndarray, shape (N, n)
        Data.
    lam : float
        Coefficient of the L1 norm, positive.

    Returns
    -------
    ndarray, shape (N,)
        The objectives.
    """
    each: Array = row_len2(x - h @ W) + float(lam) * np.abs(h).sum(axis=1)
    return each


@_validation.tiny_is_zero
def objective(W: Array, h: Array, x: Array, lam: float) -> float:
    """Compute Eq. (2): the sum of J_i over samples.

    Parameters
    ----------
    W : ndarray, shape (m, n)
        Dictionary.
    h : ndarray, shape (N, m)
        Codes.
    x : ndarray, shape (N, n)
        Data.
    lam : float
        Coefficient of the L1 norm, positive.

    Returns
    -------
    float
        The objective.
    """
    return float(sample_objectives(W, h, x, lam).sum())


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
    """Minimise Eq. (2) over W and h. The first atoms are samples of x.

    Parameters
    ----------
    x : ndarray, shape (N, n)
        Data.
    m : int
        Number of atoms.
    lam : float
        Coefficient of the L1 norm, positive.
    rng : numpy.random.Generator
        Source of the atoms.
    iterations : int
        Number of updates of the dictionary, each followed by an update of the codes.
    non_negative : bool
        Whether codes must be at least 0.
    tol, max_iterations : float, int
        Passed to `encode`.

    Returns
    -------
    Fit
        Dictionary, codes and history.

    Raises
    ------
    ValueError
        Before any work, if an argument is outside its range.
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
