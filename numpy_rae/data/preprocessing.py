"""From images to data that approach Assumption 1: mean 0 and covariance I."""

import numpy as np

from numpy_rae import _validation
from numpy_rae.row_norms import of_order_one


@_validation.tiny_is_zero
def as_rows(images: np.ndarray) -> np.ndarray:
    """uint8 images (N, ...) to float64 rows (N, n) in [0, 1]."""
    _validation.pixels("images", images, "(N, ...)")
    return images.reshape(len(images), -1) / 255


@_validation.tiny_is_zero
def standardise(x: np.ndarray, std_offset: float = 0.0) -> np.ndarray:
    """Subtract each feature's mean and divide by its standard deviation + `std_offset` (Fn. 2: 0.1 on MNIST).

    x is (N, n), of any finite size; a constant feature becomes 0.
    """
    _validation.matrix("x", x)
    _validation.number("std_offset", std_offset)
    scaled, exponent = of_order_one(x, axis=0)
    deviation = centred(scaled)
    with np.errstate(over="ignore"):  # an offset beyond all bounds beside x: x becomes 0
        scale = deviation.std(axis=0) + np.ldexp(x.dtype.type(std_offset), -exponent)
    return np.divide(deviation, scale, out=np.zeros_like(x), where=scale > 0)


@_validation.tiny_is_zero
def centred(x: np.ndarray) -> np.ndarray:
    """x (N, n) minus its features' means; exactly 0 where a feature is constant."""
    deviation = x - x.mean(axis=0)
    # A constant feature's deviation is rounding, not signal.
    deviation[:, x.min(axis=0) == x.max(axis=0)] = 0
    return deviation


@_validation.tiny_is_zero
def whiten(x: np.ndarray) -> np.ndarray:
    """PCA-whiten x (N, n) to its numerical rank: (N, rank) with mean 0 and covariance I to rounding.

    Raises ValueError for constant data, which have no direction to whiten.
    """
    x, _ = of_order_one(_validation.matrix("x", x))
    deviation = centred(x)
    # Once more, for what the first mean lost to rounding.
    U, s, _ = np.linalg.svd(deviation - deviation.mean(axis=0), full_matrices=False)
    # x itself is rounded at its own size, which an offset may make far larger than the data's spread.
    rounding = np.finfo(x.dtype).eps * max(max(x.shape) * s[0], 4 * np.linalg.norm(x))
    rank = int((s > rounding).sum())
    if not 0 < rank < len(x):
        raise ValueError(f"x has {len(x)} samples and rank {rank}; whitening needs 0 < rank < samples")
    white = U[:, :rank] * x.dtype.type(len(x) ** 0.5)
    return white - white.mean(axis=0)


@_validation.tiny_is_zero
def crop_patches(images: np.ndarray, count: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """`count` random size x size crops of uint8 images (N, C, H, W), as uint8 (count, C, size, size)."""
    N, C, H, W = _validation.pixels("images", images, "(N, C, H, W)", ndim=4).shape
    _validation.instance("rng", rng, np.random.Generator)
    _validation.integer("count", count)
    if _validation.integer("size", size) > min(H, W):
        raise ValueError(f"size is {size}; the images are {H} x {W}, so it must be at most {min(H, W)}")
    index, top, left = (rng.integers(0, high, count) for high in (N, H - size + 1, W - size + 1))
    window = np.arange(size)
    rows, columns = top[:, None] + window, left[:, None] + window
    return images[
        index[:, None, None, None], np.arange(C)[:, None, None], rows[:, None, :, None], columns[:, None, None, :]
    ]


MNIST_STD_OFFSET = 0.1  # Fn. 2
