"""The driver behind every study: many runs of different configurations in; a table and a picture out.

A figure script (`experiment`) varies model, sigma^2 and seed on one data set. A study varies anything: its script lists
the runs, and turns the rows of their records into a table and a picture. One results file holds them all.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from numpy_rae import _validation
from numpy_rae.breakdown import broken_down
from numpy_rae.data.prepared import DataRef
from numpy_rae.experiments import command_line, figure_script, picture_script, records
from numpy_rae.experiments.checkpoint import Checkpoints
from numpy_rae.experiments.command import command
from numpy_rae.experiments.local_pool import local_pool
from numpy_rae.experiments.progress import show_progress
from numpy_rae.experiments.run import Run, deduplicate
from numpy_rae.experiments.sweep import sweep
from numpy_rae.experiments.time_estimate import updates
from numpy_rae.storage import jsonl
from numpy_rae.train_config import TrainConfig

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SOURCES = {"digits": "mnist", "patches": "cifar10"}
ESTIMATE_FROM = 25_000


@dataclass(frozen=True)
class Size:
    """How much of a study is run: samples, hidden units, epochs by data set, and seeds.

    `fetch` allows a download of images that are missing. `part` names the part of a study that the size is for, for
    studies that do not run everything at every length.
    """

    samples: int
    hidden: int
    epochs: dict[str, int]
    seeds: tuple[int, ...]
    fetch: bool = True
    part: str = "all"


def presets(seeds: int, paper_seeds: int = 2) -> dict[str, Size]:
    """Return the sizes by name. "sample" has the lengths of the figures' short runs: 1,000 and 2,000 updates."""
    return {
        "sample": Size(5000, 1000, {"digits": 10, "patches": 20}, tuple(range(seeds))),
        "paper": Size(50_000, 1000, {"digits": 50, "patches": 50}, tuple(range(paper_seeds))),
        "tiny": Size(100, 12, {"digits": 2, "patches": 2}, (0,), fetch=False),
    }


@dataclass(frozen=True)
class Study:
    """What a study script defines.

    `runs(size, data)` lists the runs for data sets by name ("digits", "patches"); `table(rows)` and `picture(rows)`
    show their `row`s. `name` is the script's, `description` its docstring. `data` names the data sets that it needs.
    """

    name: str
    description: str
    presets: dict[str, Size]
    runs: Callable[[Size, dict[str, DataRef]], list[Run]]
    table: Callable[[list[dict]], str]
    picture: Callable[[list[dict]], Figure]
    data: tuple[str, ...] = tuple(SOURCES)


def main(study: Study, argv: Sequence[str] | None = None, parser: argparse.ArgumentParser | None = None) -> int:
    """Run a study script and return its exit code: see `command`."""
    parser = parser or command_line.study_parser(study.name, study.description, study.presets)
    return command(study.name)(lambda: run(study, parser.parse_args(argv)))()


def run(study: Study, args: argparse.Namespace) -> int:
    """Train what is not stored, print the table, and write the picture."""
    _validation.integer("--workers", args.workers)
    for seed in args.seeds or ():
        _validation.integer("--seeds", seed, low=0)
    size = study.presets[args.preset]
    size = replace(size, seeds=tuple(dict.fromkeys(args.seeds or size.seeds)))
    out = args.out / f"{study.name}-{args.preset}.jsonl"
    name = f"{study.name}-{args.preset}"
    if args.plot_only:
        stored = records.load_records(out)
        found = [entry for entry in stored if entry["config"]["seed"] in size.seeds]
        # A part of what is stored must not replace the picture of all.
        name += "-selection" if args.seeds and len(found) < len(stored) else ""
    else:
        jsonl.check_writable(out)
        found = train_missing(study.runs(size, prepare_data(args, size, study.data)), out, args.workers)
    if not found:
        raise ValueError(f"results file {out} holds no run of these seeds; run it without --plot-only first")
    rows = [row(entry) for entry in found]
    print(f"{study.table(rows)}\nresults: {out}")
    return picture_script.save(study.picture(rows), args, f"{name}.png")


