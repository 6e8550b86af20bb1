"""The state of a run on disk. After an interruption, a run that continues from it gives exactly the same result.

Members of the file (see `npz`):

    meta        JSON: the run's description, the states of the generators, the counters of the loop
    W, b_e      the parameters
    v_W, v_b_e  the velocity
    len2        the squared row lengths of W, as the last update computed them; empty before the first
    ahead       the indices of the samples that remain in the epoch in progress, in their order
    objectives  the minibatch objective of every update so far
    history     JSON: one entry per epoch, as bytes
"""

import json
import logging
import os
import signal
import threading
import time
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from numpy_rae import _validation
from numpy_rae._validation import Array
from numpy_rae.autoencoder import Params
from numpy_rae.batches import split_batches
from numpy_rae.callbacks import Callback
from numpy_rae.storage import npz
from numpy_rae.train_state import RandomStreams, TrainState

FORMAT, VERSION = "numpy_rae checkpoint", 2
ARRAYS = ("W", "b_e", "v_W", "v_b_e", "len2", "ahead", "objectives", "history")
CHILDREN = ("init", "order", "noise")
INTERVAL = 30.0
# At most this share of the run time is used for writing checkpoints.
SHARE = 0.05

LOG = logging.getLogger(__name__)


class CheckpointError(ValueError):
    """A checkpoint cannot be used. The message gives the file and the reason."""


def save(path: Path, state: TrainState, run: dict[str, Any]) -> None:
    """Write the state of a run between two updates.

    Parameters
    ----------
    path : Path
        The file, with exactly this name.
    state : TrainState
        The state.
    run : dict
        JSON values that identify this run.

    Raises
    ------
    OSError
        If the file cannot be written. The old file is kept.
    """
    between = state.ahead is None
    meta = {
        "format": FORMAT,
        "version": VERSION,
        "run": run,
        "generators": {child: getattr(state.generators, child).bit_generator.state for child in CHILDREN},
        "batch": None if between else max(map(len, state.ahead or ()), default=0),
        "n_extrapolated": state.n_extrapolated,
        "began": state.began,
        "seconds": state.seconds,
    }
    arrays = {
        **state.params._asdict(),
        **{f"v_{name}": array for name, array in state.velocity._asdict().items()},
        "len2": np.empty(0, state.params.W.dtype) if state.len2 is None else state.len2,
        "ahead": np.concatenate([np.empty(0, np.int64), *(state.ahead or [])]),
        "objectives": np.array(state.objectives, np.float64),
        "history": np.frombuffer(json.dumps(state.history).encode(), np.uint8),
    }
    npz.write(path, json.dumps(meta).encode(), arrays)


def load(path: Path, run: dict[str, Any]) -> TrainState | None:
    """Read the state that `save` wrote for this run.

    Parameters
    ----------
    path : Path
        The file.
    run : dict
        JSON values that identify this run.

    Returns
    -------
    TrainState or None
        The state, None if there is no file.

    Raises
    ------
    CheckpointError
        If the file is damaged, or belongs to another run.
    """
    try:
        with open(path, "rb") as file:
            meta, arrays = npz.read(file, ARRAYS, lambda meta: _check(meta, run))
            return _parse(meta, arrays)
    except FileNotFoundError:
        return None
    except npz.DAMAGE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise CheckpointError(f"checkpoint {path} cannot be used: {reason}") from None


