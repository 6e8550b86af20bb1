"""What a job says before and while it runs: how many runs, how long they take, and the last result."""

import datetime
import sys
import threading
import warnings
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, Executor
from contextlib import closing, contextmanager
from typing import Any

from tqdm import tqdm

from numpy_rae.experiments import tables
from numpy_rae.experiments.blas_kernels import narrow_kernels_note
from numpy_rae.experiments.records import Record
from numpy_rae.experiments.run import Run
from numpy_rae.experiments.time_estimate import seconds_ahead, updates

# A job that takes longer says so if its BLAS kernels are narrower than they could be.
LONG_JOB_SECONDS = 60.0


def announce(wanted: Mapping[str, Run], done: Collection[str], pool: Executor, workers: int) -> None:
    """Print what is about to happen; for runs near the paper's length, also how long it will take.

    Parameters
    ----------
    wanted : mapping
        The runs of the sweep by hash, at least one.
    done : collection of str
        The hashes of the stored runs.
    pool : Executor
        Where the runs are timed.
    workers : int
        How many run at a time.
    """
    todo = [run for key, run in wanted.items() if key not in done]
    first = next(iter(wanted.values()))
    print(f"{len(todo)} runs to do of {updates(first):,} updates on {first.data.spec.label}")
    if todo and updates(todo[0]) >= tables.PAPER_UPDATES // 2:
        print(f"estimated duration with {workers} workers: {duration(todo, pool, workers)}", flush=True)


def duration(todo: list[Run], pool: Executor, workers: int) -> datetime.timedelta | str:
    """Estimate how long the runs will take.

    Parameters
    ----------
    todo : list of Run
        The runs.
    pool : Executor
        Where they are timed.
    workers : int
        How many run at a time.

    Returns
    -------
    timedelta or str
        The duration, or why it is unknown.
    """
    try:
        return datetime.timedelta(seconds=round(seconds_ahead(todo, pool, workers)))
    except (BrokenExecutor, MemoryError):
        return "unknown, a worker died while it was measured"


def show_progress(
    records: Generator[Record],
    total: int,
    describe: Callable[[Record], str] | None = None,
    disable: bool = False,
) -> dict[str, Record]:
    """Draw a bar over the runs with the last result next to it.

    Parameters
    ----------
    records : generator of dict
        The records as they come. It is closed at the end, also after an error or an interrupt.
    total : int
        How many will come.
    describe : callable, optional
        Gives the text of a record. `tables.one_line`, if None.
    disable : bool, optional
        Whether no bar is shown.

    Returns
    -------
    dict
        The records by hash.
    """
    found, describe = {}, describe or tables.one_line
    how = {"total": total, "unit": "run", "dynamic_ncols": True, "disable": disable}
    with closing(records), kernels_note(), progress_bar(records, **how) as bar:
        for entry in bar:
            bar.set_postfix_str(describe(entry))
            found[entry["hash"]] = entry
    return found


def progress_bar(items: Iterable[Any], **how: Any) -> Any:
    """Return a tqdm bar for the terminal or the notebook, whichever runs this.

    Parameters
    ----------
    items : iterable
        What the bar counts.
    **how
        Options of tqdm.

    Returns
    -------
    tqdm.tqdm
        The bar, which is an iterator over `items`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a notebook without ipywidgets gets a bar of text; that is no fault
        from tqdm.auto import tqdm as bar
    return bar(items, **how)


@contextmanager
def kernels_note() -> Iterator[None]:
    """Print one line on stderr after LONG_JOB_SECONDS if BLAS has been forced to use narrow kernels.

    Yields
    ------
    None
        Nothing. The line is not printed after the context ends.
    """
    note = narrow_kernels_note()
    timer = threading.Timer(LONG_JOB_SECONDS, lambda: tqdm.write(str(note), file=sys.stderr))
    timer.daemon = True
    if note:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()
