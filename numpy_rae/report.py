"""A sweep as a person sees it: progress while it runs, the table and the picture at the end."""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from numpy_rae import figures, store
from numpy_rae.checkpoint import Checkpoints
from numpy_rae.cluster import dask_pool
from numpy_rae.command import BAD_INPUT, INTERRUPTED, LOST, tell
from numpy_rae.datasets import DataSpec
from numpy_rae.estimate import seconds_ahead, updates
from numpy_rae.figures import save_picture
from numpy_rae.pool import local_pool
from numpy_rae.records import latest, stored
from numpy_rae.runs import Run, distinct
from numpy_rae.sweep import RunsLost, sweep

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAPER_UPDATES = 50_000


def train_and_draw(protocol, args: argparse.Namespace, runs: list[Run], out: Path) -> int:
    """Train what is not stored, then draw all there is, also after an interrupt (exit code 130) or a loss (1)."""
    wanted, code = distinct(runs), 0
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
    records = [entry for key, entry in stored(out).items() if key in wanted]
    return code if code and not records else draw(protocol, args, records, out) or code


def reports_folder(args: argparse.Namespace, out: Path) -> Path | None:
    """Make the folder of the training reports, if they are asked for. Raises StoreError if it is not writable."""
    if not args.report:
        return None
    folder = out.with_suffix(".reports")
    store.make_folder(folder)
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
    done = stored(out)
    todo = [run for key, run in distinct(runs).items() if key not in done]
    print(f"{len(todo)} runs to do of {updates(runs[0]):,} updates on {runs[0].data.spec.label}")
    if todo and updates(todo[0]) >= PAPER_UPDATES // 2:
        print(f"estimated duration with {count} workers: {duration(todo, pool, count)}", flush=True)


def duration(todo: list[Run], pool: Executor, count: int) -> datetime.timedelta | str:
    """What the runs will take, or why that is not known."""
    try:
        return datetime.timedelta(seconds=round(seconds_ahead(todo, pool, count)))
    except (BrokenExecutor, MemoryError):
        return "unknown, a worker died while it was measured"


def show_progress(records: Iterator[dict], total: int) -> None:
    """A bar over the runs with the last result beside it."""
    with closing(records), tqdm(records, total=total, unit="run", dynamic_ncols=True) as bar:
        for entry in bar:
            bar.set_postfix_str(one_line(entry))


def one_line(entry: dict) -> str:
    """A record in a few words."""
    head = f"{entry['model']} sigma^2={entry['config']['sigma2']:g}: "
    if entry["status"] != "ok":
        last = entry["last_finite_objective"]
        return head + f"diverged at step {entry['diverged_at_step']}, last finite objective {last and f'{last:.3g}'}"
    return head + "active {activation_fraction:.3f}, dead {dead_fraction:.3f}".format(**entry["metrics"])


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
        draw_trend(protocol, args, records, out.with_suffix(".png"))
    except store.StoreError as error:
        tell(protocol.name, error)
        return BAD_INPUT
    return 0


def draw_trend(protocol, args: argparse.Namespace, records: list[dict], picture: Path) -> None:
    """Draw and save the figure. Raises StoreError if that cannot be done."""
    spec = DataSpec(**{name: records[-1]["data"][name] for name in ("source", "count", "path")})
    title = f"{protocol.title}\n{figures.plain(spec.label)}"
    with figures.drawing(picture):
        figure = figures.trend(records, args.models, title, length_note(protocol, records))
    save_picture(figure, picture)
    print(f"picture: {picture}")


def length_note(protocol, records: list[dict]) -> str:
    """How long the runs were beside the paper's, and whether the effect can show at all."""
    steps = max(entry["steps"] for entry in records)
    note = f"{steps:,} updates a run; the paper has {PAPER_UPDATES:,}"
    if steps < protocol.shows_at:
        note += f". TOO SHORT for the effect, which needs about {protocol.shows_at:,}"
    return note if steps != PAPER_UPDATES else ""


def chosen(entries: list[dict], args: argparse.Namespace) -> list[dict]:
    """The stored records that the command line asks to see; of a run that was trained twice the later one."""
    return latest(
        entry
        for entry in entries
        if any(figures.belongs(entry, model) for model in args.models)
        and (args.sigma2 is None or entry["config"]["sigma2"] in args.sigma2)
        and (args.seeds is None or entry["config"]["seed"] in args.seeds)
    )


def table(records: list[dict], models: list[str]) -> str:
    """Mean activation fraction / dead fraction over the seeds, a row for each sigma^2; "-" where no run is stored."""
    cells = {}
    for model in models:
        cells.update({(entry["config"]["sigma2"], model): "diverged" for entry in figures.of_model(records, model)})
        active = figures.by_sigma2(records, model, "activation_fraction")
        dead = figures.by_sigma2(records, model, "dead_fraction")
        for (sigma2, a), (_, d) in zip(active, dead, strict=True):
            cells[sigma2, model] = f"{sum(a) / len(a):.3f}/{sum(d) / len(d):.3f}"
    rows = sorted({entry["config"]["sigma2"] for entry in records})
    width = 2 + max(12, *map(len, models))
    lines = ["sigma^2  " + "".join(f"{model:>{width}}" for model in models)]
    for sigma2 in rows:
        lines.append(f"{sigma2:<9g}" + "".join(f"{cells.get((sigma2, model), '-'):>{width}}" for model in models))
    return "\n".join(["", "average activation fraction / dead units", *lines, ""])


def paired(records: list[dict], models: list[str], reference: str) -> str:
    """Difference of activation fraction from the reference model with the same seed: mean and deviation over seeds."""
    value = {
        (entry["model"], entry["config"]["sigma2"], entry["config"]["seed"]): entry["metrics"]["activation_fraction"]
        for entry in records
        if entry["status"] == "ok"
    }
    lines = [f"activation fraction minus {reference}'s, the same seed: mean +- deviation (seeds)"]
    for model in models:
        for sigma2 in sorted({s for m, s, _ in value if m == model != reference}):
            gaps = [
                mine - value[reference, s, seed]
                for (m, s, seed), mine in value.items()
                if (m, s) == (model, sigma2) and (reference, s, seed) in value
            ]
            if gaps:
                lines.append(f"{model:>16} {sigma2:<6g} {np.mean(gaps):+.4f} +- {np.std(gaps):.4f} ({len(gaps)})")
    return "\n".join([*lines, ""])


def save(figure: Figure, out: Path, name: str) -> int:
    """Save a script's only picture in folder `out` and print its path. Raises StoreError if that cannot be done."""
    save_picture(figure, out / name)
    print(f"picture: {out / name}")
    return 0
