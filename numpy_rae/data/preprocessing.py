"""Prepare images for training, so that the data satisfy Assumption 1 approximately: mean 0 and covariance I."""

from typing import cast

import numpy as np

from numpy_rae import _validation
from numpy_rae._validation import Array
from numpy_rae.row_norms import of_order_one


@_validation.tiny_is_zero
def as_rows(images: Array) -> Array:
    """Return images as rows of numbers in [0, 1].

    Parameters
    ----------
    images : ndarray, shape (N, ...), uint8
        The images.

    Returns
    -------
    ndarray, shape (N, n), float64
        The pixels divided by 255.

    Raises
    ------
    ValueError
        If `images` is not a non-empty uint8 array with at least two axes.
    """
    _validation.pixels("images", images, "(N, ...)")
    return cast(Array, images.reshape(len(images), -1) / 255)


@_validation.tiny_is_zero
def standardise(x: Array, std_offset: float = 0.0) -> Array:
    """Subtract each feature's mean and divide by its standard deviation + `std_offset` (Fn. 2: 0.1 on MNIST).

    A constant feature becomes 0. Very large numbers are allowed if they are finite.

    Parameters
    ----------
    x : ndarray, shape (N, n), float32 or float64
        The data, one sample per row.
    std_offset : float
        Number that is added to each standard deviation, at least 0.

    Returns
    -------
    ndarray, shape (N, n), dtype of `x`
        The standardised data.

    Raises
    ------
    ValueError
        If `x` is not a finite non-empty matrix, or if `std_offset` is negative or not finite.
    """
    _validation.matrix("x", x)
    _validation.number("std_offset", std_offset)
    scaled, exponent = of_order_one(x, axis=0)
    deviation = centred(scaled)
    with np.errstate(over="ignore"):  # if the offset is too large compared with x, x becomes 0
        scale = deviation.std(axis=0) + np.ldexp(x.dtype.type(std_offset), -exponent)
    return cast(Array, np.divide(deviation, scale, out=np.zeros_like(x), where=scale > 0))


@_validation.tiny_is_zero
def centred(x: Array) -> Array:
    """Subtract the mean of each feature. A constant feature becomes exactly 0.

    Parameters
    ----------
    x : ndarray, shape (N, n), float32 or float64
        The data, one sample per row.

    Returns
    -------
    ndarray, shape (N, n), dtype of `x`
        The deviations from the mean.
    """
    deviation: Array = x - x.mean(axis=0)
    # The computed deviation of a constant feature is a rounding error, so it is set to 0.
    deviation[:, x.min(axis=0) == x.max(axis=0)] = 0
    return deviation


@_validation.tiny_is_zero
def whiten(x: Array) -> Array:
    """Whiten data by PCA: rotate and scale them to mean 0 and covariance I, up to rounding (Assumption 1).

    Parameters
    ----------
    x : ndarray, shape (N, n), float32 or float64
        The data, one sample per row.

    Returns
    -------
    ndarray, shape (N, rank), dtype of `x`
        The whitened data. `rank` is the numerical rank of the centred data.

    Raises
    ------
    ValueError
        If `x` is not a finite non-empty matrix, if it is constant, or if its rank is not below N.
    """
    x, _ = of_order_one(_validation.matrix("x", x))
    deviation = centred(x)
    # Subtract the mean again, because the first mean is rounded.
    U, s, _ = np.linalg.svd(deviation - deviation.mean(axis=0), full_matrices=False)
    # The rounding errors are relative to the size of the entries of x. If x has a large mean, its entries are much
    # larger than its standard deviations.
    rounding = np.finfo(x.dtype).eps * max(max(x.shape) * s[0], 4 * np.linalg.norm(x))
    rank = int((s > rounding).sum())
    if not 0 < rank < len(x):
        raise ValueError(f"x has {len(x)} samples and rank {rank}; whitening needs 0 < rank < samples")
    white = U[:, :rank] * x.dtype.type(len(x) ** 0.5)
    return cast(Array, white - white.mean(axis=0))


@_validation.tiny_is_zero
def crop_patches(images: Array, count: int, size: int, rng: np.random.Generator) -> Array:
    """Crop random square patches from images.

    Parameters
    ----------
    images : ndarray, shape (N, C, H, W), uint8
        The images, with C channels.
    count : int
        Number of patches.
    size : int
        Height and width of a patch, at most min(H, W).
    rng : numpy.random.Generator
        Source of the positions.

    Returns
    -------
    ndarray, shape (count, C, size, size), uint8
        The patches. Each image and each position has the same probability.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """
    N, C, H, W = _validation.pixels("images", images, "(N, C, H, W)", ndim=4).shape
    _validation.instance("rng", rng, np.random.Generator)
    _validation.integer("count", count)
    if _validation.integer("size", size) > min(H, W):
        raise ValueError(f"size is {size}; the images are {H} x {W}, so it must be at most {min(H, W)}")
    index, top, left = (rng.integers(0, high, count) for high in (N, H - size + 1, W - size + 1))
    window = np.arange(size)
    rows, columns = top[:, None] + window, left[:, None] + window
    patches: Array = images[
        index[:, None, None, None], np.arange(C)[:, None, None], rows[:, None, :, None], columns[:, None, None, :]
    ]
    return patches


MNIST_STD_OFFSET = 0.1  # Fn. 2
