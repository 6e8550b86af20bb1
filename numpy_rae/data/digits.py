"""The embedded digits, ready for training."""

import numpy as np
from numpy.typing import NDArray

from numpy_rae.data.prepared import DataSpec, build
from numpy_rae.data.preprocessing import MNIST_STD_OFFSET


def load_digits(count: int = 5000) -> NDArray[np.float32]:
    """Return the embedded MNIST digits, standardised per feature.

    Parameters
    ----------
    count : int
        Number of digits, from 1 to 5,000.

    Returns
    -------
    ndarray, shape (count, 784), float32
        Pixels in [0, 1], minus their mean, divided by their standard deviation + 0.1 (Fn. 2).

    Raises
    ------
    ValueError
        If `count` is out of range.
    """
    return build(DataSpec("digits", count, MNIST_STD_OFFSET))
