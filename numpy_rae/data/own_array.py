"""A user's matrix as training data: checked, converted, and put into a file that workers map."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from numpy_rae import _validation
from numpy_rae.data import folders
from numpy_rae.data.prepared import NOT_WRITABLE, DataRef, DataSpec
from numpy_rae.data.preprocessing import standardise


def as_matrix(X: Any, dtype: str = "float32", standardised: bool = True) -> NDArray[Any]:
    """Return a data matrix as the training reads it.

    Parameters
    ----------
    X : array_like, shape (N, n)
        Any matrix of real numbers, for example an ndarray or a pandas DataFrame.
    dtype : {"float32", "float64"}
        The dtype of the result.
    standardised : bool
        Whether X is used as it is. If not, each feature is centred and divided by its standard deviation.

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
    """Write a matrix to a file that worker processes map, and remove the file at the end.

    The file has a folder of its own in the first folder for prepared data that can be written. Two sweeps over the same
    matrix do not share it, so the end of one does not disturb the other.

    Parameters
    ----------
    x : ndarray, shape (N, n)
        The matrix, as `as_matrix` returns it.

    Yields
    ------
    DataRef
        The reference that runs take.

    Raises
    ------
    folders.DataError
        If no folder can be written.
    """
    with _folder() as folder:
        file = folder / "x.npy"
        try:
            np.save(file, x, allow_pickle=False)
        except OSError as error:
            raise folders.DataError(f"X cannot be written to {file}: {error.strerror or error}") from error
        yield DataRef(DataSpec("array", len(x)), hashlib.sha256(x.data).hexdigest(), x.shape, str(file))


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="array-", dir=_parent(), ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _parent() -> Path:
    """The first folder for prepared data that can be written."""
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
