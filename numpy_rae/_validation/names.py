"""Checks of names, versions and paths that a user wrote."""

import os
from collections.abc import Iterable
from pathlib import Path

from numpy_rae._validation.objects import short


def version(name: str, value: int | str | None) -> int | str | None:
    """Return value if it is an int, a string or None.

    Parameters
    ----------
    name : str
        Name of the argument in the error message.
    value : int, str or None
        Object to check.

    Returns
    -------
    int, str or None
        The object itself.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int | str | None):
        raise ValueError(f"{name} is {short(value)}; it must be an int, a string or None")
    return value


def one_of(name: str, value: str, known: Iterable[str]) -> str:
    """Return value if it is one of the known names.

    Parameters
    ----------
    name : str
        Name of the argument in the error message.
    value : str
        Name to check.
    known : iterable of str
        The names that are allowed. The error message lists them.

    Returns
    -------
    str
        The name itself.

    Raises
    ------
    ValueError
        If the name is unknown.
    """
    known = list(known)
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} is {value!r}; it must be one of {', '.join(known)}")
    return value


def user_path(path: str | os.PathLike[str]) -> Path:
    """Return `path` with a leading `~` or `~user` replaced by the home folder.

    Parameters
    ----------
    path : str or os.PathLike
        A path as a user wrote it.

    Returns
    -------
    pathlib.Path
        The path without `~`. It can be relative.

    Raises
    ------
    ValueError
        If that home folder is unknown.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise ValueError(f"path is {str(path)!r}; its home folder is unknown, so write the full path") from None
