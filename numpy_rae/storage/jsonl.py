"""Results on disk: one JSON line a run, appended at once, read back, safe against a torn last line.

A writer holds an exclusive lock while it appends, so under the lock a last line without its newline is the trace of a
writer that died, and is cut off. Readers skip it.
"""

import contextlib
import errno
import json
import math
import os
import stat
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # no advisory locks on Windows
    fcntl = None


class StoreError(Exception):
    """A results file that cannot be read or written; the message says which and why."""


def append(path: Path, record: dict) -> None:
    """Append one record and flush it to the disk. Raises StoreError if that cannot be done, or not as JSON."""
    line = _line(record)
    try:
        with open(path, "ab", buffering=0) as file, _locked(file):
            _cut_torn_line(path, file)
            _write_whole(file, line)
            os.fsync(file.fileno())
    except OSError as error:
        raise StoreError(f"results file {path} cannot be written: {error.strerror}") from error


def _line(record: dict) -> bytes:
    if not isinstance(record, dict):
        raise StoreError(f"record is a {type(record).__name__}; it must be a dict")
    try:
        return json.dumps(record, allow_nan=False).encode() + b"\n"
    except (ValueError, TypeError, RecursionError) as error:
        raise StoreError(f"record cannot be kept as JSON: {error}") from None


def _write_whole(file, line: bytes) -> None:
    """All of it or nothing: what a full disk did not take is cut off again."""
    size = file.seek(0, os.SEEK_END)
    try:
        written = file.write(line)
        if written < len(line):
            file.write(line[written:])
    except OSError:
        file.truncate(size)
        raise


@contextlib.contextmanager
def _locked(file) -> Iterator[None]:
    if fcntl:
        fcntl.flock(file, fcntl.LOCK_EX)
    yield


@contextlib.contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Hold `path` for one sweep, by a lock on a file beside it. Raises StoreError if another process holds it."""
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
            with contextlib.suppress(OSError):  # in a folder that has become read-only; the lock ends with the file
                lock.unlink(missing_ok=True)


def _lock_file(lock: Path):
    """The open, locked file at `lock`; a file that its holder has just removed is no lock, so try again."""
    while True:
        file = open(lock, "ab")
        try:
            if fcntl:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if lock.exists() and os.path.samestat(os.stat(lock), os.fstat(file.fileno())):
                return file
        except BaseException:
            file.close()
            raise
        file.close()


def _cut_torn_line(path: Path, file) -> None:
    content = path.read_bytes()
    if content and not content.endswith(b"\n"):
        file.truncate(content.rfind(b"\n") + 1)


def read(path: Path) -> list[dict]:
    """All whole records of the file, [] if there is none. Raises StoreError for a broken line before the last."""
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
    """Open without waiting for a pipe's other end; a pipe is no results file."""
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.ESPIPE, "It is a pipe")
    return descriptor


def _parse(path: Path, number: int, line: bytes) -> dict:
    try:
        record = json.loads(line, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"results file {path}, line {number} is not JSON: {error}") from None
    if not isinstance(record, dict):
        raise StoreError(f"results file {path}, line {number} is not a record")
    return record


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no number of JSON")


def _finite(text: str) -> float:
    return number if math.isfinite(number := float(text)) else _refuse(text)


def rewrite(path: Path, records: list[dict]) -> None:
    """Write the records as the whole content of the file. Raises StoreError if that cannot be done."""
    content = b"".join(map(_line, records))
    check_writable(path)
    try:
        path.write_bytes(content)
    except OSError as error:
        raise StoreError(f"results file {path} cannot be written: {error.strerror}") from error


def check_writable(path: Path) -> None:
    """Create the folder of `path` and prove that the file can be appended to. Raises StoreError if not."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "ab"):
            pass
    except OSError as error:
        raise StoreError(f"results file {path} cannot be written: {error.strerror}") from error


def make_folder(folder: Path) -> None:
    """Create a folder, and its parents. Raises StoreError if it cannot be made or written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise StoreError(f"folder {folder} cannot be written: {error.strerror}") from error
