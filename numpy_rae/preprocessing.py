"""From images to data that approach Assumption 1: mean 0 and covariance I."""

import numpy as np

from numpy_rae import validation


def as_rows(images: np.ndarray) -> np.ndarray:
    """uint8 images (N, ...) to float64 rows (N, n) in [0, 1]."""
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.ndim < 2 or 0 in images.shape:
        seen = f"{images.dtype} {images.shape}" if isinstance(images, np.ndarray) else type(images).__name__
        raise ValueError(f"images is {seen}; it must be a non-empty uint8 array of shape (N, ...)")
    return images.reshape(len(images), -1) / 255


def standardise(x: np.ndarray, std_offset: float = 0.0) -> np.ndarray:
    """Subtract each feature's mean and divide by its standard deviation + `std_offset` (Fn. 2: 0.1 on MNIST).

    x is (N, n); a constant feature becomes 0.
    """
    validation.matrix("x", x)
    validation.number("std_offset", std_offset)
    centred = _centred(x)
    scale = centred.std(axis=0) + x.dtype.type(std_offset)
    return np.divide(centred, scale, out=np.zeros_like(x), where=scale > 0)


def _centred(x: np.ndarray) -> np.ndarray:
    centred = x - x.mean(axis=0)
    # A constant feature's deviation is rounding, not signal.
    centred[:, x.min(axis=0) == x.max(axis=0)] = 0
    return centred


def whiten(x: np.ndarray) -> np.ndarray:
    """PCA-whiten x (N, n) to its numerical rank: (N, rank) with mean 0 and covariance I to rounding.

    Raises ValueError for constant data, which have no direction to whiten.
    """
    validation.matrix("x", x)
    centred = _centred(x)
    # Once more, for what the first mean lost to rounding.
    U, s, _ = np.linalg.svd(centred - centred.mean(axis=0), full_matrices=False)
    # x itself is rounded at its own size, which an offset may make far larger than the data's spread.
    rounding = np.finfo(x.dtype).eps * max(max(x.shape) * s[0], 4 * np.linalg.norm(x))
    rank = int((s > rounding).sum())
    if not 0 < rank < len(x):
        raise ValueError(f"x has {len(x)} samples and rank {rank}; whitening needs 0 < rank < samples")
    white = U[:, :rank] * x.dtype.type(len(x) ** 0.5)
    return white - white.mean(axis=0)


def crop_patches(images: np.ndarray, count: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """`count` random size x size crops of uint8 images (N, C, H, W), as uint8 (count, C, size, size)."""
    if images.ndim != 4 or 0 in images.shape:
        raise ValueError(f"images has shape {images.shape}; it must be (N, C, H, W), all at least 1")
    N, C, H, W = images.shape
    validation.whole("count", count)
    if validation.whole("size", size) > min(H, W):
        raise ValueError(f"size is {size}; the images are {H} x {W}, so it must be at most {min(H, W)}")
    index, top, left = (rng.integers(0, high, count) for high in (N, H - size + 1, W - size + 1))
    window = np.arange(size)
    rows, columns = top[:, None] + window, left[:, None] + window
    return images[
        index[:, None, None, None], np.arange(C)[:, None, None], rows[:, None, :, None], columns[:, None, None, :]
    ]
