"""Readers of image files: idx, the CIFAR-10 archive and .npy. They check every byte count before they use it."""

import gzip
import math
import os
import tarfile
import zlib
from typing import BinaryIO

import numpy as np

from numpy_rae import _validation
from numpy_rae.data.folders import DataError

ROW = 1 + 3 * 32 * 32
# Room for the headers and the small files of an archive.
ARCHIVE_OVERHEAD = 2**20
# The exceptions that gzip and tarfile raise for damaged bytes.
TAR_DAMAGE = (
    tarfile.TarError, OSError, EOFError, zlib.error, ValueError, IndexError, KeyError, OverflowError, RecursionError
)  # fmt: skip


def parse_idx(content: bytes, name: str = "content") -> np.ndarray:
    """The uint8 array, of one to four dimensions, in the bytes of an idx file; DataError if they are not one."""
    if not isinstance(content, bytes):
        raise DataError(f"{name} is a {type(content).__name__}; it must be the bytes of an idx file.")
    if len(content) < 4 or content[:3] != b"\0\0\x08" or not 1 <= content[3] <= 4:
        raise DataError(f"{name} begins with {content[:4]!r}; an idx file of bytes begins 0, 0, 8, then 1 to 4 axes.")
    begin = 4 + 4 * content[3]
    shape = [int.from_bytes(content[at : at + 4], "big") for at in range(4, begin, 4)]
    if 0 in shape or len(content) - begin != math.prod(shape):
        raise DataError(f"{name} has {len(content)} bytes; shape {shape} takes {begin + math.prod(shape)}, above 0.")
    return np.frombuffer(content, np.uint8, offset=begin).reshape(shape).copy()


def parse_cifar10(stream: BinaryIO, name: str = "archive", per_batch: int = 10_000) -> np.ndarray:
    """Training images, uint8 (5 * per_batch, 3, 32, 32), of an open CIFAR-10 tar.gz; DataError if it is not one.

    Members are taken by name, none is written anywhere; no more is unpacked than twice what five batches take.
    """
    if not hasattr(stream, "read") or not isinstance(per_batch, int) or per_batch < 1:
        raise DataError(f"{name}: it must be a file open for reading, with at least 1 image a batch ({per_batch!r}).")
    wanted = [f"cifar-10-batches-bin/data_batch_{number}.bin" for number in range(1, 6)]
    batches = {}
    try:
        with gzip.open(stream) as unzipped:
            bounded = _Bounded(unzipped, 10 * per_batch * ROW + ARCHIVE_OVERHEAD)
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
    """The first `limit` bytes of a stream; whoever asks for more gets an OSError.

    So does who goes on asking at its end: tarfile would do it once for every 10 kB that a member claims to have.
    """

    def __init__(self, stream: BinaryIO, limit: int):
        self.stream, self.limit, self.left, self.asks_left = stream, limit, limit, 10

    def read(self, size: int) -> bytes:
        block = self.stream.read(min(size, self.left + 1))
        self.left -= len(block)
        self.asks_left -= not block
        if self.left < 0:
            raise OSError(f"it unpacks to more than {self.limit} bytes")
        if self.asks_left < 0:
            raise OSError("it ends within a member")
        return block


def _batch(archive: tarfile.TarFile, member: tarfile.TarInfo, count: int, name: str) -> np.ndarray:
    size = count * ROW
    if not member.isreg() or member.issparse() or member.size != size:
        raise DataError(f"{name}: {member.name} has {member.size} bytes; it must be a regular file of {size}.")
    rows = np.frombuffer(archive.extractfile(member).read(), np.uint8).reshape(count, ROW)
    return rows[:, 1:].reshape(count, 3, 32, 32)


def load_images(path: str | os.PathLike) -> np.ndarray:
    """Images of a .npy file as uint8 (N, C, H, W), C 1 or 3; DataError otherwise.

    The file holds uint8 (N, C, H, W), (N, H, W, C) or (N, H, W); what fits the first two is read as the first.
    """
    may_be = "it may be a .npy file of uint8 (N, C, H, W), (N, H, W, C) or (N, H, W), C 1 or 3, no axis empty"
    try:
        path = _validation.user_path(path)
        if os.path.exists(path) and not path.is_file():  # a pipe would be waited for
            raise OSError("it is no regular file")
        images = np.lib.format.open_memmap(path, mode="r")
    except Exception as error:  # a damaged header surfaces as almost any kind
        raise DataError(f"path was {str(path)!r}; {may_be}: {error}.") from error
    found = f"{images.dtype} {images.shape}"
    images = images[:, None] if images.ndim == 3 else images
    if images.ndim == 4 and images.shape[1] not in (1, 3):
        images = images.transpose(0, 3, 1, 2)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3) or images.size == 0:
        raise DataError(f"path was {str(path)!r}, {found}; {may_be}.")
    return np.array(images, order="C")

