"""Save a trained model in one `.npz` file, and load it after checking it.

Members (see `npz`; `numpy.load` reads them without pickle):

    meta   (bytes,)  uint8: JSON with format, version, activation, model, config, notes
    W      (m, n)    float32 or float64; its memory order is kept, because the rounding of a step depends on it
    b_e    (m,)      the dtype of W

No code in a file is executed. The activation is looked up by name in a table. Arrays of Python objects are rejected.
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
    """Error for a model file that cannot be written, read or used. The message gives the file and the reason."""


class SavedModel(NamedTuple):
    """Content of a model file.

    Attributes
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    activation : Activation
        Encoder activation s_e.
    config : TrainConfig
        How the parameters were trained.
    model : str
        Name of the objective.
    notes : dict
        The argument `notes` of `save`.
    """

    params: Params
    activation: Activation
    config: TrainConfig
    model: str
    notes: dict[str, Any]


def save(
    path: str | os.PathLike[str],
    params: Params,
    activation: str,
    config: TrainConfig,
    model: str,
    notes: dict[str, Any] | None = None,
) -> None:
    """Save a trained model in one file, which `load` reads. Its public name is `numpy_rae.save_model`.

    Readers see either the complete old file or the complete new file. Equal arguments with equal memory order give
    equal bytes.

    Parameters
    ----------
    path : str or os.PathLike
        The file, for example "cae.npz". No suffix is added, and a leading `~` is expanded.
    params : Params
        W, shape (m, n), and b_e, shape (m,), both of the dtype of `config` and finite.
    activation : str
        Name of the encoder activation, for example "relu". `load` looks it up.
    config : TrainConfig
        How the parameters were trained. Its `hidden` must be m.
    model : str
        Name of the objective, for example "CAE".
    notes : dict, optional
        Any values that JSON can represent, with strings as keys and without tuples. They can have about 1 MB.

    Raises
    ------
    ValueError
        If an argument cannot be stored so that `load` returns it unchanged.
    ModelFileError
        If the file cannot be written. The old file is not changed.

    Examples
    --------
    >>> import tempfile
    >>> import numpy_rae as rae
    >>> x = rae.load_digits(200)
    >>> config = rae.TrainConfig(sigma2=0.5, hidden=20, epochs=1)
    >>> trained = rae.train(x, rae.OBJECTIVES["CAE"], rae.ACTIVATIONS["relu"], config)
    >>> path = tempfile.mkdtemp() + "/cae.npz"
    >>> rae.save_model(path, trained.params, "relu", config, "CAE", {"data": "200 digits"})
    >>> saved = rae.load_model(path)
    >>> saved.model, saved.activation.name, saved.params.W.shape, saved.notes
    ('CAE', 'relu', (20, 784), {'data': '200 digits'})
    """
    target = checked_path(path)
    _validation.instance("config", config, TrainConfig)
    meta = {"activation": activation, "model": model, "config": asdict(config), "notes": {} if notes is None else notes}
    check_meta(meta)
    check_params(params, config)
    content = json.dumps({"format": FORMAT, "version": VERSION, **as_json(meta)}).encode()
    if len(content) > npz.META_BYTES:
        raise ValueError(f"notes take {len(content)} bytes with the configuration; they may take {npz.META_BYTES}")
    try:
        npz.write(target, content, params._asdict())
    except OSError as error:
        raise ModelFileError(f"model file {target} cannot be written: {error.strerror or error}") from error


def check_meta(meta: dict[str, Any]) -> None:
    """Check that activation and model are names, and that the notes are a dict.

    Parameters
    ----------
    meta : dict
        The metadata of a file.

    Raises
    ------
    ValueError
        If activation or model is not a name, or the notes are not a dict.
    """
    for name in ("activation", "model"):
        if not isinstance(meta[name], str):
            raise ValueError(f"{name} is {meta[name]!r}; it must be a name")
    if not isinstance(meta["notes"], dict):
        raise ValueError(f"notes is {meta['notes']!r}; it must be a dict")


def check_params(params: Params, config: TrainConfig) -> None:
    """Check that W and b_e are finite, and have the dtype and the number of units of the configuration.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).
    config : TrainConfig
        The configuration.

    Raises
    ------
    ValueError
        If W or b_e is not finite, or does not fit the configuration.
    """
    W, _ = _validation.pair(params)
    _validation.like("W", _validation.matrix("W", W), (config.hidden, W.shape[1]), np.dtype(config.dtype))
    _validation.encoder(params)


def as_json(meta: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata after a conversion to JSON and back.

    Parameters
    ----------
    meta : dict
        The metadata of a file. NumPy numbers become Python numbers.

    Returns
    -------
    dict
        A copy, equal to `meta`.

    Raises
    ------
    ValueError
        If JSON cannot represent `meta`, or would change it.
    """
    try:
        back: dict[str, Any] = json.loads(json.dumps(meta, allow_nan=False, default=plain_number))
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"notes or config cannot be kept as JSON: {error}") from None
    if back != meta:
        raise ValueError("notes cannot be stored unchanged as JSON; they must have no tuples, and only strings as keys")
    return back


