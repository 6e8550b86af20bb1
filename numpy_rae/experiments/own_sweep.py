"""`numpy_rae.sweep`: a user's own data, models and activation in the sweep that draws the paper's figures."""

import os
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from numpy_rae import _validation
from numpy_rae.activations import Activation
from numpy_rae.data import own_array
from numpy_rae.experiments.own_sweep_arguments import checked_configs, checked_models, warn_if_not_centred
from numpy_rae.experiments.own_sweep_places import Kept, Where
from numpy_rae.experiments.progress import show_progress
from numpy_rae.experiments.record_stores import MemoryRecords, NamedModels, StoredRecords, records_of
from numpy_rae.experiments.run import Run, deduplicate
from numpy_rae.experiments.scheduler import RunsLost
from numpy_rae.experiments.sweep import sweep as train_all
from numpy_rae.experiments.sweep_result import SweepResult
from numpy_rae.registry import find_activation


def sweep(
    X: Any,
    models: Iterable[Any],
    activation: str | Activation | Callable[..., Any] = "relu",
    sigma2: Iterable[float] | float = (0.0, 0.01, 0.1, 1.0),
    seeds: Iterable[int] | int = range(3),
    *,
    hidden: int = 200,
    epochs: int = 20,
    batch_size: int = 50,
    eta: float = 0.001,
    momentum: float = 0.9,
    constraint: str = "unit",
    dtype: str = "float32",
    standardise: bool = False,
    image_shape: tuple[int, ...] | None = None,
    results: str | os.PathLike[str] | None = None,
    keep_models: bool = False,
    workers: int | None = None,
    scheduler: str | None = None,
    executor: Executor | None = None,
    progress: bool = True,
    **settings: Any,
) -> SweepResult:
    """Train each model with each sigma^2 and each seed on a data matrix.

    Runs with the same seed start from the same W and see the same batches. Models that coincide at sigma^2 = 0 share
    one run there. A script needs no `if __name__ == "__main__"`, and models can be defined in a notebook.

    Parameters
    ----------
    X : array_like, shape (N, n)
        Data of any real dtype. It is converted to `dtype`. There is no decoder bias, so it must be centred.
    models : list
        Each entry is a name in `OBJECTIVES`, an objective, a penalty, or a pair (name, objective or penalty).
    activation : str, Activation or callable
        A name in `ACTIVATIONS`, an activation, or a function h = s_e(a), whose derivatives are then computed
        numerically.
    sigma2 : list of float
        Regularisation coefficients: lambda of a penalty, variance of the noise of DAE and eDAE.
    seeds : iterable of int
        Seeds. With several, the figure shows bands.
    hidden : int
        Number of hidden units.
    epochs : int
        Passes over X per run.
    batch_size : int
        Samples per update.
    eta : float
        Learning rate.
    momentum : float
        Momentum.
    constraint : {"unit", "max-norm", "free"}
        Constraint on the rows of W.
    dtype : {"float32", "float64"}
        Arithmetic of the training.
    standardise : bool
        Whether each feature of X is centred and divided by its standard deviation first.
    image_shape : tuple of int, optional
        (height, width) or (3, height, width) of a row of X. `SweepResult.plot_filters` needs it.
    results : str or os.PathLike, optional
        File to which each record is appended as soon as its run ends. Runs that it holds are not trained again. Runs in
        progress are saved in `<results>.checkpoints`. Without it, records are kept in memory.
    keep_models : bool
        Whether the trained models are kept for `SweepResult.model`: in the folder `<results>.models`, or in a temporary
        folder.
    workers : int, optional
        Number of processes on this machine. The default is the number of cores.
    scheduler : str, optional
        Address of a Dask scheduler, to train on its cluster. NUMPY_RAE_DATA must name a folder that all machines share.
    executor : concurrent.futures.Executor, optional
        Another executor to train on. `sweep` does not close it; close it yourself.
    progress : bool
        Whether a progress bar is shown.
    **settings
        Further fields of `TrainConfig`: `radius`, `tangent`, `velocity`, `start`.

    Returns
    -------
    SweepResult
        Records, data frame, table, figure and models. After an interrupt it holds the runs that are done, with a
        warning; if none is done, KeyboardInterrupt is raised.

    Raises
    ------
    ValueError
        For arguments outside their range, before any training.
    storage.jsonl.StoreError
        If the results file cannot be read or written, or if another sweep uses it.
    data.folders.DataError
        If X cannot be written to a file for the workers.
    experiments.scheduler.RunsLost
        If every run failed because its worker died.
    """
    s_e, objectives = find_activation(activation), checked_models(models)
    names = tuple(model.name for model in objectives)
    fixed = {"hidden": hidden, "epochs": epochs, "batch_size": batch_size, "eta": eta, "momentum": momentum}
    configs = checked_configs(sigma2, seeds, {**fixed, "constraint": constraint, "dtype": dtype, **settings})
    x = own_array.as_matrix(X, dtype, not standardise)
    if image_shape is not None:
        image_shape = _validation.image_shape("image_shape", image_shape, x.shape[1])
    warn_if_not_centred(x)
    where = Where(workers, scheduler, executor)
    kept = Kept.of(results, keep_models)
    with own_array.temporary_file(x) as data:
        runs = [Run(model, s_e, data, config) for config in configs for model in objectives]
        wanted = deduplicate(runs)
        train_missing(runs, len(wanted), where, kept, progress, names)
    done = records_of(kept.records)
    found = [done[key] for key in wanted if key in done]
    title = f"{s_e.name}, rows: {constraint}, {hidden:,} units\n{x.shape[0]:,} samples of {x.shape[1]:,} features"
    grid = tuple(dict.fromkeys(config.sigma2 for config in configs))
    return SweepResult(
        found, names, len(wanted) - len(found), title, image_shape, grid, s_e, kept.models, kept.temporary
    )


def train_missing(
    runs: list[Run], total: int, where: Where, kept: Kept, progress: bool, names: tuple[str, ...]
) -> None:
    """Train the runs that have no record yet. After an interrupt or a loss, warn if there are records to return.

    Parameters
    ----------
    runs : list of Run
        All runs of the sweep.
    total : int
        Number of different runs.
    where : Where
        Where they are trained.
    kept : Kept
        Where records and models are kept.
    progress : bool
        Whether a bar is shown.
    names : tuple of str
        Names of the models, in the order of the call.

    Raises
    ------
    KeyboardInterrupt
        If no record is there.
    RunsLost
        If no record is there.
    """
    keys = set(deduplicate(runs))
    checkpoints = kept.checkpoints if where.local else None
    store = MemoryRecords(kept.records) if isinstance(kept.records, dict) else StoredRecords(kept.records)
    try:
        with where.opened() as (pool, at_once):
            records = train_all(
                runs, pool, NamedModels(store, names), at_once, checkpoints, models=kept.models, every_model=True
            )
            show_progress(records, total, disable=not progress)
    except (KeyboardInterrupt, RunsLost) as error:
        done = len(keys & set(records_of(kept.records)))
        if not done:
            raise
        what = str(error) if isinstance(error, RunsLost) else "the sweep was interrupted"
        again = "call sweep again with the same arguments to train the others"
        how = again if isinstance(kept.records, Path) else "the result holds these only"
        warnings.warn(f"{what}; {done} of {total} runs are done: {how}", RuntimeWarning, stacklevel=3)
