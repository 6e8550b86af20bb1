"""`python -m numpy_rae reproduce` trains and draws every figure of the paper. It can be interrupted and continued.

See docs/reproduce.md.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from pathlib import Path

from numpy_rae.experiments import command_line, comparison, figure_script, parts, progress
from numpy_rae.experiments.checkpoint import INTERVAL, Checkpoints
from numpy_rae.experiments.protocol import FIGURES, PROTOCOLS
from numpy_rae.experiments.records import Record
from numpy_rae.experiments.reproduction_jobs import Job, make_jobs, names_of, script_options
from numpy_rae.experiments.reproduction_report import report
from numpy_rae.experiments.result_files import ResultFiles, check_writable
from numpy_rae.experiments.run import Run
from numpy_rae.experiments.sweep import sweep
from numpy_rae.experiments.sweep_progress import SweepProgress, log_runs
from numpy_rae.experiments.time_estimate import updates
from numpy_rae.storage import jsonl
from numpy_rae.training import NUMERICS

DESCRIPTION = "Train and draw every figure of the paper; stored runs are not trained again."
PRESETS = ("paper", "sample", "tiny")
# Shorter sweeps take less time than an estimate of their duration.
ESTIMATE_FROM = 25_000


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options to a parser.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The parser of the sub-command.
    """
    names = f"of {', '.join(FIGURES)}, or of {', '.join(names_of(FIGURES))} (default: all)"
    parser.add_argument("--figures", nargs="+", default=list(FIGURES), metavar="FIGURE", help=names)
    parser.add_argument("--preset", choices=PRESETS, default="paper", help="size of the runs (default: paper)")
    parser.add_argument("--seeds", nargs="+", type=int, metavar="K", help="several give bands (default: 0)")
    parser.add_argument("--sigma2", nargs="+", type=float, metavar="S", help="coefficients (default: all twelve)")
    parser.add_argument("--part", metavar="I/N", help="train part I of N into files of its own, and draw nothing")
    parser.add_argument("--plot-only", action="store_true", help="draw the stored records and parts; train nothing")
    out = "folder of records and pictures (default: results)"
    parser.add_argument("--out", type=command_line.user_path, default=Path("results"), help=out, metavar="DIR")
    pictures = "folder of the pictures (default: that of --out)"
    parser.add_argument("--pictures", type=command_line.user_path, help=pictures, metavar="DIR")
    workers = "processes, one BLAS thread each (default: one per core)"
    parser.add_argument("--workers", type=int, default=command_line.cores(), metavar="N", help=workers)
    scheduler = "Dask scheduler to send the runs to (default: processes on this machine)"
    parser.add_argument("--scheduler", metavar="ADDRESS", help=scheduler)
    every = f"seconds between checkpoints of a run; not on a cluster (default: {INTERVAL:g})"
    parser.add_argument("--save-every", type=float, default=INTERVAL, metavar="SECONDS", help=every)
    models = "keep the trained weights of the runs trained now, about 3 MB per run, in <out>/models-<preset>"
    parser.add_argument("--save-models", action="store_true", help=models)
    folder = "folder of the data sets (default: $NUMPY_RAE_DATA, else the cache)"
    parser.add_argument("--data-dir", type=command_line.user_path, help=folder, metavar="DIR")
    images = "uint8 images to take the patches from (default: CIFAR-10)"
    parser.add_argument("--images", type=command_line.user_path, metavar="FILE.npy", help=images)
    parser.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """Check all options and files, train the missing runs, and draw the figures.

    Parameters
    ----------
    args : argparse.Namespace
        The command's options.

    Returns
    -------
    int
        The exit code.

    Raises
    ------
    ValueError
        If options cannot be combined or are out of range.
    DataError
        If the images are missing and cannot be downloaded.
    StoreError
        If a file of records or a picture cannot be read or written.
    RunsLost
        If runs were given up.
    """
    names = names_of(args.figures)
    part = parts.parse_part(args.part) if args.part is not None else None
    _check_options(args, part)
    if args.data_dir:
        os.environ["NUMPY_RAE_DATA"] = str(args.data_dir)
    if args.plot_only:
        return report(args, names)
    jobs = make_jobs(args, names)
    if not part:
        _merge_parts([job.results for job in jobs])
    _train_missing(args, jobs, part)
    return 0 if part else report(args, names)


