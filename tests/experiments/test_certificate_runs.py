"""The runs behind the table of outcomes: their data, their list, the measurements of a run, and resumption of a file."""

from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from numpy_rae import breakdown
from numpy_rae.__main__ import COLUMNS, rows_shown
from numpy_rae.activations import RELU, TANH
from numpy_rae.data import images
from numpy_rae.experiments import certificate_data, certificate_runs, certificate_training, certificate_trials
from numpy_rae.experiments.certificate_trials import PRESETS, Preset
from numpy_rae.experiments.scheduler import RunsLost
from numpy_rae.extra_activations import LEAKY_RELU, SQUARED_RELU
from numpy_rae.metrics import mean_square, measure
from numpy_rae.registry import find_activation
from numpy_rae.storage import jsonl
from numpy_rae.training import train

SMALL = Preset(100, {"digits": 6, "white": 8}, (0.0, 0.5), (0, 1), (2, 4))


def one(activation=RELU, penalty="L1", data="white", lam=0.5, **changes):
    """Return a small trial; `changes` are fields of its configuration."""
    found = [
        t
        for t in certificate_trials.all_trials(SMALL, [activation], [penalty])
        if (t.data, t.config.sigma2) == (data, lam)
    ]
    return replace(found[0], config=replace(found[0].config, **changes))


def test_white_data_meet_assumption_1_to_rounding():
    x = certificate_data.load("white", 500)
    assert x.dtype == np.float32 and x.shape == (500, 20)
    eps = np.finfo(np.float32).eps
    np.testing.assert_allclose(x.mean(axis=0, dtype=float), 0, atol=eps)
    np.testing.assert_allclose(x.T.astype(float) @ x / len(x), np.eye(20), atol=4 * eps)


def test_digits_are_means_of_2_x_2_blocks_standardised_with_the_offset():
    x, pixels = certificate_data.load("digits", 50), images.load_sample()[0][:50] / 255
    assert x.dtype == np.float32 and x.shape == (50, 196)
    for row, column in ((7, 7), (4, 9), (0, 0)):
        block = pixels[:, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2].mean(axis=(1, 2))
        expected = (block - block.mean()) / (block.std() + 0.1)
        np.testing.assert_allclose(x[:, 14 * row + column], expected, atol=1e-6)


def test_every_pair_is_tried_and_the_plain_one_once():
    activations = [find_activation(name) for name in rows_shown() if name != "maxout"]
    listed = certificate_trials.all_trials(PRESETS["sample"], activations, COLUMNS)
    assert len({trial.hash for trial in listed}) == len(listed)
    for s_e in activations:
        of_s_e = [t for t in listed if (t.activation, t.data) == (s_e, "white")]
        mine = [(t.model.name, t.config.sigma2, t.config.seed) for t in of_s_e]
        penalties = [p for p in COLUMNS if s_e.non_negative or p != "KL"]
        expected = {("AE", 0.0, k) for k in range(2)}
        expected |= {(p, lam, k) for p in penalties for lam in (0.1, 0.3, 1.0) for k in range(2)}
        assert len(mine) == len(expected) and set(mine) == expected
    assert {t.config.eta for t in listed if t.activation == SQUARED_RELU} == {0.0005, 0.00125}
    assert {t.config.eta for t in listed if t.activation == LEAKY_RELU} == {0.002, 0.005}


def test_what_decides_the_numbers_decides_the_hash():
    first = one()
    others = [
        one(activation=TANH), one(penalty="SAE"), one(data="digits"), one(lam=0.0), one(seed=1), one(tangent=True),
        replace(first, epochs=(2, 5)), replace(first, samples=99),
    ]  # fmt: skip
    assert len({trial.hash for trial in (first, *others)}) == 9


@pytest.mark.parametrize("tangent", [False, True])
def test_a_trial_measured_on_its_way_is_the_run_without_a_stop(tangent):
    trial = one(activation=TANH, tangent=tangent)
    seen, x = certificate_training.train_trial(trial), certificate_data.load("white", 100)
    before = np.zeros(8)
    for k, epochs in enumerate(trial.epochs):
        config = replace(trial.config, epochs=epochs)
        trained = train(x, trial.model, TANH, config)
        codes = measure(trained.params, TANH, x)
        h = np.tanh(x @ trained.params.W.T + trained.params.b_e)
        expected = {
            "steps": trained.steps,
            "fraction": (h > 0.1).mean(),
            "near_zero": (np.abs(h) <= 0.1).mean(),
            "dead": (h <= 0.1).all(axis=0).mean(),
            "mean_a": codes.mean_a.mean(),
            "drift": np.sqrt(((codes.mean_a - before) ** 2).sum() / codes.var_a.sum()),
            "loss": trained.metrics["loss"],
        }
        assert {name: seen[name][k] for name in expected} == pytest.approx(expected, abs=0.6e-5)
        before = codes.mean_a
    assert (seen["status"], seen["tangent"]) == ("ok", tangent)


