"""The file readers as functions of bytes. Each returns a value with the promised properties or raises the documented
error.

`READERS` has whole files for each reader, from which the fuzzer starts. Some formats protect their content by a
checksum. A mutated file then fails the checksum and never reaches the code behind it. So these readers have a second
entry (`...-members` or `...-tar`): its input is the content, and the function packs it with a valid checksum.
"""

import gzip
import io
import json
import struct
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np

from numpy_rae import training
from numpy_rae.activations import PAPER_ACTIVATIONS, RELU
from numpy_rae.autoencoder import Params
from numpy_rae.data import folders, image_formats
from numpy_rae.experiments import checkpoint
from numpy_rae.objectives import AE
from numpy_rae.storage import jsonl, model_file
from numpy_rae.train_config import TrainConfig

SCRATCH = tempfile.TemporaryDirectory()
FOLDER = Path(SCRATCH.name)
PREFIX = "cifar-10-batches-bin"
CUT = b"--member--"
CONFIG = TrainConfig(hidden=2, dtype="float64")
RUN = {"model": "AE"}
MODEL = ("meta.npy", "W.npy", "b_e.npy")
STATE = ("meta.npy", *(f"{name}.npy" for name in checkpoint.ARRAYS))


class Reader(NamedTuple):
    """`read(content)` must return or raise `error`.

    Any other exception is a fault. It returns for each file in `whole`.
    """

    read: Callable[[bytes], object]
    error: type[Exception]
    whole: tuple[bytes, ...]


def written(content: bytes, name: str) -> Path:
    """Write a file with this content, for readers that take a path."""
    path = FOLDER / name
    path.write_bytes(content)
    return path


def idx(content: bytes) -> np.ndarray:
    """Return the array. Its bytes must be the bytes after the file's header."""
    array = image_formats.parse_idx(content)
    assert array.dtype == np.uint8 and 1 <= array.ndim <= 4 and content.endswith(array.tobytes())
    assert len(content) == 4 + 4 * array.ndim + array.size
    return array


def cifar10(content: bytes) -> np.ndarray:
    """Read an archive with one image per batch instead of 10,000."""
    images = image_formats.parse_cifar10(io.BytesIO(content), per_batch=1)
    assert images.dtype == np.uint8 and images.shape == (5, 3, 32, 32)
    return images


def cifar10_tar(content: bytes) -> np.ndarray:
    return cifar10(gzip.compress(content, 0, mtime=0))


def images(content: bytes) -> np.ndarray:
    found = image_formats.load_images(written(content, "images.npy"))
    assert found.dtype == np.uint8 and found.ndim == 4 and found.shape[1] in (1, 3) and 0 < found.size <= len(content)
    return found


def model(content: bytes) -> model_file.SavedModel:
    """Load a model and check that it could be saved again: no entry is NaN, and every shape is right."""
    found = model_file.load(written(content, "model.npz"))
    model_file.check_params(found.params, found.config)
    json.dumps(found.notes, allow_nan=False)
    assert found.activation.name in PAPER_ACTIVATIONS and isinstance(found.model, str)
    return found


def packed(content: bytes, members: tuple[str, ...]) -> bytes:
    """Return the archive of the members. In `content` they are separated by CUT."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name, part in zip(members, content.split(CUT), strict=False):
            file.writestr(name, part)
    return stream.getvalue()


def unpacked(content: bytes, members: tuple[str, ...]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return CUT.join(file.read(name) for name in members)


def state(content: bytes) -> training.TrainState:
    """Load a training state and check that it can be saved again."""
    found = checkpoint.load(written(content, "state.npz"), RUN)
    checkpoint.save(FOLDER / "again.npz", found, RUN)
    assert np.isfinite(found.params.W).all() and found.params.W.shape == found.velocity.W.shape
    return found


def records(content: bytes) -> list[dict]:
    """Read records and check that JSON can store each of them again."""
    found = jsonl.read(written(content, "results.jsonl"))
    assert all(isinstance(entry, dict) for entry in found)
    json.dumps(found, allow_nan=False)
    return found


def whole_idx() -> bytes:
    return b"\0\0\x08\x03" + struct.pack(">3I", 2, 3, 4) + bytes(range(24))


def whole_tar(format: int = tarfile.USTAR_FORMAT, **more) -> bytes:
    """Return an archive of five batches with one image each; `more` sets fields of the first member's header."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=format) as archive:
        for number in range(1, 6):
            info = tarfile.TarInfo(f"{PREFIX}/data_batch_{number}.bin")
            info.size = 3073
            for name, value in more.items() if number == 1 else ():
                setattr(info, name, value)
            archive.addfile(info, io.BytesIO(bytes(3073)))
    return stream.getvalue()


def whole_npy(*shape: int) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.zeros(shape, np.uint8))
    return stream.getvalue()


def whole_model() -> bytes:
    path = FOLDER / "whole.npz"
    model_file.save(path, Params(np.eye(2, 3), np.array([0.5, -1])), "relu", CONFIG, "CAE", {"made": [1, None, "é"]})
    return path.read_bytes()


def whole_state() -> bytes:
    """Return the bytes of a checkpoint whose epoch has a batch left."""
    path, left = FOLDER / "whole_state.npz", training.init_state(3, CONFIG)
    training.run_epochs(left, np.eye(3), AE, RELU, CONFIG, 1)
    left.ahead, left.seconds = [np.array([2, 0])], 0.5
    checkpoint.save(path, left, RUN)
    return path.read_bytes()


def whole_records() -> bytes:
    entries = ({"hash": f"{k}", "config": asdict(CONFIG), "metrics": {"loss": k / 3}, "history": []} for k in range(2))
    return b"".join(json.dumps(entry).encode() + b"\n" for entry in entries)


PAX = whole_tar(tarfile.PAX_FORMAT, pax_headers={"comment": "x", "size": "3073", "GNU.sparse.map": "0,1"})
READERS = {
    "parse_idx": Reader(idx, folders.DataError, (whole_idx(),)),
    "parse_cifar10": Reader(cifar10, folders.DataError, (gzip.compress(whole_tar(), mtime=0),)),
    "parse_cifar10-tar": Reader(cifar10_tar, folders.DataError, (whole_tar(), whole_tar(tarfile.GNU_FORMAT))),
    "load_images": Reader(images, folders.DataError, (whole_npy(2, 3, 4, 4), whole_npy(2, 3, 4))),
    "model_file": Reader(model, model_file.ModelFileError, (whole_model(),)),
    "model_file-members": Reader(
        lambda content: model(packed(content, MODEL)), model_file.ModelFileError, (unpacked(whole_model(), MODEL),)
    ),
    "checkpoint": Reader(state, checkpoint.CheckpointError, (whole_state(),)),
    "checkpoint-members": Reader(
        lambda content: state(packed(content, STATE)), checkpoint.CheckpointError, (unpacked(whole_state(), STATE),)
    ),
    "store": Reader(records, jsonl.StoreError, (whole_records(),)),
}
