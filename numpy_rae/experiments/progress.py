"""The messages of a job before and during its runs: their number, their estimated duration, and the last result."""

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

# After this time, a job prints a note if its BLAS kernels are narrower than the processor supports.
LONG_JOB_SECONDS = 60.0


def announce(wanted: Mapping[str, Run], done: Collection[str], pool: Executor, workers: int) -> None:
    """Print how many runs will be trained. If they are nearly as long as in the paper, also print a time estimate.

    Parameters
    ----------
    wanted : mapping
        The runs of the sweep by hash, at least one.
    done : collection of str
        The hashes of the stored runs.
    pool : Executor
        Executor on which the runs are timed.
    workers : int
        Number of runs at the same time.
    """
    todo = [run for key, run in wanted.items() if key not in done]
    first = next(iter(wanted.values()))
    print(f"{len(todo)} runs to do of {updates(first):,} updates on {first.data.spec.label}")
    if todo and updates(todo[0]) >= tables.PAPER_UPDATES // 2:
        print(f"estimated duration with {workers} workers: {duration(todo, pool, workers)}", flush=True)


def duration(todo: list[Run], pool: Executor, workers: int) -> datetime.timedelta | str:
    """Estimate the duration of the runs.

    Parameters
    ----------
    todo : list of Run
        The runs.
    pool : Executor
        Executor on which they are timed.
    workers : int
        Number of runs at the same time.

    Returns
    -------
    timedelta or str
        The duration. If it is unknown, a text with the reason.
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
    """Show a progress bar over the runs, with the last result next to it.

    Parameters
    ----------
    records : generator of dict
        Yields a record when its run ends. It is closed at the end, also after an error or an interrupt.
    total : int
        Number of records.
    describe : callable, optional
        Function that returns the text of a record. The default is `tables.one_line`.
    disable : bool, optional
        If True, no bar is shown.

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
    """Return a tqdm bar for the terminal, or for the notebook if this runs in a notebook.

    Parameters
    ----------
    items : iterable
        The items that the bar counts.
    **how
        Options of tqdm.

    Returns
    -------
    tqdm.tqdm
        The bar, which is an iterator over `items`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without ipywidgets, a notebook gets a text bar
        from tqdm.auto import tqdm as bar
    return bar(items, **how)


@contextmanager
def kernels_note() -> Iterator[None]:
    """Print one line on stderr after LONG_JOB_SECONDS if a variable makes BLAS use narrow kernels.

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