def _check_options(args: argparse.Namespace, part: tuple[int, int] | None) -> None:
    """Raise ValueError for options that cannot be combined or are out of range."""
    for option in ("plot_only", "scheduler"):
        if part and getattr(args, option):
            raise ValueError(f"--part is given with --{option.replace('_', '-')}; use one of them")
    if args.save_models and args.scheduler is not None:
        raise ValueError("--save-models is given with --scheduler; it needs runs on this machine")
    for name in names_of(args.figures):
        options = script_options(PROTOCOLS[name], args)
        figure_script.run_configs(PROTOCOLS[name], options, figure_script.chosen_preset(PROTOCOLS[name], options))


def _merge_parts(results: Iterable[Path]) -> None:
    """Append the records of the parts to each results file. Raise StoreError if a part is in use or in conflict."""
    found = {}
    for path in results:
        jsonl.check_writable(path)
        pieces = parts.part_paths(path)
        parts.refuse_running(pieces)
        found[path] = parts.collect([path, *pieces])
    for path, entries in found.items():
        if count := parts.merge(path, entries):
            print(f"{count} runs merged into {path}")


def _train_missing(args: argparse.Namespace, jobs: list[Job], part: tuple[int, int] | None) -> None:
    """Train the runs that are not stored in any file: all of them, or only those of one part."""
    runs = {key: run for job in jobs for key, run in job.runs.items()}
    share = parts.split(runs, part[1])[part[0] - 1] if part else runs
    files = _result_files(jobs, share, part)
    check_writable(files.wanted)
    stem = f"reproduce-{args.preset}" + (f".part-{part[0]}-of-{part[1]}" if part else "")
    checkpoints = None if args.scheduler else Checkpoints(args.out / f"{stem}.checkpoints", args.save_every)
    models = _models_folder(args)
    stored = files.finished()
    missing = [run for key, run in share.items() if key not in stored]
    _announce(jobs, share, stored, part, models)
    if not missing:
        return
    with figure_script.workers(args) as (pool, count):
        if sum(map(updates, missing)) >= ESTIMATE_FROM:
            print(f"estimated duration with {count} workers: {progress.duration(missing, pool, count)}", flush=True)
        found = sweep(share.values(), pool, files, count, checkpoints, models=models)
        log_runs(found, SweepProgress(share, checkpoints), set(stored), _figure_names(jobs))


def _result_files(jobs: list[Job], share: Iterable[str], part: tuple[int, int] | None) -> ResultFiles:
    """Return the files for the records: the figures' files, or the files of one part, without the finished runs."""
    keys = frozenset(share)
    if not part:
        return ResultFiles({job.results: keys & set(job.runs) for job in jobs})
    wanted = {parts.part_path(job.results, *part): keys & set(job.runs) for job in jobs}
    other = [path for job in jobs for path in (job.results, *parts.part_paths(job.results)) if path not in wanted]
    return ResultFiles({path: hashes for path, hashes in wanted.items() if hashes}, tuple(other))


def _models_folder(args: argparse.Namespace) -> Path | None:
    """Make the folder of the trained weights, if the option is given. Raise StoreError if it is not writable."""
    if not args.save_models:
        return None
    folder: Path = args.out / f"models-{args.preset}"
    jsonl.make_folder(folder)
    return folder


def _figure_names(jobs: list[Job]) -> dict[str, str]:
    """Return, for the hash of each run, the names of the figures that need it."""
    names: dict[str, list[str]] = {}
    for job in jobs:
        for key in job.runs:
            names.setdefault(key, []).append(job.protocol.name)
    return {key: ", ".join(each) for key, each in names.items()}


def _announce(
    jobs: list[Job], share: dict[str, Run], stored: dict[str, Record], part: tuple[int, int] | None,
    models: Path | None,
) -> None:  # fmt: skip
    """Print which runs are stored and which will be trained."""
    listed = sum(len(job.runs) for job in jobs)
    distinct = len({key for job in jobs for key in job.runs})
    print(f"{len(jobs)} results files list {listed} runs; {distinct} of them are distinct")
    if part:
        print(f"part {part[0]} of {part[1]}: {len(share)} runs")
    missing = [run for key, run in share.items() if key not in stored]
    done = len(share) - len(missing)
    print(f"{done} runs are stored, {len(missing)} to do, {sum(map(updates, missing)):,} updates", flush=True)
    if older := sum(comparison.numerics(entry) != NUMERICS for key, entry in stored.items() if key in share):
        print(
            f"{older} of the stored runs were made with another version of the numerics than this one ({NUMERICS}), "
            "and are not trained again; choose another folder with --out to train them all"
        )
    if models and done:
        print(
            f"the weights of the {done} stored runs are not saved; only runs trained now are, in {models}", flush=True
        )
