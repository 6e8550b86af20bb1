"""The small data sets on which the certificates are compared with training.

"digits" are the embedded digits, each 2 x 2 block of pixels averaged (n = 196), standardised as for the figures.
"coarse digits" are the same with 4 x 4 blocks (n = 49).
"white" are sums of 4 of 40 random atoms (n = 20), whitened exactly: Assumption 1's second moments hold to rounding.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.baselines import dictionary_recovery
from numpy_rae.data import images
from numpy_rae.data.preprocessing import MNIST_STD_OFFSET, as_rows, standardise, whiten

FEATURES = {"digits": 196, "coarse digits": 49, "white": 20}
BLOCK = {"digits": 2, "coarse digits": 4}


@lru_cache
def load(data: str, samples: int) -> Array:
    """Make a data set.

    Parameters
    ----------
    data : str
        A name in FEATURES.
    samples : int
        Number of samples.

    Returns
    -------
    ndarray, shape (samples, n), float32
        The samples.
    """
    x = _digits(samples, BLOCK[data]) if data in BLOCK else _white(samples)
    return x.astype(np.float32)


def _digits(samples: int, block: int) -> Array:
    """Return the embedded digits with each block of block x block pixels averaged, standardised."""
    pixels = as_rows(images.load_sample()[0][:samples])
    side = 28 // block
    blocks = pixels.reshape(samples, side, block, side, block).mean(axis=(2, 4))
    return standardise(blocks.reshape(samples, side * side), MNIST_STD_OFFSET)


def _white(samples: int) -> Array:
    """Return sums of few random atoms, whitened."""
    rng = np.random.default_rng(0)
    x = dictionary_recovery.mixture(samples, FEATURES["white"], 40, 4, 0.05, rng, np.float64).x
    return whiten(x)
