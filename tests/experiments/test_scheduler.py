"""The scheduler with an executor whose only worker dies with all its jobs."""

from collections import deque
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import nullcontext
from dataclasses import dataclass

import pytest

from numpy_rae.activations import RELU
from numpy_rae.experiments import scheduler
from numpy_rae.experiments.scheduler import RunScheduler
from numpy_rae.objectives import PAPER_OBJECTIVES


@dataclass(frozen=True)
class NamedJob:
    """A job with a name as its hash."""

    label: str
    model = PAPER_OBJECTIVES["AE"]
    activation = RELU
    cost = 1.0

    @property
    def hash(self):
        return self.label


class Store:
    """A store that keeps records in a list."""

    def __init__(self):
        self.entries = []

    exclusive_lock = staticmethod(nullcontext)

    def finished(self):
        return {}

    def append(self, entry):
        self.entries.append(entry["hash"])


class OneWorker(Executor):
    """All submitted jobs fail together if one of them kills the worker. Otherwise the oldest job ends."""

    def __init__(self):
        self.jobs = {}

    def submit(self, execute, job):
        future = Future()
        self.jobs[future] = job
        return future

    def as_completed(self, futures, _patience=None):
        if any(self.jobs[future].label == "killer" for future in futures):
            for future in futures:
                if not future.done():
                    future.set_exception(BrokenExecutor("the worker died"))
        elif not any(future.done() for future in futures):
            futures[0].set_result({"hash": self.jobs[futures[0]].hash})
        return iter([future for future in futures if future.done()])


@pytest.mark.parametrize("at_once", [2, 3, None])
def test_a_job_that_kills_its_worker_is_given_up_and_no_other(monkeypatch, at_once):
    executor, store = OneWorker(), Store()
    monkeypatch.setattr(scheduler, "as_completed", executor.as_completed)
    jobs = [NamedJob(label) for label in ("a", "killer", "b", "c")]
    running = RunScheduler(executor, store, execute=print, arguments=(), waiting=deque(jobs))
    entries = [entry["hash"] for entry in running.results(at_once)]
    assert [job.label for job in running.lost] == ["killer"]
    assert sorted(entries) == sorted(store.entries) == ["a", "b", "c"]
