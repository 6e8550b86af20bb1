"""Fetch the files of an image set. A file gets its final name only after its SHA-256 is checked.

A download is written to `<name>.<random>.part` in the folder of its target. If a part changed within the last minute,
it belongs to a running process, and other processes wait for it. Any other part is free. The first process that renames
a free part owns it. A process that gives up sets the time of its part to 2001, so that the next run continues it at
once. A killed process leaves a recent time. Then the next run waits until the part is unchanged for a minute.
"""

import math
import os
import sys
import time
import uuid
from contextlib import suppress
from pathlib import Path

from numpy_rae.data import local_files
from numpy_rae.data.download import download
from numpy_rae.data.folders import DataError, Folder, data_folder
from numpy_rae.data.sources import CATALOGUE, RemoteFile

STALE_AFTER_SECONDS = 60.0
EXPIRED_MTIME = 10**9


def fetch(name: str, folder: Folder = None, *, timeout: float = 30.0, progress: bool = True) -> list[Path]:
    """Find the files of a data set, download the missing ones, and return their paths.

    Undamaged copies below `folder` are used, also if they have another name. Damaged files are downloaded again. An
    undamaged file of another data set is never replaced.

    Parameters
    ----------
    name : str
        "mnist" or "cifar10".
    folder : str or os.PathLike, optional
        The data folder; see `folders.data_folder`.
    timeout : float
        Longest wait for a connection and for each read, in seconds.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    list of pathlib.Path
        One path per file of the data set.

    Raises
    ------
    DataError
        If an argument cannot be used, if no mirror gives the file, if it cannot be written, or if a file of another
        data set has its name.
    """
    return [fetch_file(remote, folder, timeout=timeout, progress=progress) for remote in files_of(name)]


def files_of(name: str) -> tuple[RemoteFile, ...]:
    """Return the files of a data set.

    Parameters
    ----------
    name : str
        "mnist" or "cifar10".

    Returns
    -------
    tuple of RemoteFile
        Its files.

    Raises
    ------
    DataError
        If there is no data set of this name.
    """
    if not isinstance(name, str) or name not in CATALOGUE:
        raise DataError(f"name was {name!r}; it may be one of {', '.join(CATALOGUE)}.")
    return CATALOGUE[name]


def fetch_file(remote: RemoteFile, folder: Folder = None, *, timeout: float = 30.0, progress: bool = True) -> Path:
    """Find one file, or download it, and return its path.

    Parameters
    ----------
    remote : RemoteFile
        The file.
    folder : str or os.PathLike, optional
        The data folder; see `folders.data_folder`.
    timeout : float
        Longest wait for a connection and for each read, in seconds.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    pathlib.Path
        The path of a verified copy.

    Raises
    ------
    DataError
        For the same reasons as in `fetch`.
    """
    if not isinstance(timeout, (int, float)) or not 0 < timeout < math.inf:
        raise DataError(f"timeout was {timeout!r}; it may be any positive number of seconds.")
    folder = data_folder(folder)
    target = folder / remote.dataset / remote.name
    try:
        return _present(remote, folder) or _fetch_to(target, remote, folder, timeout, progress)
    except OSError as error:
        reason = error.strerror or error
        raise DataError(
            f"{target} cannot be written: {reason}; name another folder with --dir or NUMPY_RAE_DATA."
        ) from error


def _present(remote: RemoteFile, folder: Path) -> Path | None:
    """Return the path of an undamaged copy, or None if no copy is found."""
    with suppress(DataError):
        return local_files.find(remote, folder)[0]
    return None


def _fetch_to(target: Path, remote: RemoteFile, folder: Path, timeout: float, progress: bool) -> Path:
    """Download to a part that this process owns, then rename it. If another process was faster, use its file."""
    local_files.refuse_other_data_set(target, remote)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = _claim(target, max(STALE_AFTER_SECONDS, 2 * timeout), progress)
    try:
        found = _present(remote, folder)
        if not found:
            download(part, target, remote, timeout, progress)
            os.replace(part, target)
        return found or target
    finally:
        _release(part, remote, folder)


def _claim(target: Path, quiet: float, progress: bool) -> Path:
    """Return an older or a new part that this process owns. Wait while another process owns a part of this file."""
    mine = target.with_name(f"{target.name}.{uuid.uuid4().hex}.part")
    busy = _adopt(target, mine, quiet)
    if busy and progress:
        print(f"Waiting for another download of {target.name}.", file=sys.stderr)
    while busy:
        time.sleep(0.1)
        busy = _adopt(target, mine, quiet)
    mine.touch()
    return mine


def _adopt(target: Path, mine: Path, quiet: float) -> bool:
    """Rename a free part to `mine`. Return True if no part is free and another process owns one."""
    busy = False
    for part in target.parent.glob(f"{target.name}.*.part"):
        with suppress(OSError):  # another process renamed or removed it
            if abs(time.time() - part.stat().st_mtime) < quiet:
                busy = True
                continue
            os.utime(part)  # before the rename, so that the new name never looks free
            os.rename(part, mine)
            return False
    return busy


def _release(part: Path, remote: RemoteFile, folder: Path) -> None:
    """Remove a part that is not needed any more. Mark any other part as free."""
    if part.exists() and (part.stat().st_size == 0 or _present(remote, folder)):
        part.unlink()
    elif part.exists():
        os.utime(part, (EXPIRED_MTIME, EXPIRED_MTIME))
