"""Prepare training data once, as a float32 matrix in a file that workers map into memory instead of receiving it.

A `DataSpec` says how to make the matrix. A `DataRef` adds the SHA-256 of the matrix, which names the file. A worker on
another machine makes the same file from its own copy of the images, and compares the hash. A file is used only if its
content has this hash. Otherwise it is made again.
"""

import errno
import hashlib
import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from numpy_rae import _validation
from numpy_rae._validation import Array
from numpy_rae.data import cifar_subset, folders, image_formats, images
from numpy_rae.data.preprocessing import as_rows, crop_patches, standardise
from numpy_rae.storage.atomic import replace_file

PATCH = 8
SOURCES = ("digits", "mnist", "cifar10", "photograph", "images", "array")
# After one of these errors the next folder is tried. A full disk is an error for the user.
NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS)
SUBSET_LABEL = f"{{count:,}} CIFAR-10 patches ({cifar_subset.IMAGES:,} images)"

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class DataSpec:
    """How to make a matrix of training data.

    Attributes
    ----------
    source : str
        "digits" (the embedded MNIST digits) and "mnist" (the training set) give their first `count` digits. "cifar10",
        "photograph" (the one that matplotlib contains) and "images" (the array in the file `path`) give `count` random
        patches of 8 x 8 pixels. "array" is a matrix of the user (`own_array`), which its SHA-256 identifies.
    count : int
        Number of samples.
    std_offset : float
        Number that is added to the standard deviation of each feature.
    seed : int
        Seed of the random positions of the patches.
    path : str, optional
        The .npy file for "images".
    """

    source: str
    count: int
    std_offset: float = 0.0
    seed: int = 0
    path: str | None = None

    def __post_init__(self) -> None:
        _validation.one_of("source", self.source, SOURCES)
        _validation.integer("count", self.count)
        _validation.number("std_offset", self.std_offset)
        _validation.integer("seed", self.seed, low=0)
        if not isinstance(self.path, str | None):
            raise ValueError(f"path is {self.path!r}; it must be a string or None")

    @property
    def label(self) -> str:
        """Return the name of the data for the title of a figure.

        Returns
        -------
        str
            For example "5,000 embedded MNIST digits".
        """
        if self.source == "images" and cifar_subset.is_subset(self.path):
            return SUBSET_LABEL.format(count=self.count)
        return {
            "digits": f"{self.count:,} embedded MNIST digits",
            "mnist": f"{self.count:,} MNIST digits",
            "cifar10": f"{self.count:,} CIFAR-10 patches",
            "photograph": f"{self.count:,} patches of one photograph (not CIFAR-10)",
            "images": f"{self.count:,} patches of {Path(self.path or '').name}",
            "array": f"{self.count:,} samples of an own matrix",
        }[self.source]


