"""Find a file of an image set on this machine by its SHA-256. It can have any name and be in any folder."""

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
# Deflate compresses data to at least 1/1032 of their size. Data that cannot be compressed become only a little longer.
MOST_SHRUNK, MOST_GROWN = 1032, 1.01
GZIP_OVERHEAD = 2**12
# The search is limited, because a user can give a home folder or a network share as the data folder by mistake.
MOST_ENTRIES, MOST_DEPTH = 10_000, 6
NOT_SEARCHED = ("prepared",)


def find(remote: RemoteFile, folder: Path) -> tuple[Path, bytes]:
    """Find the first undamaged copy of a file below a folder.

    Files with the usual names are checked first, then all files of the right size. At most MOST_ENTRIES entries are
    inspected.

    Parameters
    ----------
    remote : RemoteFile
        The file.
    folder : pathlib.Path
        The data folder.

    Returns
    -------
    path : pathlib.Path
        The path of the copy.
    content : bytes
        Its verified content, unpacked if `remote` gives a `raw_sha256`.

    Raises
    ------
    DataError
        If there is no undamaged copy. The message lists the files with a usual name and the fault of each.
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
    """Yield the files below a folder, the nearest first.

    Hidden entries, parts of downloads, prepared data and links to folders are left out.

    Parameters
    ----------
    folder : pathlib.Path
        The folder. It is searched MOST_DEPTH folders deep.

    Yields
    ------
    pathlib.Path
        A regular file.
    """
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
    """Return whether the size of a file, or the unpacked size at the end of a gzip file, is that of `remote`."""
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
    """Return whether a file is a gzip file, by its first bytes.

    The name is not enough, because browsers can unpack a .gz file and keep its name.

    Parameters
    ----------
    stream : binary file
        A file that is open for reading, at its beginning. Its position does not change.

    Returns
    -------
    bool
        True if it begins like a gzip file.
    """
    magic = stream.read(len(GZIP_MAGIC))
    stream.seek(0)
    return magic == GZIP_MAGIC


def read_verified(path: Path, remote: RemoteFile) -> bytes:
    """Return the content of a file after checking its SHA-256.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    remote : RemoteFile
        The expected file. If it has `raw_size` and `raw_sha256`, a gzip file is unpacked.

    Returns
    -------
    bytes
        The content.

    Raises
    ------
    DataError
        If the file cannot be read, or if it has another SHA-256.
    """
    size, sha256, raw = remote.size, remote.sha256, False
    if remote.raw_size is not None and remote.raw_sha256 is not None:
        size, sha256, raw = remote.raw_size, remote.raw_sha256, True
    content = read_content(path, size + 1, raw)
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        length = f"more than {size}" if len(content) > size else len(content)
        raise DataError(f"{path} holds {length} bytes, SHA-256 {found}; expected are {size}, SHA-256 {sha256}.")
    return content


def read_content(path: Path, limit: int, unpack: bool) -> bytes:
    """Return the first bytes of a file.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    limit : int
        The largest number of bytes to return.
    unpack : bool
        Whether to unpack a gzip. Any other file is returned as it is.

    Returns
    -------
    bytes
        At most `limit` bytes.

    Raises
    ------
    DataError
        If the file cannot be read, or if it is not a regular file.
    """
    try:
        if os.path.exists(path) and not path.is_file():  # opening a pipe would wait for its other end
            raise DataError(f"{path} cannot be read: it is not a regular file.")
        with open(path, "rb") as stream:
            if not (unpack and is_gzip(stream)):
                return stream.read(limit)
            with gzip.open(stream) as unpacked:
                return unpacked.read(limit)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}.") from error


def refuse_other_data_set(path: Path, remote: RemoteFile) -> None:
    """Raise DataError if a download would replace an undamaged file of another data set.

    Fashion-MNIST, KMNIST and EMNIST use the names of MNIST's files. A file that cannot be parsed counts as a damaged
    download, and it can be replaced.

    Parameters
    ----------
    path : pathlib.Path
        The target of the download.
    remote : RemoteFile
        The file to download.

    Raises
    ------
    DataError
        If there is such a file.
    """
    if not path.is_file() or not _is_whole(path, remote):
        return
    raise DataError(
        f"{path} is a whole file, but not {remote.name} of {remote.dataset}: its SHA-256 is another. It can belong to "
        "another data set with the same file names, such as Fashion-MNIST, so it is not replaced. Move it out of this "
        "folder, or name another folder with --dir or NUMPY_RAE_DATA."
    )


def _is_whole(path: Path, remote: RemoteFile) -> bool:
    """Return whether the file is undamaged: an idx file or a tar.gz archive, depending on the type of `remote`."""
    if remote.name.endswith(".tar.gz"):
        return _is_whole_archive(path)
    try:
        parse_idx(read_content(path, 2**31, unpack=True))
    except DataError:
        return False
    return True


def _is_whole_archive(path: Path) -> bool:
    """Return whether a tar.gz can be read to its end. This also verifies the checksum of gzip."""
    try:
        with gzip.open(path) as unzipped, tarfile.open(fileobj=unzipped, mode="r|") as archive:
            members = sum(1 for _ in archive)
            while unzipped.read(2**20):
                pass
    except TAR_DAMAGE:
        return False
    return members > 0
