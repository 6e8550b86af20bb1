"""Dictionary recovery: make data from known atoms, and measure how well the rows of a learned W match them.

    x_i = sum over j of s_ij d_j + noise eps_i,  s_i non-negative with `active` non-zero entries,  ||d_j|| = 1

The auto-encoder and the sparse coding of Eq. (2) know n and m. They do not know the atoms d_j and the sources s_ij.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike
from scipy.optimize import linear_sum_assignment

from numpy_rae import _validation
from numpy_rae._validation import Array
from numpy_rae.row_norms import directions, unit_rows


class Mixture(NamedTuple):
    """Hold data made from atoms.

    Attributes
    ----------
    x : ndarray, shape (N, n)
        The samples.
    atoms : ndarray, shape (m, n)
        The atoms, of length 1.
    s : ndarray, shape (N, m)
        The sources, at least 0.
    """

    x: Array
    atoms: Array
    s: Array


class Chance(NamedTuple):
    """Hold the mean and the standard deviation of the score for rows with random directions.

    Attributes
    ----------
    mean : float
        Mean.
    deviation : float
        Standard deviation.
    """

    mean: float
    deviation: float


@_validation.tiny_is_zero
def mixture(
    N: int, n: int, m: int, active: int, noise: float, rng: np.random.Generator, dtype: DTypeLike = np.float32
) -> Mixture:
    """Draw samples from m atoms with random directions.

    Each sample uses `active` atoms. All sets of this size have the same probability.

    Parameters
    ----------
    N : int
        Number of samples.
    n : int
        Number of features.
    m : int
        Number of atoms.
    active : int
        Number of atoms per sample, at most m. Their sources are uniform in [0.5, 1.5].
    noise : float
        Standard deviation of the Gaussian noise in each feature.
    rng : numpy.random.Generator
        Source of all draws.
    dtype : type
        The dtype of the result, float32 or float64.

    Returns
    -------
    Mixture
        Samples, atoms and sources.

    Raises
    ------
    ValueError
        If a number is outside its range.
    """
    for name, value in (("N", N), ("n", n), ("m", m), ("active", active)):
        _validation.integer(name, value)
    _validation.number("active", active, 1, m)
    _validation.number("noise", noise)
    _validation.instance("rng", rng, np.random.Generator)
    dtype = _validation.float_type("dtype", dtype)
    atoms = rng.standard_normal((m, n))
    unit_rows(atoms)
    chosen = rng.permuted(np.tile(np.arange(m) < active, (N, 1)), axis=1)  # (N, m)
    s = chosen * rng.uniform(0.5, 1.5, (N, m))
    with np.errstate(over="ignore"):
        x: Array = (s @ atoms + noise * rng.standard_normal((N, n))).astype(dtype)
    _validation.no_overflow(f"noise, {noise:g},", x)
    return Mixture(x, atoms.astype(dtype), s.astype(dtype))


@_validation.tiny_is_zero
def found(W: Array, atoms: Array) -> Array:
    """Compute |cosine| of each atom with the row of W that is assigned to it.

    Each row is assigned to at most one atom, and the assignment is the one with the largest sum of |cosine|. Sign,
    length and order of the rows have no effect.

    Parameters
    ----------
    W : ndarray, shape (k, n)
        Learned rows.
    atoms : ndarray, shape (m, n)
        The atoms.

    Returns
    -------
    ndarray, shape (m,)
        The absolute cosines. The value is 0 for an atom without a row, or with a row of length 0.

    Raises
    ------
    ValueError
        If the widths differ or an entry is not finite.
    """
    _validation.matrix("atoms", atoms)
    _validation.matrix("W", W, columns=atoms.shape[1])
    cosine = np.minimum(np.abs(directions(atoms) @ directions(W).T), 1)  # (m, k)
    atom, row = linear_sum_assignment(cosine, maximize=True)
    best = np.zeros(len(atoms))
    best[atom] = cosine[atom, row]
    return best


@_validation.tiny_is_zero
def score(W: Array, atoms: Array) -> float:
    """Compute the mean of `found`.

    Parameters
    ----------
    W : ndarray, shape (k, n)
        Learned rows.
    atoms : ndarray, shape (m, n)
        The atoms.

    Returns
    -------
    float
        The score. It is 1 if W contains every atom. `chance` gives the score of random rows.
    """
    return float(found(W, atoms).mean())


@_validation.tiny_is_zero
def chance(atoms: Array, k: int, rng: np.random.Generator, draws: int = 20) -> Chance:
    """Compute the score of rows with random directions.

    Parameters
    ----------
    atoms : ndarray, shape (m, n)
        The atoms.
    k : int
        Number of rows.
    rng : numpy.random.Generator
        Source of the rows.
    draws : int
        Number of repetitions.

    Returns
    -------
    Chance
        Mean and standard deviation over the repetitions.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """
    _validation.matrix("atoms", atoms)
    _validation.integer("k", k)
    _validation.integer("draws", draws)
    _validation.instance("rng", rng, np.random.Generator)
    scores = [score(rng.standard_normal((k, atoms.shape[1])), atoms) for _ in range(draws)]
    return Chance(float(np.mean(scores)), float(np.std(scores)))
