"""Use a user's matrix as training data: check it, convert it, and write it to a file that workers map into memory."""

import hashlib
import os
import platform
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from numpy_rae import _validation
from numpy_rae.data import folders
from numpy_rae.data.data_spec import DataRef, DataSpec
from numpy_rae.data.prepared import NOT_WRITABLE
from numpy_rae.data.preprocessing import standardise

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # no advisory locks on Windows, where nothing is removed
    fcntl = None

FILE = "x.npy"
STALE_AFTER_SECONDS = 3600.0


def as_matrix(X: Any, dtype: str = "float32", standardised: bool = True) -> NDArray[Any]:
    """Return a data matrix in the form that training needs.

    Parameters
    ----------
    X : array_like, shape (N, n)
        Any matrix of real numbers, for example an ndarray or a pandas DataFrame.
    dtype : {"float32", "float64"}
        The dtype of the result.
    standardised : bool
        Whether X is already standardised. If not, each feature is centred and divided by its standard deviation.

    Returns
    -------
    ndarray, shape (N, n)
        The matrix in C order.

    Raises
    ------
    ValueError
        If X is not a non-empty matrix of finite real numbers.
    """
    x = np.asarray(X)
    if x.dtype.kind not in "fiu":
        raise ValueError(f"X is {_validation.describe_array(x)}; it must be a matrix of real numbers")
    exact = x if x.dtype in _validation.FLOATS else x.astype(np.float64)
    _validation.matrix("X", np.asarray(exact))
    exact = exact if standardised else standardise(exact)
    with np.errstate(over="ignore", under="ignore"):
        converted = np.ascontiguousarray(exact, dtype=dtype)
    return _validation.matrix(f"X as {dtype}", converted, squares=True)


@contextmanager
def temporary_file(x: NDArray[Any]) -> Iterator[DataRef]:
    """Write a matrix to a file that worker processes map into memory, and remove the file at the end.

    The file is in a new folder, inside the first writeable folder for prepared data. Two sweeps over the same matrix
    have two files, so one sweep can end and remove its file while the other continues.

    Parameters
    ----------
    x : ndarray, shape (N, n)
        Result of `as_matrix`.

    Yields
    ------
    DataRef
        The reference to the data, which runs need.

    Raises
    ------
    folders.DataError
        If no folder can be written.
    """
    with _folder() as folder:
        path = folder / FILE
        try:
            file = _locked_file(path, x)
        except OSError as error:
            raise folders.DataError(f"X cannot be written to {path}: {error.strerror or error}") from error
        with file:  # the lock ends with it
            yield DataRef(DataSpec("array", len(x)), hashlib.sha256(x.data).hexdigest(), x.shape, str(path))


def _locked_file(path: Path, x: NDArray[Any]) -> BinaryIO:
    """Write the matrix into a new file, locked from before its first byte, and return the open file."""
    file = open(path, "wb")  # noqa: SIM115 - the caller closes it
    try:
        if fcntl:
            fcntl.flock(file, fcntl.LOCK_SH)
        np.save(file, x, allow_pickle=False)
        file.flush()
    except BaseException:
        file.close()
        raise
    return file


def remove_stale(parent: Path) -> None:
    """Remove the folders of sweeps of this machine that were killed.

    A sweep holds a lock on its file until its process ends. If a folder has no file, its sweep has not yet
    written it, or was killed earlier. Such a folder is removed after STALE_AFTER_SECONDS.

    Parameters
    ----------
    parent : pathlib.Path
        The folder for prepared data.
    """
    for folder in parent.glob(f"{_prefix()}*"):
        with suppress(OSError):  # another start removes it at the same time, or it belongs to another user
            if _is_stale(folder):
                shutil.rmtree(folder)


def _is_stale(folder: Path) -> bool:
    """Return whether no process holds the lock on the file of this folder."""
    if not fcntl:
        return False
    try:
        with open(folder / FILE, "r+b") as file:
            # A new file is empty until its owner has the lock.
            old = time.time() - folder.stat().st_mtime > STALE_AFTER_SECONDS
            if os.fstat(file.fileno()).st_size == 0 and not old:
                return False
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    except FileNotFoundError:
        return time.time() - folder.stat().st_mtime > STALE_AFTER_SECONDS
    except BlockingIOError:
        return False


def _prefix() -> str:
    """Return the first part of the folders' names. It has the machine's name, as locks may not work across machines."""
    return "array-" + re.sub(r"\W", "_", platform.node()) + "-"


@contextmanager
def _folder() -> Iterator[Path]:
    parent = _parent()
    remove_stale(parent)
    with tempfile.TemporaryDirectory(prefix=_prefix(), dir=parent, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _parent() -> Path:
    """Return the first folder for prepared data that can be written."""
    refused = folders.DataError("no folder for prepared data can be written")
    for parent in folders.prepared_folders():
        try:
            parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=parent):
                return parent.absolute()
        except OSError as error:
            refused = folders.DataError(f"{parent} cannot be written: {error.strerror or error}")
            if error.errno not in NOT_WRITABLE:
                raise refused from error
    raise refused
