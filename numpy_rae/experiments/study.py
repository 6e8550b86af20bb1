"""Run a study: train many runs of different configurations, then print a table and draw a picture.

A figure script (`figure_script`) varies model, sigma^2 and seed on one data set. A study varies anything: its script
lists the runs, and turns the rows of their records into a table and a picture. One results file holds them all.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from numpy_rae import _validation
from numpy_rae.data.data_spec import DataRef
from numpy_rae.experiments import command_line, picture_script, progress, protocol_data, record_checks, record_stores
from numpy_rae.experiments.checkpoint import Checkpoints
from numpy_rae.experiments.command import command
from numpy_rae.experiments.local_pool import local_pool
from numpy_rae.experiments.record_stores import StoredRecords
from numpy_rae.experiments.records import Record
from numpy_rae.experiments.run import Run, deduplicate
from numpy_rae.experiments.sweep import sweep
from numpy_rae.experiments.time_estimate import updates
from numpy_rae.storage import jsonl
from numpy_rae.train_config import TrainConfig

if TYPE_CHECKING:
    from matplotlib.figure import Figure
from numpy_rae.experiments.study_rows import Row, row

SOURCES = {"digits": "mnist", "patches": "cifar10"}
ESTIMATE_FROM = 25_000


@dataclass(frozen=True)
class Size:
    """Hold how much of a study is run.

    Attributes
    ----------
    samples : int
        Number of digits, and of patches.
    hidden : int
        Number of hidden units.
    epochs : dict
        Length of the runs by data set.
    seeds : tuple of int
        The seeds.
    fetch : bool, optional
        Whether missing images may be downloaded.
    part : str, optional
        The part of the study that the size is for, in studies that do not run everything at every length.
    """

    samples: int
    hidden: int
    epochs: dict[str, int]
    seeds: tuple[int, ...]
    fetch: bool = True
    part: str = "all"


def presets(seeds: int, paper_seeds: int = 2) -> dict[str, Size]:
    """Return the sizes by name.

    Parameters
    ----------
    seeds : int
        Number of seeds of the preset "sample". Its runs have the lengths of the figures' short runs: 1,000 updates on
        digits and 2,000 on patches.
    paper_seeds : int, optional
        Number of seeds of the preset "paper".

    Returns
    -------
    dict
        "sample", "paper" and "tiny".
    """
    return {
        "sample": Size(5000, 1000, {"digits": 10, "patches": 20}, tuple(range(seeds))),
        "paper": Size(50_000, 1000, {"digits": 50, "patches": 50}, tuple(range(paper_seeds))),
        "tiny": Size(100, 12, {"digits": 2, "patches": 2}, (0,), fetch=False),
    }


@dataclass(frozen=True)
class Study:
    """Hold what a study script defines.

    Attributes
    ----------
    name : str
        The script's name.
    description : str
        The script's docstring.
    presets : dict
        The sizes by name.
    runs : callable
        `runs(size, data)` lists the runs for data sets by name ("digits", "patches").
    table : callable
        `table(rows)` shows the `row` of each record as text.
    picture : callable
        `picture(rows)` draws them.
    data : tuple of str, optional
        The data sets that the study needs.
    """

    name: str
    description: str
    presets: dict[str, Size]
    runs: Callable[[Size, dict[str, DataRef]], list[Run]]
    table: Callable[[list[Row]], str]
    picture: Callable[[list[Row]], Figure]
    data: tuple[str, ...] = tuple(SOURCES)


def main(study: Study, argv: Sequence[str] | None = None, parser: argparse.ArgumentParser | None = None) -> int:
    """Run a study script.

    Parameters
    ----------
    study : Study
        The study.
    argv : sequence of str, optional
        The command line without the program's name. The default is that of the process.
    parser : ArgumentParser, optional
        The script's own options. The default is `command_line.study_parser`.

    Returns
    -------
    int
        The exit code, see `command`.
    """
    parser = parser or command_line.study_parser(study.name, study.description, study.presets)
    return command(study.name)(lambda: run(study, parser.parse_args(argv)))()


def run(study: Study, args: argparse.Namespace) -> int:
    """Train what is not stored, print the table, and write the picture.

    Parameters
    ----------
    study : Study
        The study.
    args : Namespace
        The options.

    Returns
    -------
    int
        The exit code.

    Raises
    ------
    ValueError
        If an option is outside its range, or if no run is stored.
    StoreError
        If the results file cannot be read or written.
    """
    _validation.integer("--workers", args.workers)
    for seed in args.seeds or ():
        _validation.integer("--seeds", seed, low=0)
    size = study.presets[args.preset]
    size = replace(size, seeds=tuple(dict.fromkeys(args.seeds or size.seeds)))
    out = args.out / f"{study.name}-{args.preset}.jsonl"
    name = f"{study.name}-{args.preset}"
    if args.plot_only:
        stored = record_checks.load_records(out)
        found = [entry for entry in stored if entry["config"]["seed"] in size.seeds]
        # A part of what is stored must not replace the picture of all.
        name += "-selection" if args.seeds and len(found) < len(stored) else ""
    else:
        jsonl.check_writable(out)
        runs = study.runs(size, prepare_data(args, size, study.data))
        found = train_missing(runs, record_stores.read_results(out), args.workers)
    if not found:
        raise ValueError(f"results file {out} holds no run of these seeds; run it without --plot-only first")
    rows = [row(entry) for entry in found]
    print(f"{study.table(rows)}\nresults: {out}")
    return picture_script.save(study.picture(rows), args, f"{name}.png")


def prepare_data(args: argparse.Namespace, size: Size, names: Iterable[str] = tuple(SOURCES)) -> dict[str, DataRef]:
    """Return the data sets by name, as the figure scripts prepare them.

    Parameters
    ----------
    args : Namespace
        The options, with `data_dir` and `images`.
    size : Size
        How many samples, and whether a download is allowed.
    names : iterable of str, optional
        "digits", "patches".

    Returns
    -------
    dict
        A DataRef for each name.
    """
    if args.data_dir:
        os.environ["NUMPY_RAE_DATA"] = str(args.data_dir)
    return {name: protocol_data.training_data(SOURCES[name], size.samples, args.images, size.fetch) for name in names}


def config(size: Size, data: str, seed: int, sigma2: float, **settings: Any) -> TrainConfig:
    """Return the configuration of one run.

    Parameters
    ----------
    size : Size
        Hidden units and epochs.
    data : str
        Name of the data set.
    seed : int
        The seed.
    sigma2 : float
        The coefficient.
    **settings
        Further fields of the configuration.

    Returns
    -------
    TrainConfig
        The configuration.
    """
    return TrainConfig(sigma2, seed, size.hidden, epochs=size.epochs[data], **settings)


def train_missing(runs: Sequence[Run], stored: StoredRecords, workers: int) -> list[Record]:
    """Train the runs that are not stored.

    Parameters
    ----------
    runs : sequence of Run
        The runs.
    stored : StoredRecords
        The records of the results file.
    workers : int
        Number of processes.

    Returns
    -------
    list of dict
        The records of all runs, in the order of the runs. Runs that coincide have one record.
    """
    wanted, found = deduplicate(runs), stored.by_hash
    missing = [run for key, run in wanted.items() if key not in found]
    print(f"{len(missing)} of {len(wanted)} runs to do, {sum(map(updates, missing)):,} updates", flush=True)
    if missing:
        checkpoints = Checkpoints(stored.path.with_suffix(".checkpoints"))
        with local_pool(workers) as pool:
            if sum(map(updates, missing)) >= ESTIMATE_FROM:
                print(f"estimated duration: {progress.duration(missing, pool, workers)}", flush=True)
            swept = sweep(missing, pool, stored.path, workers, checkpoints, stored=stored)
            found = found | progress.show_progress(swept, len(missing))
    return [found[key] for key in wanted]
