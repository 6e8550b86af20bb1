"""Two consequences of Stein's lemma, E[z f(z)] = E[f'(z)] for standard normal z, for tied weights.

The decoder is y = W^T h, so the Jacobian of the whole auto-encoder is dy/dx = sum_j h'_j W_j^T W_j, and its trace is
sum_j h'_j ||W_j||^2. For ReLU h' is 0 or 1, so h' = h'^2, and the trace is CAE's penalty, Eq. (9), of one sample.

- `denoising_sides`: DAE is an auto-encoder of the corrupted inputs plus CAE's penalty on them (Eq. (6) and Eq. (9)).
- `level_sides`: on Gaussian inputs the average activation fraction, Eq. (14), is fixed by the reconstruction.

Both return one value per sample, so that you can compute means and standard errors.
"""

from typing import NamedTuple

import numpy as np

from numpy_rae import _validation
from numpy_rae._validation import Array
from numpy_rae.activations import Activation
from numpy_rae.autoencoder import Params, forward
from numpy_rae.row_norms import row_len2


class DenoisingSides(NamedTuple):
    """Hold the two sides of the identity for DAE, one value per sample. Their means over the noise are equal.

    Attributes
    ----------
    denoising : ndarray, shape (N,)
        ||x - y(x_tilde)||^2.
    corrupted : ndarray, shape (N,)
        ||x_tilde - y(x_tilde)||^2 - n sigma2.
    trace : ndarray, shape (N,)
        Trace of dy/dx at x_tilde.
    """

    denoising: Array
    corrupted: Array
    trace: Array

    def right(self, sigma2: float) -> Array:
        """Return the right side, corrupted + 2 sigma2 trace.

        Parameters
        ----------
        sigma2 : float
            Variance of the noise.

        Returns
        -------
        ndarray, shape (N,)
            The right side per sample.
        """
        return self.corrupted + 2 * float(sigma2) * self.trace


class LevelSides(NamedTuple):
    """Hold the parts of the identity for the activation level, one value per sample.

    The mean of slopes equals the mean of products, which is rank(S) minus the mean of remainder.

    Attributes
    ----------
    slopes : ndarray, shape (N,)
        Trace of dy/dx within the range of the covariance S.
    products : ndarray, shape (N,)
        x . S^+ y.
    remainder : ndarray, shape (N,)
        x . S^+ (x - y).
    """

    slopes: Array
    products: Array
    remainder: Array


def denoising_sides(params: Params, activation: Activation, x: Array, eps: Array, sigma2: float) -> DenoisingSides:
    """Evaluate both sides of Stein's identity for DAE at x_tilde = x + eps.

    E ||x - y(x_tilde)||^2 = E ||x_tilde - y(x_tilde)||^2 - n sigma2 + 2 sigma2 E tr(dy/dx at x_tilde), where E is the
    mean over the noise at any fixed x.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    activation : Activation
        Encoder activation. It must be continuous; its slope may have jumps.
    x, eps : ndarray, shape (N, n)
        Clean samples and the noise, both of the dtype of W.
    sigma2 : float
        Variance of each entry of the noise.

    Returns
    -------
    DenoisingSides
        Three arrays of shape (N,).

    Raises
    ------
    ValueError
        If an argument does not fit W or is not finite, or if the result overflows.
    """
    _check(params, activation, x)
    _validation.matrix("eps", _validation.like("eps", eps, x.shape, x.dtype))
    _validation.number("sigma2", sigma2)
    with np.errstate(over="ignore", invalid="ignore"):
        fwd = forward(params, activation, x + eps)
        denoising = np.square(x - fwd.y).sum(axis=1)
        corrupted = np.square(fwd.x - fwd.y).sum(axis=1) - x.shape[1] * float(sigma2)
        sides = DenoisingSides(denoising, corrupted, fwd.jet.dh_da @ row_len2(params.W))
        _validation.no_overflow("x, eps, sigma2 or params", *sides, sides.right(sigma2))
    return sides


def level_sides(params: Params, activation: Activation, x: Array, S: Array | None = None) -> LevelSides:
    """Evaluate the parts of the identity for the activation level on samples x of N(0, S).

    E tr(dy/dx) = tr(S^+ E[x y^T]) = rank(S) - E[x . S^+ (x - y)]. For ReLU on unit rows in the range of S the left side
    is m times the activation fraction, Eq. (14).

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    activation : Activation
        Encoder activation. It must be continuous; its slope may have jumps.
    x : ndarray, shape (N, n)
        Samples with mean 0, of the dtype of W.
    S : ndarray, shape (n, n), optional
        Covariance of the samples, of the dtype of W. It may be singular. The default is the identity.

    Returns
    -------
    LevelSides
        Three arrays of shape (N,).

    Raises
    ------
    ValueError
        If an argument does not fit W, if S is not symmetric, or if the result overflows.
    """
    _check(params, activation, x)
    with np.errstate(over="ignore", invalid="ignore"):
        inverse, projector = (None, None) if S is None else _inverse(S, x)
        fwd = forward(params, activation, x)
        weighted = x if S is None else x @ inverse
        len2 = row_len2(params.W if S is None else params.W @ projector)
        products = (weighted * fwd.y).sum(axis=1)
        sides = LevelSides(fwd.jet.dh_da @ len2, products, (weighted * x).sum(axis=1) - products)
        _validation.no_overflow("x, S or params", *sides)
    return sides


def _check(params: Params, activation: Activation, x: Array) -> None:
    """Raise ValueError unless params and x are finite and fit each other."""
    _validation.encoder(params)
    _validation.instance("activation", activation, Activation)
    _validation.matrix("x", _validation.batch("x", x, params.W.shape[1], params.W.dtype))


def _inverse(S: Array, x: Array) -> tuple[Array, Array]:
    """Return the pseudo-inverse of S and the projector on its range, both (n, n) in the dtype of x."""
    n = x.shape[1]
    _validation.matrix("S", _validation.like("S", S, (n, n), x.dtype), squares=True)
    if not np.allclose(S, S.T):
        raise ValueError("S is not symmetric; it must be a covariance matrix")
    values, vectors = np.linalg.eigh(S.astype(np.float64))
    kept = values > values.max() * n * np.finfo(x.dtype).eps
    basis = vectors[:, kept]
    return ((basis / values[kept]) @ basis.T).astype(x.dtype), (basis @ basis.T).astype(x.dtype)
