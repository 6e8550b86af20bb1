"""Load the embedded digits, ready for training."""

from numpy_rae._validation import Array
from numpy_rae.data.data_matrix import build
from numpy_rae.data.data_spec import DataSpec
from numpy_rae.data.preprocessing import MNIST_STD_OFFSET


def load_digits(count: int = 5000) -> Array:
    """Load the MNIST digits that the package contains, standardised per feature.

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

    Examples
    --------
    >>> import numpy_rae as rae
    >>> x = rae.load_digits(100)
    >>> x.shape, x.dtype
    ((100, 784), dtype('float32'))
    """
    return build(DataSpec("digits", count, MNIST_STD_OFFSET))
