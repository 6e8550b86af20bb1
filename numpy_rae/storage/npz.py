"""Arrays on disk without pickle: one `.npz` of named arrays, written whole or not at all, verified before it is used.

The first member, `meta` (bytes,), uint8, is a JSON object; the others are arrays, each stored uncompressed in NumPy's format
1.0, little-endian, in its own memory order. `numpy.load` reads such a file. Nothing in it is executed.
"""

import errno
import io
import json
import math
import os
import struct
import uuid
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np

META = "meta"
META_BYTES = 2**20
DTYPES = ("|u1", "<i8", "<f4", "<f8")
# What zipfile, NumPy and json raise at bytes that are not theirs.
DAMAGE = (
    ValueError, KeyError, TypeError, OSError, EOFError, RuntimeError, OverflowError, struct.error, zipfile.BadZipFile
)  # fmt: skip


def write(path: Path, meta: bytes, arrays: Mapping[str, np.ndarray]) -> None:
    """Write to exactly `path`; equal content gives equal bytes. Raises OSError, and what stood there before stays."""
    content = archive({META: np.frombuffer(meta, np.uint8), **arrays})
    replace_file(path, lambda file: file.write(content))


def archive(members: Mapping[str, np.ndarray]) -> bytes:
    """The file's bytes. The date is the archive format's first, so that they depend on the arrays alone."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name, array in members.items():
            content, little = io.BytesIO(), array.astype(array.dtype.newbyteorder("<"))
            np.lib.format.write_array(content, little, version=(1, 0), allow_pickle=False)
            file.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getvalue())
    return stream.getvalue()


def replace_file(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file so that every reader sees the whole old file or the whole new one, and nothing in between.

    `write` fills a file beside `path`, which is flushed to the disk and then renamed. Its mode is 0666 without the
    bits of the umask.

    Parameters
    ----------
    path : pathlib.Path
        The file to make or to replace.
    write : callable
        Called once with the open binary file.

    Raises
    ------
    OSError
        If the file cannot be written, or if `path` is a device, a pipe or a folder. What stood there before stays.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "It is no regular file")
    beside = path.parent / f".{uuid.uuid4().hex}.tmp"
    try:
        with open(beside, "xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def read(file, names: Iterable[str], check: Callable[[dict], None]) -> tuple[dict, dict[str, np.ndarray]]:
    """Metadata and the arrays `names` of an open file, by way of the archive's checksums.

    `check(meta)` may refuse before any other member is looked at. Raises one of DAMAGE for bytes that are not such a
    file; no more is read than the file is long.
    """
    length = file.seek(0, os.SEEK_END)
    with zipfile.ZipFile(file) as zipped:
        found, wanted = zipped.namelist(), [f"{name}.npy" for name in (META, *names)]
        if wanted[0] in found:
            meta = json.loads(member(zipped, META, min(length, META_BYTES + 2**10)).tobytes())
            check(meta)
        if sorted(found) != sorted(wanted):
            raise ValueError(f"it holds {', '.join(found)}; it must hold {', '.join(wanted)}")
        return meta, {name: member(zipped, name, length) for name in names}


def member(zipped: zipfile.ZipFile, name: str, limit: int) -> np.ndarray:
    """One array, refused before it is read if it is compressed (its size would be a claim) or beyond `limit` bytes."""
    info = zipped.getinfo(f"{name}.npy")
    if info.compress_type != zipfile.ZIP_STORED or info.file_size > limit:
        raise ValueError(f"{info.filename} is compressed or longer than {limit} bytes")
    return parse_array(info.filename, zipped.read(info))


def parse_array(name: str, content: bytes) -> np.ndarray:
    """An array of NumPy's format 1.0 whose bytes are exactly those that shape and dtype ask for."""
    stream = io.BytesIO(content)
    try:
        if np.lib.format.read_magic(stream) != (1, 0):
            raise ValueError("it is another version's")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    except Exception as error:  # a damaged header surfaces as almost any kind
        raise ValueError(f"{name} is not in NumPy's format 1.0: {error}") from None
    if dtype.str not in DTYPES:
        raise ValueError(f"{name} has dtype {dtype}; no array is read but of dtype {', '.join(DTYPES)}")
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(content) - stream.tell():
        raise ValueError(f"{name} has shape {shape}, which its {len(content) - stream.tell()} bytes do not fill")
    flat = np.frombuffer(content, dtype, offset=stream.tell())
    return flat.reshape(shape, order="F" if fortran else "C").astype(dtype.newbyteorder("="))
