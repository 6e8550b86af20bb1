"""One update of the dictionary of sparse coding for fixed codes, atom by atom."""

import numpy as np

from numpy_rae import _validation
from numpy_rae._validation import Array
from numpy_rae.row_norms import directions


@_validation.tiny_is_zero
def update_dictionary(W: Array, h: Array, x: Array, rng: np.random.Generator) -> tuple[Array, int]:
    """Update each atom once for fixed codes.

    Parameters
    ----------
    W : ndarray, shape (m, n)
        Dictionary.
    h : ndarray, shape (N, m)
        Codes.
    x : ndarray, shape (N, n)
        Data.
    rng : numpy.random.Generator
        Source of new atoms.

    Returns
    -------
    W : ndarray, shape (m, n)
        The new dictionary.
    redrawn : int
        Number of unused atoms that were replaced by samples.

    Raises
    ------
    ValueError
        If an atom must be replaced and x is 0 everywhere.

    Notes
    -----
    With the other rows fixed and E = x - sum over l != j of h_l W_l, the best row of length 1 is exact:

        (a) ||E - h_j W_j||^2 = ||E||^2 - 2 W_j . (E^T h_j) + ||h_j||^2           as ||W_j|| = 1
        (b) W_j = u / ||u||,  u = E^T h_j = B_j - A_j W + A_jj W_j,  A = h^T h,  B = h^T x

    so J cannot increase. J does not depend on an atom that no sample uses, so such an atom can be replaced.
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
    """Draw non-zero samples of x and scale them to length 1.

    Parameters
    ----------
    x : ndarray, shape (N, n)
        Data.
    count : int
        Number of atoms.
    rng : numpy.random.Generator
        Source of the choice.

    Returns
    -------
    ndarray, shape (count, n)
        The atoms. They are different samples if there are enough.

    Raises
    ------
    ValueError
        If x is 0 everywhere.
    """
    drawable = np.flatnonzero(x.any(axis=1))
    if not len(drawable):
        raise ValueError("x is 0 everywhere; atoms are drawn from its samples, so one must be non-zero")
    return directions(x[rng.choice(drawable, count, replace=count > len(drawable))])
