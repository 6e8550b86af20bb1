"""The subset of CIFAR-10 that was used for the stored paper-length runs on patches: 761 images of each batch.

    python -m numpy_rae fetch cifar10 --subset 761

The array is identified by the SHA-256 of its content, not by the name of its file.
"""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.data import image_formats
from numpy_rae.data.folders import DataError
from numpy_rae.storage.atomic import replace_file

BATCHES = 5
PER_BATCH = 761
IMAGES = BATCHES * PER_BATCH
FILE_NAME = f"images_{IMAGES}.npy"
SHAPE = (IMAGES, 3, 32, 32)
# SHA-256 of the uint8 array in C order.
SHA256 = "d48b0ca8526147a55a9b1e657b6e8c76dcca448fea5e5eefe0e3dd71245408e4"
# SHA-256 of the prepared matrices of 50,000, 5,000 and 500 patches. A record contains the hash of its matrix, but not
# the hash of its images.
MATRICES = frozenset(
    {
        "92c6ade43c37d4880a517c48dbe42101f239c52f4690227e64f63bcfdeb753a0",
        "5a03efa291f45752e8acd3d99a08e4dc571224e401ab9135fadaac5f51383eb0",
        "04a966180a8776c0a729e8a2efc7ead447d49841c43e81f3014e1f23332baa1d",
    }
)


def cut(images: Array, per_batch: int = PER_BATCH) -> Array:
    """Return the first `per_batch` images of each of the five training batches.

    Parameters
    ----------
    images : ndarray, shape (5 * K, 3, 32, 32), dtype uint8
        The training images in the order of the archive (`images.load_cifar10`).
    per_batch : int
        Number of images of each batch, from 1 to K.

    Returns
    -------
    ndarray, shape (5 * per_batch, 3, 32, 32), dtype uint8
        The subset, in the order of the archive.

    Raises
    ------
    DataError
        If a batch has fewer images.
    """
    most = len(images) // BATCHES
    if not 1 <= per_batch <= most:
        raise DataError(f"--subset is {per_batch}; it must be a whole number in [1, {most}].")
    batches = images.reshape(BATCHES, most, *images.shape[1:])
    return np.ascontiguousarray(batches[:, :per_batch]).reshape(-1, *images.shape[1:])


def save(subset: Array, path: Path) -> Path:
    """Write the subset as a .npy file and return its path.

    Parameters
    ----------
    subset : ndarray
        Result of `cut`.
    path : pathlib.Path
        The file. If it exists, it must contain this array.

    Returns
    -------
    pathlib.Path
        `path`.

    Raises
    ------
    DataError
        If the file exists with another content, or cannot be written.
    """
    if path.exists():
        if np.array_equal(image_formats.load_images(path), subset):
            return path
        raise DataError(f"--subset-out is {path}; this file exists and holds other images.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, lambda file: np.save(file, subset, allow_pickle=False))
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror or error}.") from error
    return path


def is_subset(path: str | os.PathLike[str] | None, matrix_sha256: str | None = None) -> bool:
    """Return whether images are the subset, by the hash of the file or, if there is no file, of the prepared matrix.

    Parameters
    ----------
    path : str or os.PathLike, optional
        The file of the images. It does not have to exist.
    matrix_sha256 : str, optional
        SHA-256 of the patches that were prepared from the images.

    Returns
    -------
    bool
        True if one of the two hashes is known.
    """
    return matrix_sha256 in MATRICES or (path is not None and _file_is_subset(path))


def _file_is_subset(path: str | os.PathLike[str]) -> bool:
    try:
        seen = os.stat(path)
    except (OSError, ValueError):
        return False
    return _hashes_to_subset(os.fspath(path), seen.st_size, seen.st_mtime_ns)


@lru_cache(maxsize=16)
def _hashes_to_subset(path: str, size: int, modified: int) -> bool:
    """Return whether the file has the hash of the subset, cached until size or time of the file change."""
    if size < np.prod(SHAPE):
        return False
    try:
        images = image_formats.load_images(path)
    except DataError:
        return False
    return images.shape == SHAPE and hashlib.sha256(images.tobytes()).hexdigest() == SHA256
