"""A progress bar that counts updates, also of runs in progress, and one log line per finished run.

The updates of runs in progress are read from their checkpoints. So the bar moves every few seconds, and training does
no extra work for it. Without checkpoints, as on a cluster, the bar moves once per finished run.
"""

from __future__ import annotations

import datetime
import threading
from collections.abc import Generator
from contextlib import closing

from tqdm import tqdm

from numpy_rae.experiments.checkpoint import Checkpoints
from numpy_rae.experiments.progress import kernels_note
from numpy_rae.experiments.records import Record
from numpy_rae.experiments.run import Run
from numpy_rae.experiments.tables import one_line
from numpy_rae.experiments.time_estimate import updates

POLL_SECONDS = 2.0


class SweepProgress:
    """The progress bar of one sweep. It is a context manager. Call `finished` once per record.

    Parameters
    ----------
    runs : dict of str to Run
        All runs of the sweep by hash.
    checkpoints : Checkpoints, optional
        Folder where the sweep saves the states of its runs.
    """

    def __init__(self, runs: dict[str, Run], checkpoints: Checkpoints | None = None):
        self.waiting = {key: updates(run) for key, run in runs.items()}
        self.total, self.checkpoints = sum(self.waiting.values()), checkpoints
        self.runs, self.ended = len(runs), threading.Event()
        self.change = threading.Lock()

    def __enter__(self) -> SweepProgress:
        self.bar = tqdm(total=self.total, initial=self.steps(), unit="update", unit_scale=True, dynamic_ncols=True)
        self.thread = threading.Thread(target=self._poll, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()
        self.bar.close()

    def steps(self) -> int:
        """Return the number of finished updates: all of a finished run, and those in the checkpoint of another run.

        Returns
        -------
        int
            The sum over the runs.
        """
        with self.change:
            waiting = dict(self.waiting)
        begun = self.checkpoints.steps() if self.checkpoints else {}
        return self.total - sum(waiting.values()) + sum(min(begun.get(key, 0), waiting[key]) for key in waiting)

    def finished(self, key: str) -> int:
        """Count a run as finished.

        Parameters
        ----------
        key : str
            The run's hash.

        Returns
        -------
        int
            Number of finished runs.
        """
        with self.change:
            self.waiting.pop(key, None)
            done = self.runs - len(self.waiting)
        self.show()
        return done

    def show(self) -> None:
        """Update the bar. It never moves backwards, also if a worker dies and its run starts again."""
        steps = self.steps()
        with self.change:
            self.bar.set_postfix_str(f"{self.runs - len(self.waiting)}/{self.runs} runs", refresh=False)
            self.bar.update(max(0, steps - self.bar.n))
            self.bar.refresh()

    def _poll(self) -> None:
        while not self.ended.wait(POLL_SECONDS):
            self.show()


def log_runs(records: Generator[Record], progress: SweepProgress, stored: set[str], names: dict[str, str]) -> None:
    """Consume the records of a sweep, and print a line for each run that was not stored before.

    Parameters
    ----------
    records : generator of dict
        The generator that `sweep` returns. It is closed at the end, also after an error or an interrupt.
    progress : SweepProgress
        The bar.
    stored : set of str
        Hashes of the runs that were stored before the sweep.
    names : dict of str to str
        Names of the figures that need each run, by hash.
    """
    with progress, kernels_note(), closing(records):
        for entry in records:
            done = progress.finished(entry["hash"])
            if entry["hash"] not in stored:
                now = datetime.datetime.now().isoformat(sep=" ", timespec="seconds")
                head = f"{now}  {done}/{progress.runs}  {names[entry['hash']]}: "
                tqdm.write(head + f"{one_line(entry)}, {entry['seconds']:.1f} s")
