"""What happens in a worker: a run is trained, from its checkpoint if there is one, and becomes a record."""

import logging
from pathlib import Path

import numpy as np

from numpy_rae import checkpoint, datasets
from numpy_rae.checkpoint import Checkpoints, Keeper
from numpy_rae.metrics import mean_square
from numpy_rae.records import record, versions
from numpy_rae.runs import Run
from numpy_rae.training import State, Trained, train

LOG = logging.getLogger(__name__)


def execute(run: Run, checkpoints: Checkpoints | None = None, reports: Path | None = None) -> dict:
    """Train one run, from where its checkpoint left it if there is one, and make its record; called in a worker.

    `reports` is a folder for its training report.
    """
    x = datasets.load(run.data)
    trained = resumed(run, x, checkpoints) if checkpoints else train(x, run.model, run.activation, run.config)
    if reports and not trained.diverged:
        draw_report(run, x, trained, reports)
    return record(run, trained) | {"mean_square": mean_square(x)}


def resumed(run: Run, x: np.ndarray, checkpoints: Checkpoints) -> Trained:
    """Train on x (N, n), writing checkpoints, from the one that is there."""
    path, identity = checkpoints.path(run.hash), {**run.description(), "versions": versions()}
    with Keeper(path, identity, checkpoints.interval) as keeper:
        return train(x, run.model, run.activation, run.config, keeper, left_at(path, identity))


def draw_report(run: Run, x: np.ndarray, trained: Trained, reports: Path) -> None:
    """`panels.training_report` of a run, as <model>-<sigma^2>-<seed>.png. Raises StoreError if it cannot be written."""
    from numpy_rae import figures, panels, sparsity  # matplotlib is slow to load, and few sweeps want it

    config, seen = run.config, sparsity.measure(trained.params, run.activation, x)
    title = f"{run.model.name}, {run.activation.name}, rows: {config.constraint}, sigma^2 = {config.sigma2:g}, "
    title += f"{trained.steps:,} updates, {run.data.spec.label}"
    text = panels.in_words(trained.last, seen)
    figure = panels.training_report(trained.history, trained.params, seen, run.data.image_shape, text, title)
    figures.save_picture(figure, reports / f"{run.model.name}-{config.sigma2:g}-{config.seed}.png")


def left_at(path: Path, identity: dict) -> State | None:
    """The state in the checkpoint; None, with a warning, if it cannot be used."""
    try:
        return checkpoint.load(path, identity)
    except checkpoint.CheckpointError as error:
        LOG.warning("%s; the run starts from its beginning", error)
        return None
