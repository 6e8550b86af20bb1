"""The driver behind every figure script: a protocol in; training, a table and a picture out."""

from __future__ import annotations

import argparse
import datetime
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from numpy_rae import _validation
from numpy_rae.data import fetch
from numpy_rae.data.folders import DataError
from numpy_rae.data.prepared import DataRef, DataSpec, prepare
from numpy_rae.data.preprocessing import MNIST_STD_OFFSET
from numpy_rae.experiments import command_line, figure_script, records, tables
from numpy_rae.experiments.checkpoint import Checkpoints
from numpy_rae.experiments.command import BAD_INPUT, INTERRUPTED, LOST, command, tell
from numpy_rae.experiments.dask_cluster import dask_pool
from numpy_rae.experiments.local_pool import local_pool
from numpy_rae.experiments.progress import show_progress
from numpy_rae.experiments.protocol import EMBEDDED, Preset, Protocol
from numpy_rae.experiments.records import records_by_hash
from numpy_rae.experiments.run import Run, deduplicate
from numpy_rae.experiments.sweep import RunsLost, sweep
from numpy_rae.experiments.time_estimate import seconds_ahead, updates
from numpy_rae.plotting import style, sweep_figure
from numpy_rae.plotting.style import save_picture
from numpy_rae.registry import ACTIVATIONS, OBJECTIVES
from numpy_rae.storage import jsonl
from numpy_rae.train_config import TrainConfig

if TYPE_CHECKING:
    pass
from numpy_rae.experiments.tables import PAPER_UPDATES, length_note, paired, table


def train_and_draw(protocol, args: argparse.Namespace, runs: list[Run], out: Path) -> int:
    """Train what is not stored, then draw all there is, also after an interrupt (exit code 130) or a loss (1)."""
    wanted, code = deduplicate(runs), 0
    checkpoints = None if args.scheduler is not None else Checkpoints(out.with_suffix(".checkpoints"), args.save_every)
    reports = reports_folder(args, out)
    with workers(args) as (pool, count):
        try:
            announce(runs, pool, count, out)
            records = sweep(runs, pool, out, count, checkpoints, reports)
            show_progress(records, len(wanted))
        except KeyboardInterrupt:
            print("Interrupted: what is finished is stored, and the next start goes on from here.")
            code = INTERRUPTED
        except RunsLost as error:
            tell(protocol.name, error)
            code = LOST
    records = [entry for key, entry in records_by_hash(out).items() if key in wanted]
    return code if code and not records else draw(protocol, args, records, out) or code


def reports_folder(args: argparse.Namespace, out: Path) -> Path | None:
    """Make the folder of the training reports, if they are asked for. Raises StoreError if it is not writable."""
    if not args.report:
        return None
    folder = out.with_suffix(".reports")
    jsonl.make_folder(folder)
    return folder


@contextmanager
def workers(args: argparse.Namespace) -> Iterator[tuple[Executor, int]]:
    """Who runs it, here or on a cluster, and how many they are."""
    if args.scheduler is not None:
        with dask_pool(args.scheduler) as cluster:
            yield cluster
    else:
        with local_pool(args.workers) as pool:
            yield pool, args.workers


def announce(runs: list[Run], pool: Executor, count: int, out: Path) -> None:
    """Say what is about to happen; for the paper's length, how long it will take."""
    done = records_by_hash(out)
    todo = [run for key, run in deduplicate(runs).items() if key not in done]
    print(f"{len(todo)} runs to do of {updates(runs[0]):,} updates on {runs[0].data.spec.label}")
    if todo and updates(todo[0]) >= PAPER_UPDATES // 2:
        print(f"estimated duration with {count} workers: {duration(todo, pool, count)}", flush=True)


def duration(todo: list[Run], pool: Executor, count: int) -> datetime.timedelta | str:
    """What the runs will take, or why that is not known."""
    try:
        return datetime.timedelta(seconds=round(seconds_ahead(todo, pool, count)))
    except (BrokenExecutor, MemoryError):
        return "unknown, a worker died while it was measured"


def draw(protocol, args: argparse.Namespace, records: list[dict], out: Path) -> int:
    """Print the table and the path of the results, then draw the picture; 2 if it cannot be drawn.

    Raises ValueError if there is nothing to draw.
    """
    if not records:
        raise ValueError(f"results file {out} holds no run of this sweep; run it without --plot-only first")
    print(table(records, args.models))
    if protocol.reference:
        print(paired(records, args.models, protocol.reference))
    print(f"results: {out}", flush=True)
    try:
        draw_trend(protocol, args, records, picture_file(args, protocol, records, out))
    except jsonl.StoreError as error:
        tell(protocol.name, error)
        return BAD_INPUT
    return 0