def prepare_data(args: argparse.Namespace, size: Size, names: Iterable[str] = tuple(SOURCES)) -> dict[str, DataRef]:
    """Return the data sets by name, as the figure scripts prepare them."""
    if args.data_dir:
        os.environ["NUMPY_RAE_DATA"] = str(args.data_dir)
    return {
        name: figure_script.training_data(SimpleNamespace(source=SOURCES[name]), args, size) for name in names
    }


def config(size: Size, data: str, seed: int, sigma2: float, **settings: Any) -> TrainConfig:
    """Return the configuration of one run on the data set of this name; `settings` are further fields."""
    return TrainConfig(sigma2, seed, size.hidden, epochs=size.epochs[data], **settings)


def train_missing(runs: Sequence[Run], out: Path, workers: int) -> list[dict]:
    """Train the runs that are not stored in `out`, and return the records of all of them in the runs' order."""
    wanted = deduplicate(runs)
    missing = [run for key, run in wanted.items() if key not in records.records_by_hash(out)]
    print(f"{len(missing)} of {len(wanted)} runs to do, {sum(map(updates, missing)):,} updates", flush=True)
    if missing:
        checkpoints = Checkpoints(out.with_suffix(".checkpoints"))
        with local_pool(workers) as pool:
            if sum(map(updates, missing)) >= ESTIMATE_FROM:
                print(f"estimated duration: {figure_script.duration(missing, pool, workers)}", flush=True)
            show_progress(sweep(missing, pool, out, workers, checkpoints), len(missing))
    found = records.records_by_hash(out)
    return [found[key] for key in wanted]


def row(entry: dict) -> dict[str, Any]:
    """Return a record as one flat row: what was varied, the final metrics, and how the run went.

    Metrics are None for a run that diverged; "data" is "digits" or "patches", "label" its full name.
    """
    source, metrics = entry["data"]["source"], entry["metrics"] or {}
    mean_square = entry.get("mean_square")
    return {
        **{name: entry[name] for name in ("model", "activation", "status", "n_extrapolated")},
        **{name: getattr(TrainConfig, name) for name in ("velocity", "start")},
        **entry["config"],
        "data": "digits" if source in ("digits", "mnist") else "patches",
        "source": source,
        "steps": entry["steps"],
        "mean_square": mean_square,
        "fraction": metrics.get("activation_fraction"),
        "dead": metrics.get("dead_fraction"),
        "loss": metrics.get("loss"),
        "peak": entry["peak_objective"] and mean_square and entry["peak_objective"] / mean_square,
        "broken": broken_down(entry) if mean_square or entry["status"] == "diverged" else None,
        "seconds": entry["seconds"],
    }


def select(rows: Iterable[dict], **values: Any) -> list[dict]:
    """Return the rows that have all the given values."""
    return [row for row in rows if all(row[name] == value for name, value in values.items())]


def levels(rows: Iterable[dict], name: str) -> list:
    """Return the values of one column, each once: numbers in increasing order, others in order of appearance."""
    found = list(dict.fromkeys(row[name] for row in rows))
    return sorted(found) if all(isinstance(value, (int, float)) for value in found) else found


def values(rows: Iterable[dict], name: str) -> np.ndarray:
    """Return one column of the rows that have a value there, as float64."""
    return np.array([row[name] for row in rows if row[name] is not None], np.float64)


def mean_and_deviation(found: np.ndarray) -> str:
    """Return "mean +- standard deviation", the mean alone for one value, "-" for none."""
    if not len(found):
        return "-"
    spread = f" +- {found.std(ddof=1):.4f}" if len(found) > 1 else ""
    return f"{found.mean():.4f}{spread}"


def text_table(header: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    """Return the lines as a table in Markdown, its columns aligned."""
    cells = [[str(cell) for cell in line] for line in (header, *lines)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    cells.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in cells
    )