def test_a_run_that_diverges_says_so():
    diverged = certificate_training.train_trial(one(activation=SQUARED_RELU, constraint="free", eta=1.0))
    assert diverged["status"] == "diverged" and "fraction" not in diverged


def test_drift_of_a_bias_that_was_thrown_far_out_is_a_number():
    """Rounding can make the variance of its pre-activations 0.

    The drift must be finite, because a record cannot hold inf.
    """
    seen = certificate_training.train_trial(one(activation=SQUARED_RELU, eta=1e30))
    assert seen["status"] == "ok" and seen["drift"][0] == pytest.approx(np.finfo(float).eps ** -0.5)


def test_a_run_follows_the_rule_of_breakdown(monkeypatch):
    trial, x = one(data="digits", eta=0.03), certificate_data.load("digits", 100)
    trained = train(x, trial.model, RELU, replace(trial.config, epochs=trial.epochs[-1]))
    peak, loss = trained.peak[0] / mean_square(x), trained.metrics["loss"] / mean_square(x)
    for rise, end, status in ((0.99, 0.99, "broken"), (1.01, 0.99, "ok"), (0.99, 1.01, "ok")):
        monkeypatch.setattr(breakdown, "PEAK", rise * peak)
        monkeypatch.setattr(breakdown, "LOSS", end * loss)
        seen = certificate_training.train_trial(trial)
        assert seen["status"] == status and len(seen["fraction"]) == 2


def test_what_is_stored_is_not_run_again(tmp_path, monkeypatch):
    wanted, results = certificate_trials.all_trials(SMALL, [RELU], ["L1"]), tmp_path / "r.jsonl"
    with ThreadPoolExecutor(1) as pool:
        first = list(certificate_runs.run(wanted[:3], pool, certificate_runs.stored(results, wanted)))
        assert jsonl.read(results) == first and {entry["hash"] for entry in first} == {t.hash for t in wanted[:3]}
        found = list(certificate_runs.run(wanted, pool, certificate_runs.stored(results, wanted)))
    assert sorted(map(str, found[:3])) == sorted(map(str, first)) and jsonl.read(results) == [*first, *found[3:]]
    assert {entry["hash"] for entry in found[3:]} == {trial.hash for trial in wanted[3:]}


class Falling(ThreadPoolExecutor):
    """A thread whose first `falls` calls fail as if a worker had died."""

    def __init__(self, falls):
        super().__init__(1)
        self.falls = falls

    def submit(self, fn, /, *args):
        self.falls -= 1
        if self.falls < 0:
            return super().submit(fn, *args)
        future = Future()
        future.set_exception(BrokenExecutor("died"))
        return future


def test_a_trial_whose_worker_dies_is_tried_again_and_given_up_after_three_deaths(tmp_path):
    (trial, *_), results = certificate_trials.all_trials(SMALL, [RELU], ["L1"]), tmp_path / "r.jsonl"
    with Falling(3) as pool, pytest.raises(RunsLost) as lost:
        list(certificate_runs.run([trial], pool, certificate_runs.stored(results, [trial])))
    assert "(died): AE with relu on digits lambda=0 seed=0; all others are stored" in str(lost.value)
    with Falling(2) as pool:
        (entry,) = certificate_runs.run([trial], pool, certificate_runs.stored(results, [trial]))
    assert jsonl.read(results) == [entry] and entry["hash"] == trial.hash
    assert certificate_runs.one_line(entry) == "AE with relu on digits lambda=0 seed=0: ok"


def test_trials_hold_the_lock_of_their_results_file(tmp_path):
    wanted, results = certificate_trials.all_trials(SMALL, [RELU], ["L1"]), tmp_path / "r.jsonl"
    with ThreadPoolExecutor(1) as pool:
        first = certificate_runs.run(wanted, pool, certificate_runs.stored(results, wanted), 1)
        next(first)
        with pytest.raises(jsonl.StoreError, match=r"r.jsonl is in use by another sweep"):
            next(certificate_runs.run(wanted, pool, certificate_runs.stored(results, wanted), 1))
        assert len(list(first)) == len(wanted) - 1
