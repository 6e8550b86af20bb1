"""The work of a worker process: train a run, from its checkpoint if there is one, and make its record."""

import logging
import math
from pathlib import Path
from typing import Any

from numpy_rae._validation import Array
from numpy_rae.data import prepared
from numpy_rae.experiments import checkpoint
from numpy_rae.experiments.checkpoint import Checkpoints, CheckpointWriter
from numpy_rae.experiments.provenance import versions
from numpy_rae.experiments.records import Record, make_record
from numpy_rae.experiments.run import Run
from numpy_rae.metrics import mean_square
from numpy_rae.storage import model_file
from numpy_rae.storage.jsonl import StoreError
from numpy_rae.train_state import TrainResult, TrainState
from numpy_rae.training import train

LOG = logging.getLogger(__name__)


def train_run(
    run: Run, checkpoints: Checkpoints | None = None, reports: Path | None = None, models: Path | None = None
) -> Record:
    """Train one run, from its checkpoint if there is one, and make its record. This is called in a worker.

    Parameters
    ----------
    run : Run
        The run.
    checkpoints : Checkpoints, optional
        Folder where its state is saved.
    reports : Path, optional
        Folder for its training report.
    models : Path, optional
        Folder for its trained weights.

    Returns
    -------
    dict
        The record, see `records.make_record`, with "mean_square" of the data.
    """
    x = prepared.load(run.data)
    if checkpoints:
        trained = _train_with_checkpoints(run, x, checkpoints)
    else:
        trained = train(x, run.model, run.activation, run.config)
    if reports and not trained.diverged:
        _report_or_warn(run, x, trained, reports)
    if models and not trained.diverged:
        _save_model_or_warn(run, trained, models)
    return make_record(run, trained) | {"mean_square": mean_square(x)}


def find_model(models: Path, key: str) -> Path | None:
    """Find the file of a run's trained weights.

    Parameters
    ----------
    models : Path
        The folder of the models.
    key : str
        The hash of the run.

    Returns
    -------
    Path or None
        The file, or None if it is not in the folder.
    """
    return next(models.glob(f"*-{key[:12]}.npz"), None)


def _report_or_warn(run: Run, x: Array, trained: TrainResult, reports: Path) -> None:
    """Draw the report. If this fails, log a warning, so that the record of the run is not lost."""
    try:
        _save_training_report(run, x, trained, reports)
    except (StoreError, MemoryError) as error:
        LOG.warning("%s; the run is stored", str(error) or "no memory is left for a training report")


def _model_path(models: Path, run: Run) -> Path:
    """Return the file of a run's weights. Its name contains the run's settings and the first digits of its hash."""
    config = run.config
    name = f"{run.model.name}-{run.activation.name}-{config.constraint}-{run.data.spec.source}"
    return models / f"{name}-{config.sigma2:g}-{config.seed}-{run.hash[:12]}.npz"


def _save_model_or_warn(run: Run, trained: TrainResult, models: Path) -> None:
    """Save the weights. If this fails, log a warning, so that the record of the run is not lost."""
    notes = {"hash": run.hash, "data": run.data.description()}
    path = _model_path(models, run)
    try:
        model_file.save(path, trained.params, run.activation.name, run.config, run.model.name, notes)
    except ValueError as error:
        LOG.warning("%s; the run is stored", error)


def _train_with_checkpoints(run: Run, x: Array, checkpoints: Checkpoints) -> TrainResult:
    """Train on x, shape (N, n), from the checkpoint if there is one, and write checkpoints."""
    path, identity = checkpoints.path(run.hash), {**run.identity, "versions": versions()}
    with CheckpointWriter(path, identity, checkpoints.interval) as keeper:
        return train(x, run.model, run.activation, run.config, keeper, _load_checkpoint(path, identity))


def _save_training_report(run: Run, x: Array, trained: TrainResult, reports: Path) -> None:
    """Draw a run's training report as <model>-<sigma^2>-<seed>.png. Raise StoreError if that cannot be done."""
    from numpy_rae import sparsity
    from numpy_rae.plotting import style, training_report  # loaded here, because few sweeps need matplotlib

    config, seen = run.config, sparsity.measure(trained.params, run.activation, x)
    title = f"{run.model.name}, {run.activation.name}, rows: {config.constraint}, sigma^2 = {config.sigma2:g}, "
    title += f"{trained.steps:,} updates, {run.data.spec.label}"
    last = math.nan if trained.last is None else trained.last
    text = training_report.in_words(last, seen)
    picture = reports / f"{run.model.name}-{config.sigma2:g}-{config.seed}.png"
    with style.drawing(picture):
        shape = run.data.image_shape
        figure = training_report.training_report(trained.history, trained.params, seen, shape, text, style.plain(title))
    style.save_picture(figure, picture)


def _load_checkpoint(path: Path, identity: dict[str, Any]) -> TrainState | None:
    """Return the state in the checkpoint. If it cannot be used, log a warning and return None."""
    try:
        return checkpoint.load(path, identity)
    except checkpoint.CheckpointError as error:
        LOG.warning("%s; the run starts from its beginning", error)
        return None
