"""Trained models on disk: one `.npz` of plain arrays, written at once or not at all, verified before it is used.

Members, each stored uncompressed in NumPy's format 1.0, little-endian (`numpy.load` reads them, without pickle):

    meta   (bytes,)  uint8: JSON with format, version, activation, model, config, notes
    W      (m, n)    float32 or float64; its memory order is kept, because a step rounds by it
    b_e    (m,)      of W's dtype

Nothing in a file is executed: activations are found by name in a table, and arrays of Python objects are refused.
"""

import io
import json
import math
import os
import struct
import uuid
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from numpy_rae import validation
from numpy_rae.activations import ACTIVATIONS, Activation
from numpy_rae.autoencoder import Params
from numpy_rae.training import TrainConfig

FORMAT, VERSION = "numpy_rae model", 1
MEMBERS = ("meta.npy", "W.npy", "b_e.npy")
META_BYTES = 2**20
# What zipfile, NumPy and json raise at bytes that are not theirs.
DAMAGE = (
    ValueError, KeyError, TypeError, OSError, EOFError, RuntimeError, OverflowError, struct.error, zipfile.BadZipFile
)  # fmt: skip


class ModelFileError(ValueError):
    """A model file that cannot be written, read or used; the message names the file and says why."""


class SavedModel(NamedTuple):
    """What a file holds: the parameters, how they encode (`activation`), and how they were trained."""

    params: Params
    activation: Activation
    config: TrainConfig
    model: str
    notes: dict[str, Any]


def save(
    path: str | Path, params: Params, activation: str, config: TrainConfig, model: str, notes: dict | None = None
) -> None:
    """Write W (m, n) and b_e (m,) to exactly `path`, with the names of activation and model and free JSON `notes`.

    Equal arguments in equal memory order give equal bytes. Raises ValueError for arguments that would not come back as
    they are, and ModelFileError if the file cannot be written; what stood at `path` before is then still there.
    """
    meta = {"activation": activation, "model": model, "config": asdict(config), "notes": {} if notes is None else notes}
    check_meta(meta)
    check_params(params, config)
    content = json.dumps({"format": FORMAT, "version": VERSION, **as_json(meta)}).encode()
    if len(content) > META_BYTES:
        raise ValueError(f"notes take {len(content)} bytes with the configuration; they may take {META_BYTES}")
    replace_file(Path(path), archive([np.frombuffer(content, np.uint8), *params]))


def check_meta(meta: dict) -> None:
    """Activation and model are kept by name; notes are an object of JSON."""
    for name in ("activation", "model"):
        if not isinstance(meta[name], str):
            raise ValueError(f"{name} is {meta[name]!r}; it must be a name")
    if not isinstance(meta["notes"], dict):
        raise ValueError(f"notes is {meta['notes']!r}; it must be a dict")


def check_params(params: Params, config: TrainConfig) -> None:
    """W and b_e are finite, of one dtype, and of the size the configuration gives."""
    W, b_e = params
    validation.matrix("W", W)
    validation.like("W", W, (config.hidden, W.shape[1]), np.dtype(config.dtype))
    validation.like("b_e", b_e, (config.hidden,), W.dtype)
    if not np.isfinite(b_e).all():
        raise ValueError("b_e contains NaN or inf; every entry must be finite")


def as_json(meta: dict) -> dict:
    """`meta` as JSON gives it back; NumPy's numbers become Python's, and what would change is refused."""
    try:
        back = json.loads(json.dumps(meta, allow_nan=False, default=plain_number))
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"notes or config cannot be kept as JSON: {error}") from None
    if back != meta:
        raise ValueError("notes would come back changed; they must be JSON's types: no tuple, and no key but strings")
    return back


def plain_number(value: np.generic) -> float | int | bool:
    """What JSON can hold of a value it does not know."""
    if not isinstance(value, np.generic):
        raise TypeError(f"{type(value).__name__} is not JSON's")
    return value.item()