def plain_number(value: object) -> object:
    """Return a NumPy number as a Python number, for `json.dumps`.

    Parameters
    ----------
    value : object
        A value that the JSON module cannot convert.

    Returns
    -------
    float, int or bool
        The number.

    Raises
    ------
    TypeError
        If it is not a NumPy number.
    """
    if not isinstance(value, np.generic):
        raise TypeError(f"{type(value).__name__} is not a type of JSON")
    return value.item()


def load(path: str | os.PathLike[str], activations: Mapping[str, Activation] = ACTIVATIONS) -> SavedModel:
    """Load a model that `save` wrote. The public name of this function is `numpy_rae.load_model`.

    The whole content is checked before it is returned, and no more bytes are read than the file has.

    Parameters
    ----------
    path : str or os.PathLike
        The file. A leading `~` is expanded.
    activations : mapping of str to Activation, optional
        The table in which the activation is looked up by name. If the model uses your own activation, pass it here.

    Returns
    -------
    SavedModel
        The parameters, the activation, the configuration, the name of the model, and the notes.

    Raises
    ------
    ValueError
        If `path` cannot be the path of a file.
    ModelFileError
        If the file cannot be read, is damaged, or is not a model file in the format of this release.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import numpy_rae as rae
    >>> path = tempfile.mkdtemp() + "/ae.npz"
    >>> params = rae.Params(np.eye(2, 3, dtype=np.float32), np.zeros(2, np.float32))
    >>> rae.save_model(path, params, "relu", rae.TrainConfig(sigma2=0.0, hidden=2), "AE")
    >>> saved = rae.load_model(path)
    >>> h = saved.activation(np.ones((1, 3), np.float32) @ saved.params.W.T + saved.params.b_e)[0]
    >>> h.tolist()
    [[1.0, 1.0]]
    """
    source = checked_path(path)
    try:
        if source.is_fifo():  # opening it would wait for its other end
            raise OSError("It is a pipe")
        file = open(source, "rb")  # noqa: SIM115 - errors below have another message
    except OSError as error:
        raise ModelFileError(f"model file {source} cannot be read: {error.strerror or error}") from error
    with file:
        try:
            meta, arrays = npz.read(file, Params._fields, check_format)
            return parse(meta, Params(**arrays), activations)
        except npz.DAMAGE as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ModelFileError(f"model file {source} cannot be used: {reason}") from None


def checked_path(path: str | os.PathLike[str]) -> Path:
    """Return `path` as a Path with its `~` expanded.

    Parameters
    ----------
    path : str or os.PathLike
        A path that a user gave.

    Returns
    -------
    pathlib.Path
        The path without `~`.

    Raises
    ------
    ValueError
        If it is not a path, if it has a null character, or if its home folder is unknown.
    """
    if not isinstance(path, (str, os.PathLike)) or "\0" in os.fspath(path):
        raise ValueError(f"path is {path!r}; it must be the path of a file")
    return _validation.user_path(path)


def check_format(meta: dict[str, Any]) -> None:
    """Check that the metadata are those of this format and version.

    Parameters
    ----------
    meta : dict
        The metadata of a file, which can be any JSON value.

    Raises
    ------
    ValueError
        If the format or the version is different.
    """
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        raise ValueError("its metadata do not say that it is a numpy_rae model")
    if meta.get("version") != VERSION:
        raise ValueError(f"it has format version {meta.get('version')!r}; this release reads {VERSION}")


def parse(meta: dict[str, Any], params: Params, activations: Mapping[str, Activation]) -> SavedModel:
    """Return the content of a file after checking it.

    Parameters
    ----------
    meta : dict
        The metadata of the file.
    params : Params
        Its arrays.
    activations : mapping of str to Activation
        The table in which the activation is looked up.

    Returns
    -------
    SavedModel
        The content.

    Raises
    ------
    ValueError, KeyError, TypeError
        If the metadata are not complete, or do not fit the arrays.
    """
    check_meta(meta)
    as_json(meta)  # Python's JSON reads NaN
    config = TrainConfig(**meta["config"])
    check_params(params, config)
    if meta["activation"] not in activations:
        known = ", ".join(activations)
        raise ValueError(f"its activation {meta['activation']!r} is not among {known}; give it in `activations`")
    return SavedModel(params, activations[meta["activation"]], config, meta["model"], meta["notes"])
