"""Store training data once, as a float32 matrix in a file that workers map into memory instead of receiving it.

The file is named by the SHA-256 of the matrix, which a `DataRef` holds. A worker on another machine makes the same file
from its own copy of the images, and compares the hash. A file is used only if its content has this hash. Otherwise it
is made again.
"""

import errno
import hashlib
import logging
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.data import folders
from numpy_rae.data.data_matrix import build
from numpy_rae.data.data_spec import DataRef, DataSpec
from numpy_rae.storage.atomic import replace_file

# After one of these errors the next folder is tried. A full disk is an error for the user.
NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS)
LOG = logging.getLogger(__name__)


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
