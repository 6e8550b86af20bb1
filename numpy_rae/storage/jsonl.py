"""Append records to a results file, one line of JSON per run, and read them back.

A writer holds an exclusive lock while it appends. If the last line has no newline, its writer died before the line was
complete. The next writer removes such a line, and readers skip it.
"""

import contextlib
import errno
import json
import math
import os
import stat
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

from numpy_rae.storage.atomic import replace_file

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # no advisory locks on Windows
    fcntl = None


class StoreError(Exception):
    """Error for a results file that cannot be read or written. The message gives the file and the reason."""


def append(path: Path, record: dict[str, Any]) -> None:
    """Append one record and flush it to the disk.

    Parameters
    ----------
    path : pathlib.Path
        The results file. It is made if it does not exist.
    record : dict
        Values that JSON can represent. NaN and infinity are not allowed.

    Raises
    ------
    StoreError
        If the record is not such a dict, or if the file cannot be written. In both cases the content of the file is not
        changed.
    """
    line = _line(record)
    try:
        with open(path, "ab", buffering=0) as file, _locked(file):
            _cut_torn_line(path, file)
            _write_whole(file, line)
            os.fsync(file.fileno())
    except OSError as error:
        raise StoreError(f"results file {path} cannot be written: {error.strerror}") from error


def _line(record: dict[str, Any]) -> bytes:
    """Return the record as a line of JSON."""
    if not isinstance(record, dict):
        raise StoreError(f"record is a {type(record).__name__}; it must be a dict")
    try:
        return json.dumps(record, allow_nan=False).encode() + b"\n"
    except (ValueError, TypeError, RecursionError) as error:
        raise StoreError(f"record cannot be kept as JSON: {error}") from None


def _write_whole(file: FileIO, line: bytes) -> None:
    """Write the whole line or nothing. If the disk is full, the part that was written is removed."""
    size = file.seek(0, os.SEEK_END)
    try:
        written = file.write(line)
        if written < len(line):
            file.write(line[written:])
    except OSError:
        file.truncate(size)
        raise


@contextlib.contextmanager
def _locked(file: FileIO) -> Iterator[None]:
    """Hold the exclusive lock of an open file. The lock ends when the file is closed."""
    if fcntl:
        fcntl.flock(file, fcntl.LOCK_EX)
    yield


@contextlib.contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Prevent other sweeps from using a results file, by a lock on a second file next to it.

    Parameters
    ----------
    path : pathlib.Path
        The results file. The lock file is `<name>.lock` in the same folder.

    Yields
    ------
    None
        The lock is held until the block ends.

    Raises
    ------
    StoreError
        If another process holds the lock, or if the lock file cannot be written.
    """
    lock = path.with_name(f"{path.name}.lock")
    try:
        file = _lock_file(lock)
    except BlockingIOError:
        raise StoreError(
            f"results file {path} is in use by another sweep; wait for its end, or choose another folder"
        ) from None
    except OSError as error:
        raise StoreError(f"results file {path} cannot be written: {error.strerror}") from error
    with file:
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # the folder became read-only; the lock ends with the file
                lock.unlink(missing_ok=True)


def _lock_file(lock: Path) -> BinaryIO:
    """Open and lock the file at `lock`. If another process removed it before the lock was taken, try again."""
    while True:
        file = open(lock, "ab")  # noqa: SIM115 - the caller closes it
        try:
            if fcntl:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if lock.exists() and os.path.samestat(os.stat(lock), os.fstat(file.fileno())):
                return file
        except BaseException:
            file.close()
            raise
        file.close()


def _cut_torn_line(path: Path, file: FileIO) -> None:
    """Remove a last line without a newline."""
    content = path.read_bytes()
    if content and not content.endswith(b"\n"):
        file.truncate(content.rfind(b"\n") + 1)


def read(path: Path) -> list[dict[str, Any]]:
    """Read all complete records of a results file.

    Parameters
    ----------
    path : pathlib.Path
        The results file.

    Returns
    -------
    list of dict
        The records, in the order of the file. The list is empty if there is no file.

    Raises
    ------
    StoreError
        If the file cannot be read, or if a line is not a record. An incomplete last line is not an error.
    """
    try:
        with open(path, "rb", opener=_no_pipe) as file:
            content = file.read()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(f"results file {path} cannot be read: {error.strerror}") from error
    whole = content[: content.rfind(b"\n") + 1]
    return [_parse(path, number, line) for number, line in enumerate(whole.splitlines(), 1)]


def _no_pipe(path: str, flags: int) -> int:
    """Open a file. For a pipe, raise an error at once instead of waiting for its other end."""
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.ESPIPE, "It is a pipe")
    return descriptor


def _parse(path: Path, number: int, line: bytes) -> dict[str, Any]:
    """Return the record of line `number`, counted from 1."""
    try:
        record = json.loads(line, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"results file {path}, line {number} is not JSON: {error}") from None
    if not isinstance(record, dict):
        raise StoreError(f"results file {path}, line {number} is not a record")
    return record


def _refuse(constant: str) -> float:
    """Raise ValueError for NaN and infinity, because Python's JSON module would accept them."""
    raise ValueError(f"{constant} is not a number in JSON")


def _finite(text: str) -> float:
    """Return the number. Raise ValueError if it is too large for a float."""
    return number if math.isfinite(number := float(text)) else _refuse(text)


def rewrite(path: Path, records: list[dict[str, Any]]) -> None:
    """Replace the whole content of a results file, so that readers see the old file or the new one.

    Parameters
    ----------
    path : pathlib.Path
        The results file. It is made, with its folder, if it does not exist.
    records : list of dict
        The new records, as `append` takes them.

    Raises
    ------
    StoreError
        If a record cannot be stored as JSON, or if the file cannot be written. The old file is not changed.
    """
    content = b"".join(map(_line, records))
    check_writable(path)
    try:
        replace_file(path, lambda file: file.write(content))
    except OSError as error:
        raise StoreError(f"results file {path} cannot be written: {error.strerror}") from error


def check_writable(path: Path) -> None:
    """Check that records can be appended to a file. Its folder and an empty file are made if they do not exist.

    Parameters
    ----------
    path : pathlib.Path
        The results file.

    Raises
    ------
    StoreError
        If the folder cannot be made, or if the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "ab"):
            pass
    except OSError as error:
        raise StoreError(f"results file {path} cannot be written: {error.strerror}") from error


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, and check that files can be written into it.

    Parameters
    ----------
    folder : pathlib.Path
        The folder. It can exist already.

    Raises
    ------
    StoreError
        If it cannot be created, or files cannot be written into it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise StoreError(f"folder {folder} cannot be written: {error.strerror}") from error