def picture_file(args: argparse.Namespace, protocol, records: list[dict], out: Path) -> Path:
    """Where the picture goes: --picture; else beside the results, under another name for a part of the full figure.

    The full figure has all that is stored of the protocol's models.
    """
    if args.picture:
        return args.picture
    everything = argparse.Namespace(models=list(protocol.models), sigma2=None, seeds=None)
    selected = (args.models, args.sigma2, args.seeds) != (everything.models, None, None)
    whole = tables.chosen(records_by_hash(out).values(), everything)
    if selected and {model_sigma2_seed(entry) for entry in whole} - {model_sigma2_seed(entry) for entry in records}:
        return out.with_name(f"{out.stem}-selection.png")
    return out.with_suffix(".png")


def model_sigma2_seed(entry: dict) -> tuple[str, float, int]:
    """Model, sigma^2 and seed of a record."""
    return entry["model"], entry["config"]["sigma2"], entry["config"]["seed"]


def draw_trend(protocol, args: argparse.Namespace, records: list[dict], picture: Path) -> None:
    """Draw and save the figure. Raises StoreError if that cannot be done."""
    spec = DataSpec(**{name: records[-1]["data"][name] for name in ("source", "count", "path")})
    title = f"{protocol.title}\n{style.plain(spec.label)}"
    with style.drawing(picture):
        figure = sweep_figure.trend(records, args.models, title, length_note(protocol, records))
    save_picture(figure, picture)
    print(f"picture: {picture}")


def main(protocol: Protocol, argv: Sequence[str] | None = None) -> int:
    """Run a figure script and return its exit code: see `command`."""
    body = command(protocol.name)(lambda: run(protocol, command_line.parser(protocol).parse_args(argv)))
    return body()


def run(protocol: Protocol, args: argparse.Namespace) -> int:
    """Check everything, train what is missing, draw."""
    preset = chosen_preset(protocol, args)
    configs = run_configs(protocol, args, preset)
    out = args.out / f"{protocol.name}-{args.preset}.jsonl"
    entries = records.load_records(out)
    if args.plot_only:
        return figure_script.draw(protocol, args, tables.chosen(entries, args), out)
    jsonl.check_writable(out)
    if args.data_dir:
        os.environ["NUMPY_RAE_DATA"] = str(args.data_dir)
    data = training_data(protocol, args, preset)
    runs = [
        Run(OBJECTIVES[model], ACTIVATIONS[protocol.activation], data, config)
        for config in configs
        for model in args.models
    ]
    records.refuse_other_configuration(entries, runs, out)
    return figure_script.train_and_draw(protocol, args, runs, out)


def chosen_preset(protocol: Protocol, args: argparse.Namespace) -> Preset:
    """The preset with what the command line overrides."""
    given = {name: getattr(args, name) for name in ("samples", "epochs", "hidden", "sigma2")}
    preset = protocol.presets()[args.preset]
    return replace(preset, **{name: value for name, value in given.items() if value is not None})


def run_configs(protocol: Protocol, args: argparse.Namespace, preset: Preset) -> list[TrainConfig]:
    """One configuration for every (seed, sigma^2). Raises ValueError for any option outside its range."""
    for model in args.models:
        _validation.one_of("--models", model, OBJECTIVES)
    _validation.integer("--samples", preset.samples)
    _validation.integer("--workers", args.workers)
    _validation.number("--save-every", args.save_every, open_low=True)
    if args.report and args.scheduler is not None:
        raise ValueError("--report is given with --scheduler; it needs runs on this machine")
    return [
        TrainConfig(sigma2, seed, preset.hidden, epochs=preset.epochs, eta=args.eta, constraint=protocol.constraint)
        for seed in args.seeds or [0]
        for sigma2 in preset.sigma2
    ]


def training_data(protocol: Protocol, args: argparse.Namespace, preset: Preset) -> DataRef:
    """The protocol's data; what is embedded or shipped instead, with a word on stderr, if they are not to be had."""
    spec = data_spec(protocol, args, preset)
    if spec.source not in ("mnist", "cifar10"):
        return prepare(spec)
    try:
        return prepared_or_fetched(spec, preset.fetch)
    except DataError as error:
        print(f"{error}\n\nGoing on with what is at hand instead.", file=sys.stderr)
    if spec.source == "mnist":
        return prepare(replace(spec, source="digits", count=EMBEDDED))
    return prepare(replace(spec, source="photograph"))


def data_spec(protocol: Protocol, args: argparse.Namespace, preset: Preset) -> DataSpec:
    """What the protocol asks for: up to 5,000 digits are the embedded ones."""
    if protocol.source == "mnist":
        source = "mnist" if preset.samples > EMBEDDED else "digits"
        return DataSpec(source, preset.samples, MNIST_STD_OFFSET)
    if args.images:
        return DataSpec("images", preset.samples, path=str(args.images))
    return DataSpec("cifar10", preset.samples)


def prepared_or_fetched(spec: DataSpec, download: bool) -> DataRef:
    """Prepare from the data folder; download first if the images are missing there and `download` allows it."""
    try:
        return prepare(spec)
    except DataError:
        if not download:
            raise
    fetch.fetch(spec.source)
    return prepare(spec)
