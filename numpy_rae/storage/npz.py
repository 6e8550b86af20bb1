"""Write and read named arrays in one `.npz` file, without pickle.

The first member, `meta` (bytes,), uint8, is a JSON object. The others are arrays. Each is stored uncompressed in format
1.0 of NumPy, little-endian, in its own memory order. `numpy.load` can read the file. Nothing in it is executed.
"""

import io
import json
import math
import os
import struct
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.storage.atomic import replace_file

META = "meta"
META_BYTES = 2**20
DTYPES = ("|u1", "<i8", "<f4", "<f8")
# The exceptions of zipfile, NumPy and json for bytes that they cannot read.
DAMAGE = (
    ValueError, KeyError, TypeError, OSError, EOFError, RuntimeError, OverflowError, struct.error, zipfile.BadZipFile
)  # fmt: skip


def write(path: Path, meta: bytes, arrays: Mapping[str, Array]) -> None:
    """Write the metadata and the arrays to exactly `path`. Equal content gives equal bytes.

    Parameters
    ----------
    path : pathlib.Path
        The file to make or to replace.
    meta : bytes
        A JSON object.
    arrays : mapping of str to ndarray
        The arrays by name, each of a dtype in DTYPES.

    Raises
    ------
    OSError
        If the file cannot be written. The old file is not changed.
    """
    content = _archive({META: np.frombuffer(meta, np.uint8), **arrays})
    replace_file(path, lambda file: file.write(content))


def _archive(members: Mapping[str, Array]) -> bytes:
    """Return the bytes of the file. The date in it is fixed, so that the bytes depend only on the content."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name, array in members.items():
            content, little = io.BytesIO(), array.astype(array.dtype.newbyteorder("<"))
            np.lib.format.write_array(content, little, version=(1, 0), allow_pickle=False)
            file.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getvalue())
    return stream.getvalue()


def read(
    file: BinaryIO, names: Iterable[str], check: Callable[[dict[str, Any]], None]
) -> tuple[dict[str, Any], dict[str, Array]]:
    """Read the metadata and the named arrays of an open file. The checksums of the archive are verified.

    No more bytes are read than the file has.

    Parameters
    ----------
    file : binary file
        A file that is open for reading.
    names : iterable of str
        The names of its arrays. The file must contain exactly these.
    check : callable
        Function that is called with the metadata before any array is read. It can raise ValueError to reject the file.

    Returns
    -------
    meta : dict
        The metadata.
    arrays : dict of str to ndarray
        The arrays by name.

    Raises
    ------
    Exception
        One of the types in DAMAGE, if the bytes are not such a file.
    """
    length = file.seek(0, os.SEEK_END)
    with zipfile.ZipFile(file) as zipped:
        found, wanted = zipped.namelist(), [f"{name}.npy" for name in (META, *names)]
        if wanted[0] in found:
            meta = json.loads(_member(zipped, META, min(length, META_BYTES + 2**10)).tobytes())
            check(meta)
        if sorted(found) != sorted(wanted):
            raise ValueError(f"it holds {', '.join(found)}; it must hold {', '.join(wanted)}")
        return meta, {name: _member(zipped, name, length) for name in names}


def _member(zipped: zipfile.ZipFile, name: str, limit: int) -> Array:
    """Return one array. If it is compressed or too long, raise an error before reading it.

    The size of a compressed array is not known before it is read.
    """
    info = zipped.getinfo(f"{name}.npy")
    if info.compress_type != zipfile.ZIP_STORED or info.file_size > limit:
        raise ValueError(f"{info.filename} is compressed or longer than {limit} bytes")
    return _parse_array(info.filename, zipped.read(info))


def _parse_array(name: str, content: bytes) -> Array:
    """Return the array from bytes in NumPy's format 1.0. The length must be exactly that of its shape and dtype."""
    stream = io.BytesIO(content)
    try:
        if np.lib.format.read_magic(stream) != (1, 0):
            raise ValueError("it has another version")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    except Exception as error:  # a damaged header raises almost any kind of error
        raise ValueError(f"{name} is not in NumPy's format 1.0: {error}") from None
    if dtype.str not in DTYPES:
        raise ValueError(f"{name} has dtype {dtype}; it must be one of {', '.join(DTYPES)}")
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(content) - stream.tell():
        raise ValueError(f"{name} has shape {shape}, which its {len(content) - stream.tell()} bytes do not fill")
    flat = np.frombuffer(content, dtype, offset=stream.tell())
    return flat.reshape(shape, order="F" if fortran else "C").astype(dtype.newbyteorder("="))
