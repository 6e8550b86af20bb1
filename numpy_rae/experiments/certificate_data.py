"""The two small data sets on which the certificates are compared with training.

"digits" are the embedded digits, each 2 x 2 block of pixels averaged (n = 196), standardised as for the figures.
"white" are sums of 4 of 40 random atoms (n = 20), whitened exactly: Assumption 1's second moments hold to rounding.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.baselines import dictionary_recovery
from numpy_rae.data import images
from numpy_rae.data.preprocessing import MNIST_STD_OFFSET, as_rows, standardise, whiten

FEATURES = {"digits": 196, "white": 20}


@lru_cache
def load(data: str, samples: int) -> Array:
    """Make a data set.

    Parameters
    ----------
    data : str
        "digits" or "white".
    samples : int
        Number of samples.

    Returns
    -------
    ndarray, shape (samples, n), float32
        The samples.
    """
    x = _digits(samples) if data == "digits" else _white(samples)
    return x.astype(np.float32)


def _digits(samples: int) -> Array:
    """Return the embedded digits at half their resolution, standardised."""
    pixels = as_rows(images.load_sample()[0][:samples])
    blocks = pixels.reshape(samples, 14, 2, 14, 2).mean(axis=(2, 4))
    return standardise(blocks.reshape(samples, FEATURES["digits"]), MNIST_STD_OFFSET)


def _white(samples: int) -> Array:
    """Return sums of few random atoms, whitened."""
    rng = np.random.default_rng(0)
    x = dictionary_recovery.mixture(samples, FEATURES["white"], 40, 4, 0.05, rng, np.float64).x
    return whiten(x)
