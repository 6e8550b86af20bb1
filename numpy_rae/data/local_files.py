"""Find a file of an image set on this machine. The SHA-256 decides, so any name and any nesting will do."""

import gzip
import hashlib
import os
import tarfile
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from numpy_rae.data.folders import DataError
from numpy_rae.data.image_formats import TAR_DAMAGE, parse_idx
from numpy_rae.data.sources import RemoteFile

GZIP_MAGIC = b"\x1f\x8b"
# Deflate shrinks no data more than 1032 times, and adds little to data that it cannot shrink.
MOST_SHRUNK, MOST_GROWN = 1032, 1.01
GZIP_OVERHEAD = 2**12
# A data folder can be a home folder or a network share by mistake.
MOST_ENTRIES, MOST_DEPTH = 10_000, 6
NOT_SEARCHED = ("prepared",)


def find(remote: RemoteFile, folder: Path) -> tuple[Path, bytes]:
    """Return the path and the verified content of the first good copy of `remote` below `folder`.

    The usual names come first. Then come all files that have the right size, by any name, up to MOST_ENTRIES entries.

    Raises
    ------
    DataError
        If there is no good copy. The message names the copies with a usual name and what is wrong with them.
    """
    faults = []
    for path in _usual_paths(remote, folder):
        try:
            if os.path.lexists(path) and not path.is_dir():
                return path, read_verified(path, remote)
        except (DataError, OSError) as error:
            faults.append(str(error))
    for path in files_below(folder):
        with suppress(DataError, OSError):
            if _has_right_size(path, remote):
                return path, read_verified(path, remote)
    raise DataError(
        f"{remote.name} is not in {folder}: {' '.join(faults) or 'there is no such file.'} "
        f'Run: python -m numpy_rae fetch {remote.dataset} --dir "{folder}"'
    )


def _usual_paths(remote: RemoteFile, folder: Path) -> list[Path]:
    """Return the paths at which `fetch` and most users keep the file."""
    names = [remote.name] + [remote.name.removesuffix(".gz")] * bool(remote.raw_sha256)
    return [base / name for base in (folder, folder / remote.dataset) for name in names]


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the regular files below `folder`, the nearest first; hidden, partial and linked entries are left out."""
    waiting, left = deque([(folder, 0)]), MOST_ENTRIES
    while waiting:
        base, depth = waiting.popleft()
        with suppress(OSError), os.scandir(base) as entries:
            for entry in entries:
                left -= 1
                if left < 0:
                    return
                if entry.name.startswith(".") or entry.name in NOT_SEARCHED or entry.name.endswith(".part"):
                    continue
                if entry.is_dir(follow_symlinks=False) and depth < MOST_DEPTH:
                    waiting.append((Path(entry.path), depth + 1))
                elif entry.is_file():
                    yield Path(entry.path)


def _has_right_size(path: Path, remote: RemoteFile) -> bool:
    """Tell whether the size, and for gzip the unpacked size at its end, are those of `remote`, without hashing it."""
    size = path.stat().st_size
    if remote.raw_size is None:
        return size == remote.size
    if size == remote.raw_size:
        return True
    if not remote.raw_size / MOST_SHRUNK <= size <= remote.raw_size * MOST_GROWN + GZIP_OVERHEAD:
        return False
    with open(path, "rb") as stream:
        if not is_gzip(stream):
            return False
        stream.seek(-4, os.SEEK_END)
        return int.from_bytes(stream.read(4), "little") == remote.raw_size % 2**32


def is_gzip(stream: BinaryIO) -> bool:
    """Tell by the first bytes; browsers unpack a .gz and keep its name. The stream is at its beginning afterwards."""
    magic = stream.read(len(GZIP_MAGIC))
    stream.seek(0)
    return magic == GZIP_MAGIC


def read_verified(path: Path, remote: RemoteFile) -> bytes:
    """Return the content of `path`, unpacked where `remote` gives `raw_*`; DataError if it is another."""
    raw = remote.raw_sha256 is not None
    size, sha256 = (remote.raw_size, remote.raw_sha256) if raw else (remote.size, remote.sha256)
    content = read_content(path, size + 1, raw)
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        length = f"more than {size}" if len(content) > size else len(content)
        raise DataError(f"{path} holds {length} bytes, SHA-256 {found}; expected are {size}, SHA-256 {sha256}.")
    return content


def read_content(path: Path, limit: int, unpack: bool) -> bytes:
    """Return at most `limit` bytes of a file, or of what its gzip holds if `unpack`; DataError if that fails."""
    try:
        if os.path.exists(path) and not path.is_file():  # a pipe would be waited for
            raise DataError(f"{path} cannot be read: it is no regular file.")
        with open(path, "rb") as stream:
            if not (unpack and is_gzip(stream)):
                return stream.read(limit)
            with gzip.open(stream) as unpacked:
                return unpacked.read(limit)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}.") from error


def refuse_other_data_set(path: Path, remote: RemoteFile) -> None:
    """Raise DataError if `path` is a whole file of another data set, which a download would replace.

    Fashion-MNIST, KMNIST and EMNIST use the names of MNIST's files. A file that can be parsed is no damaged download.
    """
    if not path.is_file() or not _is_whole(path, remote):
        return
    raise DataError(
        f"{path} is a whole file, but not {remote.name} of {remote.dataset}: its SHA-256 is another. It can belong to "
        "another data set with the same file names, such as Fashion-MNIST, so it is not replaced. Move it out of this "
        "folder, or name another folder with --dir or NUMPY_RAE_DATA."
    )


def _is_whole(path: Path, remote: RemoteFile) -> bool:
    """Tell whether the file is an undamaged idx file or tar.gz archive, whichever `remote` is."""
    if remote.name.endswith(".tar.gz"):
        return _is_whole_archive(path)
    try:
        parse_idx(read_content(path, 2**31, unpack=True))
    except DataError:
        return False
    return True


def _is_whole_archive(path: Path) -> bool:
    """Tell whether a tar.gz can be read to its end, which checks the checksum of gzip."""
    try:
        with gzip.open(path) as unzipped, tarfile.open(fileobj=unzipped, mode="r|") as archive:
            members = sum(1 for _ in archive)
            while unzipped.read(2**20):
                pass
    except TAR_DAMAGE:
        return False
    return members > 0
