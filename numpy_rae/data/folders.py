"""Find the folders on this machine: the data folder, and the folders that can hold prepared data."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from numpy_rae import _validation

Folder = str | os.PathLike[str] | None


class DataError(Exception):
    """Error for a data set that is missing, damaged, unreachable or wrongly named. The message says what to do."""


def data_folder(folder: Folder = None) -> Path:
    """Return the folder of the data sets: `folder`, else NUMPY_RAE_DATA, else a cache folder of the user.

    Parameters
    ----------
    folder : str or os.PathLike, optional
        The folder. With None, the environment variable NUMPY_RAE_DATA names it. A leading `~` is expanded.

    Returns
    -------
    pathlib.Path
        The folder. It does not have to exist.

    Raises
    ------
    DataError
        If `folder` is not a path, or if its home folder is unknown.
    """
    if folder is not None and (not isinstance(folder, (str, os.PathLike)) or str(folder) == "" or "\0" in str(folder)):
        raise DataError(f"folder was {folder!r}; it may be a path, or None for the default.")
    named = folder or os.environ.get("NUMPY_RAE_DATA")
    try:
        return _validation.user_path(named) if named else cache_folder() or temporary_folder()
    except ValueError:
        name = "folder" if folder else "NUMPY_RAE_DATA"
        raise DataError(f"{name} was {str(named)!r}; its home folder is unknown, so write the full path.") from None


def cache_folder() -> Path | None:
    """Return the user's cache folder for this package.

    Returns
    -------
    pathlib.Path or None
        The folder, which does not have to exist. None if the user has no home folder.
    """
    with suppress(ValueError):
        cache = _validation.user_path(os.environ.get("XDG_CACHE_HOME") or "")
        if cache.is_absolute():  # the XDG standard ignores relative paths
            return cache / "numpy_rae"
    with suppress(ValueError):
        if (home := _validation.user_path("~")).is_dir():
            return home / ".cache" / "numpy_rae"
    return None


def temporary_folder() -> Path:
    """Return a temporary folder that belongs to this user and that all processes of the user share.

    Returns
    -------
    pathlib.Path
        The folder. It is made if it does not exist.

    Raises
    ------
    DataError
        If this machine has no writable temporary folder, or if another user owns the folder.
    """
    user = os.getuid() if hasattr(os, "getuid") else 0
    try:
        folder = Path(tempfile.gettempdir()) / f"numpy_rae-{user}"
        folder.mkdir(mode=0o700, exist_ok=True)
        if hasattr(os, "getuid") and folder.stat().st_uid != user:
            raise PermissionError(f"{folder} belongs to another user")
    except OSError as error:
        raise DataError(f"no temporary folder can be used: {error}.") from error
    return folder


def prepared_folders() -> Iterator[Path]:
    """Yield the folders for prepared data, in the order of preference.

    The first is in the data folder, which can be read-only. The next is in the user's cache, and the last is temporary.

    Yields
    ------
    pathlib.Path
        A folder, which does not have to exist.

    Raises
    ------
    DataError
        If NUMPY_RAE_DATA cannot be used, or, at the last folder, if there is no temporary folder.
    """
    first, cache = data_folder(), cache_folder()
    yield first / "prepared"
    if cache and cache != first:
        yield cache / "prepared"
    if (temporary := temporary_folder()) != first:
        yield temporary / "prepared"
