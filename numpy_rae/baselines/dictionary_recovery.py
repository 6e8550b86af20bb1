"""Dictionary recovery: data made of known atoms, and how many of them a learned W has found.

    x_i = sum over j of s_ij d_j + noise eps_i,  s_i non-negative with `active` non-zero entries,  ||d_j|| = 1

An auto-encoder and the sparse coding of Eq. (2) are both told n and m, and neither the atoms nor the sources.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from numpy_rae import _validation
from numpy_rae._validation import Array
from numpy_rae.row_norms import directions, unit_rows


class Mixture(NamedTuple):
    """x (N, n) made of atoms (m, n) of length 1 and sources s (N, m) >= 0."""

    x: Array
    atoms: Array
    s: Array


class Chance(NamedTuple):
    """Mean and standard deviation of the score of rows with random directions."""

    mean: float
    deviation: float


@_validation.tiny_is_zero
def mixture(
    N: int, n: int, m: int, active: int, noise: float, rng: np.random.Generator, dtype: type = np.float32
) -> Mixture:
    """N samples of n features: m atoms of random direction, of which every sample has `active`, any set as likely.

    Sources are uniform in [0.5, 1.5], the noise is Gaussian of standard deviation `noise` in every feature. Raises
    ValueError for a number outside its range.
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
        x = (s @ atoms + noise * rng.standard_normal((N, n))).astype(dtype)
    _validation.no_overflow(f"noise, {noise:g},", x)
    return Mixture(x, atoms.astype(dtype), s.astype(dtype))


@_validation.tiny_is_zero
def found(W: Array, atoms: Array) -> Array:
    """|cosine| of each atom (m, n) with the row of W (k, n) assigned to it, (m,).

    No row serves two atoms, and the assignment is the one with the largest sum; without a row left, and for a row of
    length 0, the cosine counts as 0. Sign, length and order of the rows do not matter. Raises ValueError if the widths
    differ or an entry is not finite.
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
    """The mean of `found`: 1 if W has every atom, and for random rows what `chance` says."""
    return float(found(W, atoms).mean())


@_validation.tiny_is_zero
def chance(atoms: Array, k: int, rng: np.random.Generator, draws: int = 20) -> Chance:
    """The score that k rows of random direction get by luck, over `draws` of them."""
    _validation.matrix("atoms", atoms)
    _validation.integer("k", k)
    _validation.integer("draws", draws)
    _validation.instance("rng", rng, np.random.Generator)
    scores = [score(rng.standard_normal((k, atoms.shape[1])), atoms) for _ in range(draws)]
    return Chance(float(np.mean(scores)), float(np.std(scores)))
