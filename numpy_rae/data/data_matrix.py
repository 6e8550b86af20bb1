"""Make a matrix of training data from images, as its `DataSpec` says."""

from typing import BinaryIO, cast

import numpy as np

from numpy_rae import _validation
from numpy_rae._validation import Array
from numpy_rae.data import folders, image_formats, images
from numpy_rae.data.data_spec import PATCH, DataSpec
from numpy_rae.data.preprocessing import as_rows, crop_patches, standardise


def build(spec: DataSpec) -> Array:
    """Make a matrix of training data in memory.

    Parameters
    ----------
    spec : DataSpec
        How to make it.

    Returns
    -------
    ndarray, shape (count, n), float32
        The standardised samples, see `preprocessing.standardise`.

    Raises
    ------
    ValueError
        If `spec` is not a DataSpec, or asks for more digits than there are.
    folders.DataError
        If the images are missing or damaged.
    """
    _validation.instance("spec", spec, DataSpec)
    if spec.source == "array":
        raise folders.DataError(
            "the matrix of this sweep is not on this machine; to train on several machines, set NUMPY_RAE_DATA to the "
            "same shared folder on all of them"
        )
    return standardise(as_rows(_images(spec)), spec.std_offset).astype(np.float32)


def _images(spec: DataSpec) -> Array:
    """Return the digits or the patches, uint8."""
    if spec.source in ("digits", "mnist"):
        digits = images.load_sample()[0] if spec.source == "digits" else images.load_mnist()[0]
        _validation.number("count", spec.count, 1, len(digits))
        return digits[: spec.count]
    return crop_patches(_pictures(spec), spec.count, PATCH, np.random.default_rng(spec.seed))


def _pictures(spec: DataSpec) -> Array:
    """Return the images from which patches are cropped, uint8 (N, C, H, W)."""
    if spec.source == "cifar10":
        return images.load_cifar10()
    if spec.source == "images":
        return image_formats.load_images(cast(str, spec.path))  # it refuses None
    return photograph()


def photograph() -> Array:
    """Return the sample photograph that matplotlib contains.

    Returns
    -------
    ndarray, shape (1, 3, H, W), uint8
        The photograph.
    """
    from matplotlib import cbook, image

    with cast(BinaryIO, cbook.get_sample_data("grace_hopper.jpg")) as file:
        return image.imread(file, format="jpg").transpose(2, 0, 1)[None]