def archive(arrays: list[np.ndarray]) -> bytes:
    """The file's bytes. The date is the archive format's first, so that they depend on the arrays alone."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name, array in zip(MEMBERS, arrays, strict=True):
            member, little = io.BytesIO(), array.astype(array.dtype.newbyteorder("<"))
            np.lib.format.write_array(member, little, version=(1, 0), allow_pickle=False)
            file.writestr(zipfile.ZipInfo(name), member.getvalue())
    return stream.getvalue()


def replace_file(path: Path, content: bytes) -> None:
    """Write beside `path`, flush to the disk, then rename: a reader sees the old file or the new one, whole."""
    beside = path.parent / f".{uuid.uuid4().hex}.tmp"
    try:
        try:
            with open(beside, "xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise ModelFileError(f"model file {path} cannot be written: {error.strerror or error}") from error


def load(path: str | Path, activations: Mapping[str, Activation] = ACTIVATIONS) -> SavedModel:
    """Read a file that `save` wrote; `activations` is the table in which its activation is looked up by name.

    Raises ModelFileError for anything else. No more is read than the file is long.
    """
    try:
        file = open(path, "rb")
    except OSError as error:
        raise ModelFileError(f"model file {path} cannot be read: {error.strerror or error}") from error
    with file:
        try:
            return parse(*contents(file), activations)
        except DAMAGE as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ModelFileError(f"model file {path} cannot be used: {reason}") from None


def contents(file) -> tuple[dict, Params]:
    """Metadata and parameters, by way of the archive's checksums."""
    length = file.seek(0, os.SEEK_END)
    with zipfile.ZipFile(file) as zipped:
        names, (first, *others) = zipped.namelist(), MEMBERS
        # The version comes before anything that another version may have changed.
        meta = parse_meta(member(zipped, first, min(length, META_BYTES + 2**10))) if first in names else {}
        if sorted(names) != sorted(MEMBERS):
            raise ValueError(f"it holds {', '.join(names)}; it must hold {', '.join(MEMBERS)}")
        return meta, Params(*(member(zipped, name, length) for name in others))


def member(zipped: zipfile.ZipFile, name: str, limit: int) -> np.ndarray:
    """One array, refused before it is read if it is compressed (its size would be a claim) or beyond `limit` bytes."""
    info = zipped.getinfo(name)
    if info.compress_type != zipfile.ZIP_STORED or info.file_size > limit:
        raise ValueError(f"{name} is compressed or longer than {limit} bytes")
    return parse_array(name, zipped.read(info))


def parse_array(name: str, content: bytes) -> np.ndarray:
    """An array of NumPy's format 1.0 whose bytes are exactly those that shape and dtype ask for."""
    stream = io.BytesIO(content)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError(f"{name} is not in NumPy's format 1.0")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    if dtype.str not in ("|u1", "<f4", "<f8"):
        raise ValueError(f"{name} has dtype {dtype}; no array but uint8 and little-endian float32 and float64 is read")
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(content) - stream.tell():
        raise ValueError(f"{name} has shape {shape}, which its {len(content) - stream.tell()} bytes do not fill")
    flat = np.frombuffer(content, dtype, offset=stream.tell())
    return flat.reshape(shape, order="F" if fortran else "C").astype(dtype.newbyteorder("="))


def parse_meta(array: np.ndarray) -> dict:
    """The JSON, if it is this format and version."""
    meta = json.loads(array.tobytes())
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        raise ValueError("it does not say that it is a numpy_rae model")
    if meta.get("version") != VERSION:
        raise ValueError(f"it has format version {meta.get('version')!r}; this release reads {VERSION}")
    return meta


def parse(meta: dict, params: Params, activations: Mapping[str, Activation]) -> SavedModel:
    """Metadata and parameters that agree with each other."""
    check_meta(meta)
    config = TrainConfig(**meta["config"])
    check_params(params, config)
    if meta["activation"] not in activations:
        known = ", ".join(activations)
        raise ValueError(f"its activation {meta['activation']!r} is not among {known}; give it in `activations`")
    return SavedModel(params, activations[meta["activation"]], config, meta["model"], meta["notes"])
