"""Trained models on disk: one `.npz` of plain arrays, written at once or not at all, verified before it is used.

Members (see `npz`; `numpy.load` reads them, without pickle):

    meta   (bytes,)  uint8: JSON with format, version, activation, model, config, notes
    W      (m, n)    float32 or float64; its memory order is kept, because a step rounds by it
    b_e    (m,)      of W's dtype

Nothing in a file is executed: activations are found by name in a table, and arrays of Python objects are refused.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from numpy_rae import _validation
from numpy_rae.activations import Activation
from numpy_rae.autoencoder import Params
from numpy_rae.registry import ACTIVATIONS
from numpy_rae.storage import npz
from numpy_rae.train_config import TrainConfig

FORMAT, VERSION = "numpy_rae model", 1


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
    path = checked_path(path)
    _validation.instance("config", config, TrainConfig)
    meta = {"activation": activation, "model": model, "config": asdict(config), "notes": {} if notes is None else notes}
    check_meta(meta)
    check_params(params, config)
    content = json.dumps({"format": FORMAT, "version": VERSION, **as_json(meta)}).encode()
    if len(content) > npz.META_BYTES:
        raise ValueError(f"notes take {len(content)} bytes with the configuration; they may take {npz.META_BYTES}")
    try:
        npz.write(path, content, params._asdict())
    except OSError as error:
        raise ModelFileError(f"model file {path} cannot be written: {error.strerror or error}") from error


def check_meta(meta: dict) -> None:
    """Activation and model are kept by name; notes are an object of JSON."""
    for name in ("activation", "model"):
        if not isinstance(meta[name], str):
            raise ValueError(f"{name} is {meta[name]!r}; it must be a name")
    if not isinstance(meta["notes"], dict):
        raise ValueError(f"notes is {meta['notes']!r}; it must be a dict")


def check_params(params: Params, config: TrainConfig) -> None:
    """W and b_e are finite, of one dtype, and of the size the configuration gives."""
    W, _ = _validation.pair(params)
    _validation.like("W", _validation.matrix("W", W), (config.hidden, W.shape[1]), np.dtype(config.dtype))
    _validation.encoder(params)


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


def load(path: str | Path, activations: Mapping[str, Activation] = ACTIVATIONS) -> SavedModel:
    """Read a file that `save` wrote; `activations` is the table in which its activation is looked up by name.

    Raises ModelFileError for anything else. No more is read than the file is long.
    """
    path = checked_path(path)
    try:
        if path.is_fifo():  # it would be waited for
            raise OSError("It is a pipe")
        file = open(path, "rb")
    except OSError as error:
        raise ModelFileError(f"model file {path} cannot be read: {error.strerror or error}") from error
    with file:
        try:
            meta, arrays = npz.read(file, Params._fields, check_format)
            return parse(meta, Params(**arrays), activations)
        except npz.DAMAGE as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ModelFileError(f"model file {path} cannot be used: {reason}") from None


def checked_path(path: str | Path) -> Path:
    """Return `path` as a Path with its `~` expanded. Raises ValueError for what no file can be called."""
    if not isinstance(path, (str, os.PathLike)) or "\0" in os.fspath(path):
        raise ValueError(f"path is {path!r}; it must be the path of a file")
    return _validation.user_path(path)


def check_format(meta: dict) -> None:
    """Raise ValueError unless it is this format and version."""
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        raise ValueError("it does not say that it is a numpy_rae model")
    if meta.get("version") != VERSION:
        raise ValueError(f"it has format version {meta.get('version')!r}; this release reads {VERSION}")


def parse(meta: dict, params: Params, activations: Mapping[str, Activation]) -> SavedModel:
    """Metadata and parameters that agree with each other."""
    check_meta(meta)
    as_json(meta)  # Python's JSON knows NaN
    config = TrainConfig(**meta["config"])
    check_params(params, config)
    if meta["activation"] not in activations:
        known = ", ".join(activations)
        raise ValueError(f"its activation {meta['activation']!r} is not among {known}; give it in `activations`")
    return SavedModel(params, activations[meta["activation"]], config, meta["model"], meta["notes"])
