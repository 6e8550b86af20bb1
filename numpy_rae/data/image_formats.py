"""Read image files: idx, the CIFAR-10 archive and .npy. Every byte count is checked before it is used."""

import gzip
import math
import os
import tarfile
import zlib
from typing import IO, BinaryIO, cast

import numpy as np

from numpy_rae import _validation
from numpy_rae._validation import Array
from numpy_rae.data.folders import DataError

ROW = 1 + 3 * 32 * 32
# Additional bytes that are allowed for the headers and the small files of an archive.
ARCHIVE_OVERHEAD = 2**20
# The exceptions that gzip and tarfile raise for damaged bytes.
TAR_DAMAGE = (
    tarfile.TarError, OSError, EOFError, zlib.error, ValueError, IndexError, KeyError, OverflowError, RecursionError
)  # fmt: skip


def parse_idx(content: bytes, name: str = "content") -> Array:
    """Return the array in the bytes of an idx file.

    Parameters
    ----------
    content : bytes
        The whole file.
    name : str
        Name of the file in a message.

    Returns
    -------
    ndarray, uint8
        An array of one to four dimensions.

    Raises
    ------
    DataError
        If the bytes are not an idx file of uint8.
    """
    if not isinstance(content, bytes):
        raise DataError(f"{name} is a {type(content).__name__}; it must be the bytes of an idx file.")
    if len(content) < 4 or content[:3] != b"\0\0\x08" or not 1 <= content[3] <= 4:
        raise DataError(f"{name} begins with {content[:4]!r}; an idx file of bytes begins 0, 0, 8, then 1 to 4 axes.")
    begin = 4 + 4 * content[3]
    shape = [int.from_bytes(content[at : at + 4], "big") for at in range(4, begin, 4)]
    if 0 in shape or len(content) - begin != math.prod(shape):
        raise DataError(f"{name} has {len(content)} bytes; shape {shape} takes {begin + math.prod(shape)}, above 0.")
    return np.frombuffer(content, np.uint8, offset=begin).reshape(shape).copy()


def parse_cifar10(stream: BinaryIO, name: str = "archive", per_batch: int = 10_000) -> Array:
    """Return the training images in a CIFAR-10 archive.

    Members are read by their exact names, and none is written to the disk. At most twice the size of five batches is
    unpacked.

    Parameters
    ----------
    stream : binary file
        The tar.gz archive, open for reading.
    name : str
        Name of the file in a message.
    per_batch : int
        Number of images in each of the five batches.

    Returns
    -------
    ndarray, shape (5 per_batch, 3, 32, 32), uint8
        The images.

    Raises
    ------
    DataError
        If the file is not a CIFAR-10 archive, or `per_batch` does not fit it.
    """
    if not hasattr(stream, "read") or not isinstance(per_batch, int) or per_batch < 1:
        raise DataError(f"{name}: it must be a file open for reading, with at least 1 image a batch ({per_batch!r}).")
    wanted = [f"cifar-10-batches-bin/data_batch_{number}.bin" for number in range(1, 6)]
    batches: dict[str, Array] = {}
    try:
        with gzip.open(stream) as unzipped:
            bounded = cast(BinaryIO, _Bounded(unzipped, 10 * per_batch * ROW + ARCHIVE_OVERHEAD))
            with tarfile.open(fileobj=bounded, mode="r|") as archive:
                for member in archive:
                    if member.name in batches:
                        raise DataError(f"{name} holds {member.name} twice.")
                    if member.name in wanted:
                        batches[member.name] = _batch(archive, member, per_batch, name)
    except TAR_DAMAGE as error:
        raise DataError(f"{name} cannot be read as tar.gz: {error}.") from error
    if missing := [member for member in wanted if member not in batches]:
        raise DataError(f"{name} lacks {', '.join(missing)}.")
    return np.concatenate([batches[member] for member in wanted])


class _Bounded:
    """The first `limit` bytes of a stream. A read beyond them raises OSError.

    The eleventh read at the end of the stream, and each later one, raises OSError. Without this, tarfile would read at
    the end once for every 10 kB of the size that a damaged header gives.
    """

    def __init__(self, stream: gzip.GzipFile, limit: int):
        self.stream, self.limit, self.left, self.asks_left = stream, limit, limit, 10

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes."""
        block = self.stream.read(min(size, self.left + 1))
        self.left -= len(block)
        self.asks_left -= not block
        if self.left < 0:
            raise OSError(f"it unpacks to more than {self.limit} bytes")
        if self.asks_left < 0:
            raise OSError("it ends within a member")
        return block


def _batch(archive: tarfile.TarFile, member: tarfile.TarInfo, count: int, name: str) -> Array:
    """Return the images of one member of the archive."""
    size = count * ROW
    if not member.isreg() or member.issparse() or member.size != size:
        raise DataError(f"{name}: {member.name} has {member.size} bytes; it must be a regular file of {size}.")
    content = cast(IO[bytes], archive.extractfile(member)).read()  # it is None for a folder only
    rows = np.frombuffer(content, np.uint8).reshape(count, ROW)
    return rows[:, 1:].reshape(count, 3, 32, 32)


def load_images(path: str | os.PathLike[str]) -> Array:
    """Load images from a .npy file.

    Parameters
    ----------
    path : str or os.PathLike
        The file. It contains uint8 of shape (N, C, H, W), (N, H, W, C) or (N, H, W), with C = 1 or 3. If both of the
        first two forms are possible, the first is used. A leading `~` is expanded.

    Returns
    -------
    ndarray, shape (N, C, H, W), uint8
        The images.

    Raises
    ------
    DataError
        If it is not such a file.
    """
    may_be = "it may be a .npy file of uint8 (N, C, H, W), (N, H, W, C) or (N, H, W), C 1 or 3, no axis empty"
    try:
        path = _validation.user_path(path)
        if os.path.exists(path) and not path.is_file():  # opening a pipe would wait for its other end
            raise OSError("it is not a regular file")
        images: Array = np.lib.format.open_memmap(path, mode="r")
    except Exception as error:  # a damaged header raises almost any kind of error
        raise DataError(f"path was {str(path)!r}; {may_be}: {error}.") from error
    found = f"{images.dtype} {images.shape}"
    images = images[:, None] if images.ndim == 3 else images
    if images.ndim == 4 and images.shape[1] not in (1, 3):
        images = images.transpose(0, 3, 1, 2)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3) or images.size == 0:
        raise DataError(f"path was {str(path)!r}, {found}; {may_be}.")
    return np.array(images, order="C")
