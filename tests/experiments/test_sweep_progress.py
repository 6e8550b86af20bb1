"""The progress bar counts the checkpoints of a run and never moves backwards. Every record gets into its files."""

import threading
import time
from dataclasses import replace

import made_runs
import pytest
from made_runs import grid, timeless

from numpy_rae.data import prepared
from numpy_rae.experiments import sweep_progress
from numpy_rae.experiments.checkpoint import Checkpoints, CheckpointWriter, steps_done
from numpy_rae.experiments.result_files import ResultFiles
from numpy_rae.experiments.run import deduplicate
from numpy_rae.experiments.sweep import sweep
from numpy_rae.experiments.sweep_progress import SweepProgress
from numpy_rae.experiments.time_estimate import updates
from numpy_rae.experiments.worker import train_run
from numpy_rae.storage import jsonl
from numpy_rae.training import train


@pytest.fixture
def runs(ref):
    return deduplicate(grid(ref))


class StopsAt(CheckpointWriter):
    """Write a checkpoint after update `at` and stop the run there."""

    at = 4

    def on_step_end(self, step, state):
        super().on_step_end(step, state)
        if step == self.at:
            self._keep(state)
            raise KeyboardInterrupt


def stopped(run, checkpoints, at):
    """Train a run until its checkpoint after `at` updates."""
    with StopsAt(checkpoints.path(run.hash), run.identity, 1e9) as keeper, pytest.raises(KeyboardInterrupt):
        keeper.at = at
        train(prepared.load(run.data), run.model, run.activation, run.config, keeper)


def test_a_checkpoint_tells_its_updates_from_its_list_of_members(tmp_path, runs):
    checkpoints, (key, run) = Checkpoints(tmp_path), next(iter(runs.items()))
    assert checkpoints.steps() == {}
    for at in (1, 4):
        stopped(run, checkpoints, at)
        assert checkpoints.steps() == {key: at} and steps_done(checkpoints.path(key)) == at
    for content in (b"", b"PK", checkpoints.path(key).read_bytes()[:-100]):
        (tmp_path / "other.npz").write_bytes(content)
        assert steps_done(tmp_path / "other.npz") is None and checkpoints.steps() == {key: 4}
    assert steps_done(tmp_path / "missing.npz") is None


def test_the_bar_counts_finished_runs_and_what_checkpoints_say(tmp_path, runs):
    checkpoints, (first, second, *_) = Checkpoints(tmp_path), list(runs)
    each = updates(runs[first])
    progress = SweepProgress(runs, checkpoints)
    assert (progress.total, progress.steps()) == (each * len(runs), 0)
    stopped(runs[first], checkpoints, 4)
    assert progress.steps() == 4
    with progress:
        assert progress.finished(second) == 1 and progress.bar.n == 4 + each
        checkpoints.remove(first)
        progress.show()
        assert progress.bar.n == 4 + each, "the bar moved backwards"
        assert progress.finished(first) == 2 and progress.bar.n == 2 * each
        assert progress.finished(first) == 2, "a run counts once"


def test_the_bar_moves_while_a_run_is_in_progress(tmp_path, runs, monkeypatch):
    monkeypatch.setattr(sweep_progress, "POLL_SECONDS", 0.01)
    checkpoints = Checkpoints(tmp_path)
    with SweepProgress(runs, checkpoints) as progress:
        stopped(next(iter(runs.values())), checkpoints, 3)
        deadline = time.monotonic() + 30
        while progress.bar.n != 3:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert progress.thread not in threading.enumerate()


def test_without_checkpoints_it_counts_finished_runs(runs):
    with SweepProgress(runs) as progress:
        assert progress.finished(next(iter(runs))) == 1
        assert progress.bar.n == updates(next(iter(runs.values())))


class Thread:
    """An executor in the calling thread."""

    def submit(self, function, *given):
        from concurrent.futures import Future

        future = Future()
        future.set_running_or_notify_cancel()
        future.set_result(function(*given))
        return future


def test_a_record_reaches_every_file_that_wants_it_and_no_other(tmp_path, runs):
    keys = list(runs)
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    files = ResultFiles({one: frozenset(keys[:3]), two: frozenset(keys[2:5])})
    records = list(sweep([runs[key] for key in keys[:5]], Thread(), files))
    assert len(records) == 5
    for path, wanted in ((one, keys[:3]), (two, keys[2:5])):
        assert sorted(made_runs.lines(path)) == sorted(wanted)
    assert timeless(records) == timeless(train_run(runs[key]) for key in keys[:5])


def test_a_file_gets_what_another_one_has(tmp_path, runs):
    keys, also = list(runs), tmp_path / "also.jsonl"
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    jsonl.append(one, train_run(runs[keys[0]]))
    jsonl.append(also, train_run(runs[keys[1]]))
    files = ResultFiles({one: frozenset(keys[:2]), two: frozenset(keys[:2])}, (also,))
    assert set(files.finished()) == {keys[0], keys[1]}
    assert [entry["hash"] for entry in jsonl.read(two)] == [keys[0]]
    assert files.finished() == files.finished() and len(jsonl.read(two)) == 1


def test_no_file_is_taken_if_one_is_in_use(tmp_path, runs):
    paths = [tmp_path / "one.jsonl", tmp_path / "two.jsonl"]
    files = ResultFiles({path: frozenset(runs) for path in paths})
    with jsonl.exclusive_lock(paths[1]), pytest.raises(jsonl.StoreError, match="two.jsonl is in use"):
        list(sweep(runs.values(), Thread(), files))
    with jsonl.exclusive_lock(paths[0]):
        pass


def test_weights_that_cannot_be_saved_are_a_warning(tmp_path, runs, caplog):
    run = next(iter(runs.values()))
    (tmp_path / "file").write_text("")
    record = train_run(run, models=tmp_path / "file")
    assert record["hash"] == run.hash and "the run is stored" in caplog.text


def test_a_diverged_run_leaves_no_weights(tmp_path, ref):
    run = grid(ref, replace(made_runs.SMALL, eta=1e6, constraint="free"))[0]
    with_models = train_run(run, models=tmp_path)
    assert with_models["status"] == "diverged" and not list(tmp_path.iterdir())
