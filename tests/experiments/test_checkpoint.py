"""Checkpoints: a run that was stopped at any update and resumed must end with the same bits as an uninterrupted run."""

import io
import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_rae.activations import PAPER_ACTIVATIONS, SIGMOID
from numpy_rae.callbacks import Callback
from numpy_rae.experiments import checkpoint
from numpy_rae.experiments.checkpoint import CheckpointError, Checkpoints, CheckpointWriter, load, save
from numpy_rae.objectives import Objective
from numpy_rae.registry import OBJECTIVES
from numpy_rae.storage import npz
from numpy_rae.train_config import TrainConfig
from numpy_rae.training import train

CONFIG = TrainConfig(sigma2=0.1, hidden=4, batch_size=7, epochs=3, eta=0.01)
RUN = {"model": "DAE", "config": {"seed": 1, "ratio": 0.1}}


def data(dtype=np.float32, N=20):
    return np.random.default_rng(0).standard_normal((N, 5)).astype(dtype)


class Left(Exception):
    """An exception that stops a run."""


class Leave(Callback):
    """Write the state after update `at`, then stop the run."""

    def __init__(self, path, at):
        self.path, self.at = path, at

    def on_step_end(self, step, state):
        if step == self.at:
            save(self.path, state, RUN)
            raise Left


def left(path, at, x, *what, state=None):
    with pytest.raises(Left):
        train(x, *what, Leave(path, at), state)
    return load(path, RUN)


def assert_same_end(one, other):
    """Check that two results are equal, except for the duration."""
    for mine, its in zip(one.params, other.params, strict=True):
        np.testing.assert_array_equal(mine, its)
        assert mine.dtype == its.dtype and np.isfortran(mine) == np.isfortran(its)
    assert replace(one, params=None, seconds=0) == replace(other, params=None, seconds=0)


@given(
    model=st.sampled_from(list(OBJECTIVES.values())),
    activation=st.sampled_from(list(PAPER_ACTIVATIONS.values())),
    constraint=st.sampled_from(["unit", "free", "max-norm"]),
    dtype=st.sampled_from(["float32", "float64"]),
    N=st.integers(1, 20),
    batch_size=st.integers(1, 9),
    stops=st.lists(st.floats(0, 1), min_size=1, max_size=3),
)
def test_resumed_is_uninterrupted_bit_for_bit(
    tmp_path_factory, model, activation, constraint, dtype, N, batch_size, stops
):
    """Runs that stop in an epoch, after an epoch or after the last update continue with equal results."""
    path = tmp_path_factory.mktemp("run") / "c.npz"
    config = replace(CONFIG, constraint=constraint, dtype=dtype, batch_size=batch_size)
    x = data(dtype, N)
    what = (model, activation, config)
    try:
        whole = train(x, *what)
    except ValueError:  # KL refuses negative activations, and the noise variants accept only ReLU
        return
    state = None
    for at in sorted({1 + int(share * (whole.steps - 1)) for share in stops}):
        state = left(path, at, x, *what, state=state)
        assert len(state.objectives) == at
    assert_same_end(train(x, *what, state=state), whole)


@pytest.mark.parametrize("at", [1, 2, 3, 5, 9])
def test_the_file_holds_the_whole_state(tmp_path, at):
    """If the state is read and written again, the bytes must be the same. So no part is lost or changed."""
    state = left(tmp_path / "one.npz", at, data(), OBJECTIVES["CAE+H"], SIGMOID, CONFIG)
    save(tmp_path / "two.npz", state, RUN)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    assert [len(batch) for batch in state.ahead] == {1: [7, 6], 2: [6], 3: [], 5: [6], 9: []}[at]
    assert len(state.history) == (at - 1) // 3


def test_counts_go_on_where_they_were(tmp_path):
    def counted(params, activation, x, sigma2, rng):
        return 1.0, OBJECTIVES["AE"](params, activation, x, 0, rng)[1]._replace(n_extrapolated=len(x))

    what = (Objective("counted", counted), SIGMOID, CONFIG)
    state = left(tmp_path / "c.npz", 4, data(), *what)
    assert state.n_extrapolated == 27 and train(data(), *what, state=state).n_extrapolated == 60


def test_without_a_file_there_is_no_state(tmp_path):
    assert load(tmp_path / "none.npz", RUN) is None


@pytest.fixture
def path(tmp_path):
    left(tmp_path / "c.npz", 5, data(), OBJECTIVES["DAE"], SIGMOID, CONFIG)
    return tmp_path / "c.npz"


@pytest.mark.parametrize("other", [{**RUN, "model": "CAE"}, {**RUN, "versions": {"numpy": "9"}}, {}])
def test_another_runs_checkpoint_is_refused(path, other):
    with pytest.raises(CheckpointError, match="^checkpoint .*c.npz cannot be used: it belongs to another run"):
        load(path, other)