@dataclass(frozen=True)
class DataRef:
    """Reference to a prepared matrix.

    Attributes
    ----------
    spec : DataSpec
        How it was made.
    sha256 : str
        SHA-256 of its bytes.
    shape : tuple of int
        Its shape (N, n).
    file : str, optional
        Path of a matrix of the user. It says where the matrix is, so it is not in the description.
    """

    spec: DataSpec
    sha256: str
    shape: tuple[int, int]
    file: str | None = None

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Return the shape of a row as an image.

        Returns
        -------
        tuple of int
            (28, 28) for digits, (8, 8) or (3, 8, 8) for patches, one line for a matrix of the user.
        """
        if self.spec.source == "array":
            return 1, self.shape[1]
        if self.spec.source in ("digits", "mnist"):
            return 28, 28
        channels = self.shape[1] // PATCH**2
        return (channels, PATCH, PATCH)[channels == 1 :]

    def description(self) -> dict[str, Any]:
        """Return the reference for a record, without the folder on this machine.

        Returns
        -------
        dict
            The fields of `spec`, with the name of the file in `path`, then "sha256" and "shape". A copy of the known
            subset of CIFAR-10 has that file's name.
        """
        spec = asdict(self.spec)
        spec["path"] = self.spec.path and Path(self.spec.path).name
        if spec["path"] and cifar_subset.is_subset(self.spec.path, self.sha256):
            spec["path"] = cifar_subset.FILE_NAME
        return {**spec, "sha256": self.sha256, "shape": list(self.shape)}


def recorded_label(data: Mapping[str, Any]) -> str:
    """Return the name of a record's data for the title of a figure.

    Parameters
    ----------
    data : mapping
        What `DataRef.description` returned. It has the bare name of a file at most, which does not tell the content.

    Returns
    -------
    str
        `DataSpec.label`. For patches of the known subset of CIFAR-10, the subset's name instead of a file's.
    """
    if data["source"] == "images" and cifar_subset.is_subset(None, data.get("sha256")):
        return SUBSET_LABEL.format(count=data["count"])
    name = data["path"] and str(Path("/nonexistent") / data["path"])  # a file of that name here is another one
    return DataSpec(data["source"], data["count"], path=name).label


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


def prepare(spec: DataSpec) -> DataRef:
    """Make a matrix of training data, store it where workers find it, and return the reference to it.

    Parameters
    ----------
    spec : DataSpec
        How to make it.

    Returns
    -------
    DataRef
        The reference, which `load` takes.

    Raises
    ------
    ValueError
        As `build` does.
    folders.DataError
        If the images are missing or damaged, or if no folder can be written.
    """
    return store_array(build(spec), spec)


def store_array(x: Array, spec: DataSpec) -> DataRef:
    """Store a prepared matrix where workers find it, and return the reference to it.

    The data folder comes first. If it is read-only, the user's cache and a temporary folder follow.

    Parameters
    ----------
    x : ndarray, shape (N, n)
        The matrix.
    spec : DataSpec
        How `x` was made.

    Returns
    -------
    DataRef
        The reference, which `load` takes.

    Raises
    ------
    folders.DataError
        If no folder can be written.
    """
    ref = DataRef(spec, _sha256(x), x.shape)
    if _find(ref) is None:
        _write(ref, x)
    return ref


def _write(ref: DataRef, x: Array) -> None:
    """Write the matrix into the first folder that is not read-only."""
    for path in _paths(ref):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            unusable = path.exists()
            replace_file(path, lambda file: np.save(file, x, allow_pickle=False))
        except OSError as error:
            refused = folders.DataError(f"prepared data {path} cannot be written: {error.strerror or error}")
            if error.errno not in NOT_WRITABLE:
                raise refused from error
        else:
            if unusable:
                LOG.warning("prepared data %s could not be read or did not have their SHA-256; replaced", path)
            return
    raise refused


def load(ref: DataRef) -> Array:
    """Return a prepared matrix, mapped into memory read-only. It is made first if there is no good copy here.

    A file is hashed once per process, and again if it changes.

    Parameters
    ----------
    ref : DataRef
        A reference that `prepare` or `store_array` returned, here or on another machine.

    Returns
    -------
    ndarray, shape `ref.shape`
        The matrix, whose SHA-256 is `ref.sha256`.

    Raises
    ------
    folders.DataError
        If the matrix made here is not the one that the reference names.
    """
    x = _find(ref)
    if x is not None:
        return x
    if prepare(ref.spec).sha256 != ref.sha256:
        raise folders.DataError(f"{ref.spec.label}: this machine's images give other data than the sweep's")
    x = _find(ref)
    if x is None:
        raise folders.DataError(f"prepared data {next(_paths(ref))} cannot be read back")
    return x


def _find(ref: DataRef) -> Array | None:
    """Map the first file that has the content of the reference. Return None if no file has it."""
    for path in _paths(ref):
        with suppress(OSError):  # it is missing, or this user may not read it
            seen = path.stat()
            if _is_intact(path, ref.sha256, ref.shape, (seen.st_ino, seen.st_size, seen.st_mtime_ns)):
                return _map(path)
    return None


@lru_cache(maxsize=256)
def _is_intact(path: Path, sha256: str, shape: tuple[int, int], version: tuple[int, ...]) -> bool:
    """Tell whether a file holds the matrix with this hash; `version` changes when the file does."""
    try:
        x = _map(path)
    except OSError:
        raise
    except Exception:  # a damaged header raises almost any kind of error
        return False
    return x.shape == shape and x.dtype.isnative and x.dtype.kind == "f" and _sha256(x) == sha256


def _map(path: Path) -> Array:
    """Map the matrix in a file into memory, read-only."""
    x: Array = np.lib.format.open_memmap(path, mode="r")
    return x


def _sha256(x: Array) -> str:
    """Return the SHA-256 of the bytes of a matrix, row by row."""
    return hashlib.sha256(np.ascontiguousarray(x).data).hexdigest()


def _paths(ref: DataRef) -> Iterator[Path]:
    """Return the files that can hold the matrix, in the order of preference."""
    if ref.file is not None:
        return iter([Path(ref.file)])
    name = f"{ref.spec.source}-{ref.spec.count}-{ref.sha256[:16]}.npy"
    return (folder / name for folder in folders.prepared_folders())
