"""Theorem 3: compute the expectation of the denoising loss, Eq. (6), by quadrature."""

import math

import numpy as np

from numpy_rae import _validation
from numpy_rae._validation import Array
from numpy_rae.activations import Activation
from numpy_rae.autoencoder import Params, forward, reconstruction
from numpy_rae.theory.theorem_1 import check_inputs

MOST_POINTS = 10**6


@_validation.tiny_is_zero
def expected_denoising(params: Params, activation: Activation, x: Array, sigma: float, nodes: int = 8) -> float:
    """Compute the expectation of Eq. (6) over the noise, by Gauss-Hermite quadrature.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    activation : Activation
        Encoder activation.
    x : ndarray, shape (N, n)
        Data, of the dtype of W.
    sigma : float
        Standard deviation of the noise.
    nodes : int
        Number of points in each input dimension, at most 300. The result is exact for polynomials of degree 2 nodes -
        1.

    Returns
    -------
    float
        The expected loss.

    Raises
    ------
    ValueError
        If nodes^n is above MOST_POINTS, an argument is outside its range, or the loss overflows.
    """
    check_inputs(params, activation, x)
    _validation.number("sigma", sigma)
    _validation.number("nodes", _validation.integer("nodes", nodes), 1, 300)
    if x.shape[1] * math.log(nodes) > math.log(MOST_POINTS):
        raise ValueError(f"x has {x.shape[1]} columns; {nodes} nodes in each must be at most {MOST_POINTS:,} points")
    z, weight = np.polynomial.hermite_e.hermegauss(nodes)
    weight /= weight.sum()
    total = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for corner in np.ndindex((nodes,) * x.shape[1]):
            noise = (sigma * z[list(corner)]).astype(x.dtype)
            y = forward(params, activation, x + noise).y
            total += weight[list(corner)].prod() * reconstruction(y, x)[0]
    _validation.no_overflow("x, sigma or params", total)
    return float(total)
