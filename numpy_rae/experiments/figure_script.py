"""The code that all figure scripts share: it trains the runs of a protocol, prints a table and draws a picture."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from numpy_rae import _validation
from numpy_rae.data.data_spec import recorded_label
from numpy_rae.experiments import command_line, progress, protocol_data, record_checks, tables
from numpy_rae.experiments.checkpoint import Checkpoints
from numpy_rae.experiments.command import BAD_INPUT, INTERRUPTED, LOST, command, tell
from numpy_rae.experiments.dask_cluster import dask_pool
from numpy_rae.experiments.local_pool import local_pool
from numpy_rae.experiments.protocol import Preset, Protocol
from numpy_rae.experiments.record_stores import StoredRecords
from numpy_rae.experiments.records import Record
from numpy_rae.experiments.run import Run, deduplicate
from numpy_rae.experiments.scheduler import RunsLost
from numpy_rae.experiments.sweep import sweep
from numpy_rae.plotting import model_curves, style, sweep_figure
from numpy_rae.plotting.style import save_picture
from numpy_rae.registry import ACTIVATIONS, OBJECTIVES
from numpy_rae.storage import jsonl
from numpy_rae.train_config import TrainConfig


def main(protocol: Protocol, argv: Sequence[str] | None = None) -> int:
    """Run a figure script.

    Parameters
    ----------
    protocol : Protocol
        The figure.
    argv : sequence of str, optional
        The command line without the program's name. If None, `sys.argv[1:]` is used.

    Returns
    -------
    int
        The exit code, see `command`.
    """
    body = command(protocol.name)(lambda: run(protocol, command_line.parser(protocol).parse_args(argv)))
    return body()


def run(protocol: Protocol, args: argparse.Namespace) -> int:
    """Check all options and files, train the missing runs, and draw the figure.

    Parameters
    ----------
    protocol : Protocol
        The figure.
    args : Namespace
        The options, see `command_line.parser`.

    Returns
    -------
    int
        The exit code.

    Raises
    ------
    ValueError
        If an option is outside its range, or if the results file contains runs with other settings.
    StoreError
        If the results file cannot be read or written.
    """
    preset = chosen_preset(protocol, args)
    configs = run_configs(protocol, args, preset)
    stored = record_checks.load_results(args.out / f"{protocol.name}-{args.preset}.jsonl")
    entries = list(stored.by_hash.values())
    if args.plot_only:
        return draw(protocol, args, tables.chosen(entries, args), stored)
    jsonl.check_writable(stored.path)
    if args.data_dir:
        os.environ["NUMPY_RAE_DATA"] = str(args.data_dir)
    data = protocol_data.training_data(protocol.source, preset.samples, args.images, preset.fetch)
    runs = [
        Run(OBJECTIVES[model], ACTIVATIONS[protocol.activation], data, config)
        for config in configs
        for model in args.models
    ]
    record_checks.refuse_other_configuration(entries, runs, stored.path)
    return train_and_draw(protocol, args, runs, stored)


def chosen_preset(protocol: Protocol, args: argparse.Namespace) -> Preset:
    """Return the preset, changed by the options of the command line.

    Parameters
    ----------
    protocol : Protocol
        The figure.
    args : Namespace
        The options.

    Returns
    -------
    Preset
        The size of the runs.
    """
    given = {name: getattr(args, name) for name in ("samples", "epochs", "hidden", "sigma2")}
    preset = protocol.presets()[args.preset]
    return replace(preset, **{name: value for name, value in given.items() if value is not None})


def run_configs(protocol: Protocol, args: argparse.Namespace, preset: Preset) -> list[TrainConfig]:
    """Return one configuration for every pair of a seed and a sigma^2.

    Parameters
    ----------
    protocol : Protocol
        The figure.
    args : Namespace
        The options.
    preset : Preset
        The size of the runs.

    Returns
    -------
    list of TrainConfig
        The configurations, seed by seed.

    Raises
    ------
    ValueError
        If an option is outside its range.
    """
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


def train_and_draw(protocol: Protocol, args: argparse.Namespace, runs: list[Run], stored: StoredRecords) -> int:
    """Train the runs that are not stored, then draw all stored runs.

    The figure is also drawn after an interrupt, or if runs were given up.

    Parameters
    ----------
    protocol : Protocol
        The figure.
    args : Namespace
        The options.
    runs : list of Run
        All runs of the figure.
    stored : StoredRecords
        The records of the results file.

    Returns
    -------
    int
        The exit code: 0, 1 if runs were given up, 130 after an interrupt, 2 if the picture cannot be drawn.
    """
    wanted, out = deduplicate(runs), stored.path
    checkpoints = None if args.scheduler is not None else Checkpoints(out.with_suffix(".checkpoints"), args.save_every)
    reports = _reports_folder(args, out)
    code = 0
    with workers(args) as (pool, count):
        try:
            progress.announce(wanted, stored.by_hash, pool, count)
            found = progress.show_progress(sweep(runs, pool, out, count, checkpoints, reports, stored), len(wanted))
        except KeyboardInterrupt:
            print("Interrupted: the finished runs are stored, and the next start continues from here.")
            code = INTERRUPTED
        except RunsLost as error:
            tell(protocol.name, error)
            code = LOST
    if code:  # runs that ended while the sweep was closed are in the file only
        found = stored.refresh().by_hash
    entries = [found[key] for key in wanted if key in found]
    return code if code and not entries else draw(protocol, args, entries, stored) or code


def _reports_folder(args: argparse.Namespace, out: Path) -> Path | None:
    """Make the folder of the training reports, if the option is given. Raise StoreError if it is not writable."""
    if not args.report:
        return None
    folder = out.with_suffix(".reports")
    jsonl.make_folder(folder)
    return folder


@contextmanager
def workers(args: argparse.Namespace) -> Iterator[tuple[Executor, int]]:
    """Open the executor for the options: a Dask cluster or a pool of processes on this machine.

    Parameters
    ----------
    args : Namespace
        The options, of which `scheduler` and `workers` are used.

    Yields
    ------
    pool : Executor
        Executor on which the runs are trained.
    count : int
        Its number of workers.
    """
    if args.scheduler is not None:
        with dask_pool(args.scheduler) as cluster:
            yield cluster
    else:
        with local_pool(args.workers) as pool:
            yield pool, args.workers


def draw(protocol: Protocol, args: argparse.Namespace, entries: list[Record], stored: StoredRecords) -> int:
    """Print the table and the path of the results, then draw the picture.

    Parameters
    ----------
    protocol : Protocol
        The figure.
    args : Namespace
        The options.
    entries : list of dict
        The records that are shown.
    stored : StoredRecords
        The records of the results file at the start.

    Returns
    -------
    int
        The exit code: 0, or 2 if the picture cannot be drawn.

    Raises
    ------
    ValueError
        If there is no record.
    """
    if not entries:
        raise ValueError(f"results file {stored.path} holds no run of this sweep; run it without --plot-only first")
    shown = model_curves.spread_plain(entries, args.models, args.sigma2)
    print(tables.table(shown, args.models))
    if protocol.reference:
        print(tables.paired(shown, args.models, protocol.reference))
    print(f"results: {stored.path}", flush=True)
    try:
        _draw_trend(protocol, args, shown, picture_file(protocol, args, entries, stored))
    except jsonl.StoreError as error:
        tell(protocol.name, error)
        return BAD_INPUT
    return 0


def picture_file(protocol: Protocol, args: argparse.Namespace, entries: list[Record], stored: StoredRecords) -> Path:
    """Return the file of the picture.

    If --picture is given, it is this file. Otherwise it is next to the results. The full figure shows all stored runs
    of the protocol's models. A picture of only a part of them has another name, so that the full figure is kept.

    Parameters
    ----------
    protocol : Protocol
        The figure.
    args : Namespace
        The options.
    entries : list of dict
        The records that are shown.
    stored : StoredRecords
        The records of the results file at the start.

    Returns
    -------
    Path
        The file.
    """
    if args.picture:
        return Path(args.picture)
    out = stored.path
    everything = argparse.Namespace(models=list(protocol.models), sigma2=None, seeds=None)
    if (args.models, args.sigma2, args.seeds) == (everything.models, None, None):
        return out.with_suffix(".png")
    known = {**stored.by_hash, **{entry["hash"]: entry for entry in entries}}
    whole = tables.chosen(known.values(), everything)
    shown = model_curves.spread_plain(entries, args.models, args.sigma2)
    if {_model_sigma2_seed(entry) for entry in whole} - {_model_sigma2_seed(entry) for entry in shown}:
        return out.with_name(f"{out.stem}-selection.png")
    return out.with_suffix(".png")


def _model_sigma2_seed(entry: Record) -> tuple[str, float, int]:
    """Return model, sigma^2 and seed of a record."""
    return entry["model"], entry["config"]["sigma2"], entry["config"]["seed"]


def _draw_trend(protocol: Protocol, args: argparse.Namespace, shown: list[Record], picture: Path) -> None:
    """Draw and save the figure. Raise StoreError if that cannot be done."""
    title = f"{protocol.title}\n{style.plain(recorded_label(shown[-1]['data']))}"
    with style.drawing(picture):
        note = tables.length_note(protocol, shown)
        figure = sweep_figure.trend(shown, args.models, title, note, protocol.reference)
    save_picture(figure, picture)
    print(f"picture: {picture}")
