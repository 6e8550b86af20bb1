"""Checks of images: arrays of pixels, and the shape of an image that is stored as a row."""

import math
import numbers

import numpy as np

from numpy_rae._validation.arrays import ARRAYS, Array, describe_array
from numpy_rae._validation.objects import short


def pixels(name: str, images: Array, axes: str, ndim: int | None = None) -> Array:
    """Return images if it is a non-empty uint8 array.

    Parameters
    ----------
    name : str
        Name of the argument in the error message.
    images : ndarray of uint8
        Array to check.
    axes : str
        Expected shape, for the error message.
    ndim : int, optional
        Number of axes. By default at least 2.

    Returns
    -------
    ndarray
        The array itself.

    Raises
    ------
    ValueError
        If the array does not fit.
    """
    fits = type(images) in ARRAYS and images.dtype == np.uint8 and images.size > 0
    if not fits or (images.ndim < 2 if ndim is None else images.ndim != ndim):
        raise ValueError(f"{name} is {describe_array(images)}; it must be a non-empty uint8 array of shape {axes}")
    return images


def image_shape(name: str, shape: object, n: int) -> tuple[int, ...]:
    """Return the shape as a tuple if it is the shape of an image of n numbers.

    Parameters
    ----------
    name : str
        Name of the argument in the error message.
    shape : object
        Shape to check.
    n : int
        Number of pixels, times 3 for colours.

    Returns
    -------
    tuple of int
        (height, width) or (3, height, width).

    Raises
    ------
    ValueError
        If it is another shape.
    """
    sizes = tuple(shape) if isinstance(shape, (tuple, list)) else ()
    whole = all(isinstance(size, numbers.Integral) and int(size) > 0 for size in sizes)
    if not whole or len(sizes) not in (2, 3) or (len(sizes) == 3 and sizes[0] != 3) or math.prod(sizes) != n:
        allowed = f"(height, width) or (3, height, width) with product {n}"
        raise ValueError(f"{name} is {short(shape)}; it must be {allowed}")
    return tuple(int(size) for size in sizes)
