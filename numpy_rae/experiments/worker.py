"""What happens in a worker: a run is trained, from its checkpoint if there is one, and becomes a record."""

import logging
from pathlib import Path

import numpy as np

from numpy_rae.data import prepared
from numpy_rae.experiments import checkpoint
from numpy_rae.experiments.checkpoint import Checkpoints, CheckpointWriter
from numpy_rae.experiments.provenance import versions
from numpy_rae.experiments.records import make_record
from numpy_rae.experiments.run import Run
from numpy_rae.metrics import mean_square
from numpy_rae.storage import model_file
from numpy_rae.storage.jsonl import StoreError
from numpy_rae.train_state import TrainResult, TrainState
from numpy_rae.training import train

LOG = logging.getLogger(__name__)


def train_run(
    run: Run, checkpoints: Checkpoints | None = None, reports: Path | None = None, models: Path | None = None
) -> dict:
    """Train one run, from where its checkpoint left it if there is one, and make its record; called in a worker.

    `reports` is a folder for its training report, `models` one for the trained model.
    """
    x = prepared.load(run.data)
    trained = train_with_checkpoints(run, x, checkpoints) if checkpoints else train(x, run.model, run.activation, run.config)
    if models and not trained.diverged:
        model_file.save(model_path(models, run.hash), trained.params, run.activation.name, run.config, run.model.name)
    if reports and not trained.diverged:
        report_or_warn(run, x, trained, reports)
    return make_record(run, trained) | {"mean_square": mean_square(x)}


def model_path(models: Path, key: str) -> Path:
    """The file of the trained model of the run with this hash."""
    return models / f"{key[:32]}.npz"


def report_or_warn(run: Run, x: np.ndarray, trained: TrainResult, reports: Path) -> None:
    """Draw the report; a warning if that fails, because the run's record must not be lost with it."""
    try:
        save_training_report(run, x, trained, reports)
    except (StoreError, MemoryError) as error:
        LOG.warning("%s; the run is stored", str(error) or "no memory is left for a training report")


def train_with_checkpoints(run: Run, x: np.ndarray, checkpoints: Checkpoints) -> TrainResult:
    """Train on x (N, n), writing checkpoints, from the one that is there."""
    path, identity = checkpoints.path(run.hash), {**run.identity, "versions": versions()}
    with CheckpointWriter(path, identity, checkpoints.interval) as keeper:
        return train(x, run.model, run.activation, run.config, keeper, load_checkpoint(path, identity))


def save_training_report(run: Run, x: np.ndarray, trained: TrainResult, reports: Path) -> None:
    """`training_report.training_report` of a run, as <model>-<sigma^2>-<seed>.png. Raises StoreError if it cannot be drawn or written."""
    from numpy_rae import sparsity  # matplotlib is slow to load, and few sweeps want it
    from numpy_rae.plotting import style, training_report

    config, seen = run.config, sparsity.measure(trained.params, run.activation, x)
    title = f"{run.model.name}, {run.activation.name}, rows: {config.constraint}, sigma^2 = {config.sigma2:g}, "
    title += f"{trained.steps:,} updates, {run.data.spec.label}"
    text, picture = training_report.in_words(trained.last, seen), reports / f"{run.model.name}-{config.sigma2:g}-{config.seed}.png"
    with style.drawing(picture):
        shape = run.data.image_shape
        figure = training_report.training_report(trained.history, trained.params, seen, shape, text, style.plain(title))
    style.save_picture(figure, picture)


def load_checkpoint(path: Path, identity: dict) -> TrainState | None:
    """The state in the checkpoint; None, with a warning, if it cannot be used."""
    try:
        return checkpoint.load(path, identity)
    except checkpoint.CheckpointError as error:
        LOG.warning("%s; the run starts from its beginning", error)
        return None
