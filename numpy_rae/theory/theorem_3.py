"""Theorem 3: the denoising loss of Eq. (6) in expectation, by quadrature."""

import math

import numpy as np

from numpy_rae import _validation
from numpy_rae.activations import Activation
from numpy_rae.autoencoder import Params, forward, reconstruction
from numpy_rae.theory.theorem_1 import check_inputs

MOST_POINTS = 10**6


@_validation.tiny_is_zero
def expected_denoising(
    params: Params, activation: Activation, x: np.ndarray, sigma: float, nodes: int = 8
) -> float:
    """Eq. (6) in expectation over the noise, by Gauss-Hermite quadrature with `nodes` points in each input dimension.

    Exact for polynomials of degree 2 nodes - 1. Raises ValueError for more than MOST_POINTS = nodes^n points, and if
    the loss overflows.
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
