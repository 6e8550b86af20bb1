"""Small image files for tests: idx files and CIFAR-10 archives made in memory, and functions that damage bytes."""

import gzip
import hashlib
import io
import struct
import tarfile

import numpy as np

BATCHES = np.random.default_rng(2).integers(0, 256, (5, 2, 3073), np.uint8)


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def idx(array):
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def member(number, kind=tarfile.REGTYPE, rows=None, prefix="cifar-10-batches-bin"):
    content = (BATCHES[number - 1] if rows is None else rows).tobytes()
    info = tarfile.TarInfo(f"{prefix}/data_batch_{number}.bin")
    info.type, info.size, info.linkname = kind, len(content), "data_batch_1.bin"
    return info, io.BytesIO(content) if kind == tarfile.REGTYPE else None


def archive(*members):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for info, content in members:
            tar.addfile(info, content)
    return gzip.compress(stream.getvalue(), mtime=0)  # so that the bytes do not depend on the time


def all_but(number, *others):
    return archive(*[member(other) for other in range(1, 6) if other != number], *others)


def flipped(content, bit):
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