def steps_done(path: Path) -> int | None:
    """Return the number of updates in a checkpoint, from the header of one array.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    int or None
        The number. None if the file cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as zipped, zipped.open("objectives.npy") as member:
            np.lib.format.read_magic(member)
            steps: int = np.lib.format.read_array_header_1_0(member)[0][0]
            return steps
    except npz.DAMAGE:
        return None


def _check(meta: dict[str, Any], run: dict[str, Any]) -> None:
    """Raise ValueError unless the file is a checkpoint of this run, in the format of this release."""
    if not isinstance(meta, dict) or meta.get("format") != FORMAT or meta.get("version") != VERSION:
        raise ValueError(f"its metadata do not say that it is a {FORMAT} of version {VERSION}")
    if meta.get("run") != json.loads(json.dumps(run)):
        raise ValueError("it belongs to another run, or to other versions of the packages")


def _parse(meta: dict[str, Any], arrays: dict[str, Array]) -> TrainState:
    """Check that the parts of the file are consistent, and return the state."""
    W, b_e = _validation.matrix("W", arrays["W"]), arrays["b_e"]
    for name, like in (("b_e", W[:, 0]), ("v_W", W), ("v_b_e", b_e)):
        _validation.like(name, arrays[name], like.shape, W.dtype)
    len2 = arrays["len2"] if arrays["len2"].size else None
    if len2 is not None:
        _validation.like("len2", len2, b_e.shape, W.dtype)
    for name, dtype in (("ahead", np.int64), ("objectives", np.float64)):
        _validation.like(name, arrays[name], (arrays[name].size,), np.dtype(dtype))
    history = json.loads(arrays["history"].tobytes())
    if not isinstance(history, list) or not all(isinstance(entry, dict) for entry in history):
        raise ValueError("its history is not a list of records")
    batch = None if meta["batch"] is None else _validation.integer("batch", meta["batch"], 0)
    return TrainState(
        Params(W, b_e),
        Params(arrays["v_W"], arrays["v_b_e"]),
        _random_streams(meta["generators"]),
        arrays["objectives"].tolist(),
        history,
        ahead=None if batch is None else split_batches(arrays["ahead"], batch),
        n_extrapolated=_validation.integer("n_extrapolated", meta["n_extrapolated"], 0),
        began=_validation.integer("began", meta["began"], 0),
        seconds=_validation.number("seconds", meta["seconds"]),
        len2=len2,
    )


def _random_streams(states: dict[str, Any]) -> RandomStreams:
    """Return generators in the states that `save` wrote."""
    children = RandomStreams(0)
    for child in CHILDREN:
        getattr(children, child).bit_generator.state = states[child]
    return children


@dataclass(frozen=True)
class Checkpoints:
    """Folder of the checkpoints of a sweep, and the time between two checkpoints.

    Attributes
    ----------
    folder : Path
        The folder.
    interval : float, optional
        Seconds between two checkpoints of a run.
    """

    folder: Path
    interval: float = INTERVAL

    def path(self, key: str) -> Path:
        """Return the file of a run.

        Parameters
        ----------
        key : str
            The run's hash.

        Returns
        -------
        Path
            The file.
        """
        return self.folder / f"{key}.npz"

    def progress(self, key: str) -> tuple[int, int] | None:
        """Return a value that changes whenever the run's file is written.

        Parameters
        ----------
        key : str
            The run's hash.

        Returns
        -------
        tuple of int, or None
            Inode and time of the file. None if there is no file.
        """
        try:
            seen = os.stat(self.path(key))
        except OSError:
            return None
        return seen.st_ino, seen.st_mtime_ns

    def steps(self) -> dict[str, int]:
        """Return the number of finished updates of each run that has a file.

        Returns
        -------
        dict
            The numbers by the runs' hashes.
        """
        found = {path.stem: steps_done(path) for path in self.folder.glob("*.npz")}
        return {key: steps for key, steps in found.items() if steps is not None}

    def remove(self, key: str) -> None:
        """Remove a run's file. If it cannot be removed, no error is raised.

        Parameters
        ----------
        key : str
            The run's hash.
        """
        with suppress(OSError):
            self.path(key).unlink()

    def remove_stale(self, done: set[str]) -> None:
        """Remove the files of finished runs and incomplete files of killed processes. Remove the folder if it is empty.

        Parameters
        ----------
        done : set of str
            The hashes of the runs that are done.
        """
        with suppress(OSError):
            for path in self.folder.glob("*"):
                if path.stem in done or path.suffix == ".tmp":
                    path.unlink(missing_ok=True)
            self.folder.rmdir()


class CheckpointWriter(Callback):
    """Write a run's state at regular intervals, and before SIGTERM ends the process.

    This is a context manager. In its context, SIGTERM is handled after the update in progress: the state is written,
    and then the signal has the effect that it had before. This works in the main thread only. If the state cannot be
    written, a warning is logged and the run continues.

    Parameters
    ----------
    path : Path
        The file.
    run : dict
        JSON values that identify this run.
    interval : float, optional
        Seconds between two checkpoints.
    """

    def __init__(self, path: Path, run: dict[str, Any], interval: float = INTERVAL) -> None:
        self.path, self.run, self.interval = path, run, interval
        self.state: TrainState | None = None
        self.told = False

    def __enter__(self) -> "CheckpointWriter":
        self.due = time.monotonic() + self.interval
        self.catches = threading.current_thread() is threading.main_thread()
        if self.catches:
            self.otherwise = signal.signal(signal.SIGTERM, self._tell)
        return self

    def _tell(self, *_: object) -> None:
        """Remember that SIGTERM was received."""
        self.told = True

    def on_step_end(self, step: int, state: TrainState) -> None:
        """Write the state if the interval is over. If SIGTERM was received, end the process.

        Parameters
        ----------
        step : int
            Number of the update.
        state : TrainState
            The state after it.
        """
        self.state = state
        if self.told:
            raise SystemExit(128 + signal.SIGTERM)
        if time.monotonic() >= self.due:
            self._keep(state)

    def _keep(self, state: TrainState) -> None:
        """Write the state after the last update."""
        start = time.monotonic()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            save(self.path, state, self.run)
        except OSError as error:
            LOG.warning("checkpoint %s cannot be written: %s; the run continues", self.path, error.strerror or error)
        now = time.monotonic()
        self.due = now + max(self.interval, (now - start) / SHARE)

    def __exit__(self, *_: object) -> None:
        if not self.catches:
            return
        # A second SIGTERM, as from a pool whose workers were all told by the system, must not end the writing.
        if self.told and self.state:
            self._keep(self.state)
        signal.signal(signal.SIGTERM, self.otherwise)
        if self.told:
            signal.raise_signal(signal.SIGTERM)
