"""Variants of DAE that differ only in the noise. They show the cause of DAE's sparsity (Sec. 3.1.1)."""

from dataclasses import dataclass

import numpy as np

from numpy_rae import _validation
from numpy_rae._validation import Array
from numpy_rae.activations import Activation
from numpy_rae.autoencoder import Gradient, Params
from numpy_rae.dae_noise.smoothed_relu import expected_dae, expected_dae_with_covariances, smoothed_mdae
from numpy_rae.objectives import Objective, ae, corruption, denoising


@_validation.tiny_is_zero
def antithetic(
    params: Params, activation: Activation, x: Array, sigma2: float = 0.0, rng: np.random.Generator | None = None
) -> tuple[float, Gradient]:
    """Compute Eq. (6) with x + eps and x - eps for each sample. The first-order Taylor term cancels exactly.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    activation : Activation
        Encoder activation.
    x : ndarray, shape (N, n)
        Batch, of the dtype of W.
    sigma2 : float
        Variance of the noise.
    rng : numpy.random.Generator, optional
        Source of the noise. Required if `sigma2` is positive.

    Returns
    -------
    loss : float
        The value of the objective.
    gradient : Gradient
        Its gradient with respect to W and b_e.

    Raises
    ------
    ValueError
        If x does not fit W, or if `sigma2` is positive and `rng` is None.
    """
    if sigma2 == 0:
        return ae(params, activation, x)
    eps = corruption(x, sigma2, rng, "antithetic")
    return denoising(params, activation, np.concatenate([x, x]), np.concatenate([x + eps, x - eps]))


@dataclass(frozen=True)
class Copies:
    """Compute Eq. (6) with K independently corrupted copies of each sample.

    The variance of the first-order Taylor term is then proportional to 1 / K.

    Attributes
    ----------
    K : int
        Number of copies, at least 1.

    Raises
    ------
    ValueError
        If K is not a whole number of at least 1.
    """

    K: int

    def __post_init__(self) -> None:
        _validation.integer("K", self.K)

    def __call__(
        self,
        params: Params,
        activation: Activation,
        x: Array,
        sigma2: float = 0.0,
        rng: np.random.Generator | None = None,
    ) -> tuple[float, Gradient]:
        if sigma2 == 0:
            return ae(params, activation, x)
        repeated = np.concatenate([x] * self.K)
        return denoising(params, activation, repeated, repeated + corruption(repeated, sigma2, rng, f"{self.K}-copies"))


NOISE_OBJECTIVES = {
    model.name: model
    for model in (
        Objective("antithetic", antithetic),
        Objective("2-copies", Copies(2)),
        Objective("8-copies", Copies(8)),
        Objective("32-copies", Copies(32)),
        Objective("smoothed-mDAE", smoothed_mdae),
        Objective("expected-DAE", expected_dae),
        Objective("expected-DAE+cov", expected_dae_with_covariances),
    )
}