def test_a_damaged_checkpoint_is_refused_or_unharmed(path, monkeypatch):
    """The file is cut at every 97th byte, and every 97th byte is changed."""
    content, again = path.read_bytes(), path.with_name("again.npz")
    for k in range(0, len(content), 97):
        for spoilt in (content[:k], content[:k] + bytes([content[k] ^ 64]) + content[k + 1 :]):
            monkeypatch.setattr(checkpoint, "open", lambda *_, spoilt=spoilt: io.BytesIO(spoilt), raising=False)
            try:
                state = load(path, RUN)
            except CheckpointError as error:
                assert str(error).startswith(f"checkpoint {path} cannot be used: ") and "\n" not in str(error)
                continue
            save(again, state, RUN)
            assert again.read_bytes() == content


def test_a_model_file_is_no_checkpoint(tmp_path):
    npz.write(tmp_path / "c.npz", b'{"format": "numpy_rae model", "version": 1}', {})
    with pytest.raises(CheckpointError, match="its metadata do not say that it is a numpy_rae checkpoint of version 2"):
        load(tmp_path / "c.npz", RUN)


@pytest.mark.parametrize(("cost", "written"), [(0.0, [3, 6, 9]), (0.3, [3, 9])])
def test_the_state_is_written_at_intervals_but_never_most_of_the_time(tmp_path, monkeypatch, cost, written):
    """An update takes one second, and writing takes `cost` seconds.

    At most a twentieth of the time goes into writing.
    """
    now, seen = [0.0], []

    class Clocked(CheckpointWriter):
        def on_step_end(self, step, state):
            now[0] += 1
            super().on_step_end(step, state)

    def write(path, state, run):
        now[0] += cost
        seen.append(len(state.objectives))

    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(checkpoint, "save", write)
    with Clocked(tmp_path / "c.npz", RUN, 3.0) as keeper:
        train(data(), OBJECTIVES["DAE"], SIGMOID, CONFIG, keeper)
    assert seen == written


def test_what_cannot_be_written_is_a_warning_and_the_run_goes_on(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    with CheckpointWriter(tmp_path / "file" / "c.npz", RUN, 0.0) as keeper, caplog.at_level(logging.WARNING):
        trained = train(data(), OBJECTIVES["DAE"], SIGMOID, CONFIG, keeper)
    assert_same_end(trained, train(data(), OBJECTIVES["DAE"], SIGMOID, CONFIG))
    assert "c.npz cannot be written: " in caplog.text and caplog.text.rstrip().endswith("; the run continues")


def test_sigterm_is_as_before_outside_the_context(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    with CheckpointWriter(tmp_path / "c.npz", RUN):
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


LONG = replace(CONFIG, epochs=10**6)
CHILD = """
import sys
from pathlib import Path
from test_checkpoint import OBJECTIVES, LONG, RUN, SIGMOID, CheckpointWriter, data, train
with CheckpointWriter(Path(sys.argv[1]), RUN) as keeper:
    print("on", flush=True)
    train(data(), OBJECTIVES["DAE"], SIGMOID, LONG, keeper)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGTERM")
def test_a_terminated_process_leaves_its_state_and_dies_of_the_signal(tmp_path):
    path, env = tmp_path / "c.npz", {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, env=env)
    child.stdout.readline()
    time.sleep(0.2)
    child.terminate()
    child.communicate(timeout=60)
    assert child.returncode == -signal.SIGTERM
    state = load(path, RUN)
    steps = len(state.objectives)
    x, what = data(), (OBJECTIVES["DAE"], SIGMOID)
    epochs = steps // 3 + 1
    assert_same_end(
        train(x, *what, replace(LONG, epochs=epochs), state=state), train(x, *what, replace(LONG, epochs=epochs))
    )


def test_tidy_removes_what_is_done_and_half_written_and_keeps_the_rest(tmp_path):
    kept = Checkpoints(tmp_path / "r.checkpoints")
    kept.remove_stale(set())  # the folder does not exist
    kept.folder.mkdir()
    for name in ("done.npz", "open.npz", ".0123.tmp"):
        (kept.folder / name).write_text("")
    kept.remove_stale({"done", "other"})
    assert [path.name for path in kept.folder.iterdir()] == ["open.npz"]
    kept.remove("open")
    kept.remove("open")
    kept.remove_stale(set())
    assert not kept.folder.exists()


def test_progress_changes_with_every_writing(path):
    kept = Checkpoints(path.parent)
    first = kept.progress("c")
    assert first is not None and first == kept.progress("c") and kept.progress("none") is None
    save(path, load(path, RUN), RUN)
    assert kept.progress("c") != first
