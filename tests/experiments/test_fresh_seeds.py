"""The trials with fresh seeds: their list, equal parameters, the tables, the picture, and the document."""

from pathlib import Path

import example_scripts
import made_runs
import matplotlib.pyplot as plt
import numpy as np
import pytest

from numpy_rae.autoencoder import Params
from numpy_rae.certificates.certificate import certify
from numpy_rae.certificates.paired_outcome import MARGIN, PairResult
from numpy_rae.certificates.training_outcome import Sweep
from numpy_rae.experiments import certificate_trials, fresh_seed_tables, fresh_seed_trials
from numpy_rae.experiments.certificate_training import params_digest
from numpy_rae.plotting import paired_figure
from numpy_rae.registry import ACTIVATIONS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "certificate.md"
RECORDS = ROOT / "docs" / "records"


@pytest.fixture
def script(monkeypatch):
    """The example with a thread for its processes."""
    module = example_scripts.load("certificate_fresh_seeds")
    monkeypatch.setattr(module, "local_pool", made_runs.one_thread)
    return module


def a_result(activation="relu", penalty="CAE", change=0.0, tangent=False, same=0, setting="digits, m = 6", broken=()):
    base = np.linspace(0.4, 0.6, 3)
    fraction = np.stack([np.stack([base, base + change], axis=1)] * 2)
    sweep = Sweep((0.0, 1.0), broken, (10, 20), fraction, *[np.zeros_like(fraction)] * 4)
    return PairResult(certify(activation, penalty), setting, tangent, sweep, same)


def test_the_seeds_are_fresh_and_each_trial_is_listed_once():
    trials = fresh_seed_trials.trials("sample")
    assert len(trials) == len({trial.hash for trial in trials}) == 720
    older = {seed for preset in certificate_trials.PRESETS.values() for seed in preset.seeds}
    assert {trial.config.seed for trial in trials}.isdisjoint(older)
    assert len(fresh_seed_trials.SEEDS) == 5
    assert {(t.data, t.config.hidden) for t in trials} == {
        ("digits", 50), ("coarse digits", 200), ("white", 40), ("white", 100),
    }  # fmt: skip


def test_every_pair_has_its_runs_at_both_lambdas_with_every_seed():
    trials, pairs = fresh_seed_trials.trials("sample"), fresh_seed_trials.pairs("sample")
    assert len(pairs) == len(set(pairs)) == 4 * (6 + 3) * 3
    for pair in pairs:
        for model in ("AE", pair.penalty):
            mine = {
                t.config.seed
                for t in trials
                if (t.config.tangent, t.data, t.config.hidden, t.activation.name) == pair[:4] and t.model.name == model
            }
            assert mine == set(fresh_seed_trials.SEEDS)


def test_the_predictions_are_balanced_as_the_document_says():
    pairs = {(p.activation, p.penalty) for p in fresh_seed_trials.pairs("sample")}
    found = [certify(ACTIVATIONS[s], r).prediction for s, r in pairs]
    assert {name: found.count(name) for name in fresh_seed_tables.PREDICTIONS} == dict.fromkeys(
        fresh_seed_tables.PREDICTIONS, 6
    )


def test_equal_parameters_have_equal_digests_and_others_do_not():
    W, b_e = np.arange(6.0).reshape(2, 3), np.array([0.0, 1.0])
    first = params_digest(Params(W, b_e))
    assert params_digest(Params(W.copy(), np.array([-0.0, 1.0]))) == first
    assert params_digest(Params(np.asfortranarray(W), b_e)) == first
    assert params_digest(Params(W, np.array([0.0, np.nextafter(1, 2)]))) != first
    assert params_digest(Params(np.nextafter(W, 9), b_e)) != first


def test_the_example_prints_the_tables_and_draws(script, tmp_path, capsys):
    command = ["--preset", "tiny", "--out", str(tmp_path)]
    assert script.main(command) == 0
    first = capsys.readouterr().out
    for pair in ("relu | CAE", "leaky_relu | mDAE"):
        line = next(line for line in first.splitlines() if line.startswith(f"| {pair}") and "the same" in line)
        assert line.count("unaffected: the same W and b_e") == 4
    assert "softplus | CAE | sparser with lambda" in first
    assert all("the same" not in line for line in first.splitlines() if line.startswith("| relu | SAE"))
    stored = (tmp_path / "certificate_fresh_seeds-tiny.jsonl").read_bytes()
    assert (tmp_path / "certificate_fresh_seeds-tiny.png").read_bytes().startswith(b"\x89PNG")
    assert script.main([*command, "--plot-only"]) == 0
    assert capsys.readouterr().out == first
    assert (tmp_path / "certificate_fresh_seeds-tiny.jsonl").read_bytes() == stored


@pytest.mark.parametrize(
    ("options", "message"),
    [(["--plot-only"], "of 288 runs; run it without --plot-only"), (["--workers", "0"], "--workers is 0")],
)
def test_the_example_refuses_with_one_sentence(script, tmp_path, capsys, options, message):
    assert script.main(["--preset", "tiny", "--out", str(tmp_path), *options]) == 2
    err = capsys.readouterr().err
    assert message in err and err.count("\n") == 1 and err.startswith("certificate_fresh_seeds: ")


def test_cells_of_the_outcomes():
    results = [
        a_result("relu", "CAE", -0.2), a_result("relu", "SAE", -0.2), a_result("relu", "mDAE", same=3),
        a_result("leaky_relu", "CAE", broken=(0.5,)),
    ]  # fmt: skip
    lines = fresh_seed_tables.outcomes(results).splitlines()[2:]
    assert lines == [
        "| relu | CAE | unaffected | **sparser**: 0.500 -> 0.300, -0.2000 [-0.2000, -0.2000] |",
        "| relu | SAE | sparser with lambda | sparser: 0.500 -> 0.300, -0.2000 [-0.2000, -0.2000] |",
        "| relu | mDAE | unaffected | unaffected: the same W and b_e |",
        "| leaky_relu | CAE | unaffected | broke down |",
    ]


def test_numbers_gains_and_sizes():
    results = [
        a_result("relu", "SAE", -0.2), a_result("softplus", "CAE", 0.0), a_result("relu", "CAE", 0.0),
        a_result("gelu", "CAE", -0.3), a_result("gelu", "SAE", 0.0),
    ]  # fmt: skip
    start = "| projection | digits, m = 6 | "
    assert fresh_seed_tables.tally(results).splitlines()[2:5] == [
        start + "sparser with lambda | 2 | 1 | 1 | 0 | 0 | 0 |",
        start + "unaffected | 1 | 0 | 1 | 0 | 0 | 0 |",
        start + "undetermined | 2 | 1 | 1 | 0 | 0 | 0 |",
    ]
    assert fresh_seed_tables.gains(results).splitlines()[2:4] == [
        start + "sparser | 2 of 5 (0.40) | 1 of 2 | 1 of 3 | +0.17 | [-0.93, +0.99] |",
        start + "unaffected | 3 of 5 (0.60) | 1 of 1 | 2 of 4 | +0.50 | [-0.94, +0.95] |",
    ]
    assert fresh_seed_tables.effect_sizes(results).splitlines()[2:] == [
        start + "sparser with lambda | 2 | 0.0000 | 0.2000 | 0.2000 |",
        start + "unaffected | 1 | 0.0000 | 0.0000 | 0.0000 |",
        start + "undetermined | 2 | 0.0000 | 0.3000 | 0.3000 |",
    ]


def test_all_settings_are_added_up_without_an_interval():
    results = [
        a_result(activation, penalty, change, setting=setting)
        for setting, change in (("digits, m = 6", -0.2), ("white, m = 8", 0.0))
        for activation, penalty in (("relu", "SAE"), ("relu", "CAE"))
    ]
    last = fresh_seed_tables.gains(results).splitlines()[-2:]
    assert last == [
        "| projection | all settings | sparser | 2 of 4 (0.50) | 1 of 2 | 1 of 2 | +0.00 | not independent |",
        "| projection | all settings | unaffected | 2 of 4 (0.50) | 1 of 2 | 1 of 2 | +0.00 | not independent |",
    ]
    assert (
        fresh_seed_tables.tally(results)
        .splitlines()[-3]
        .startswith("| projection | all settings | sparser with lambda | 2 | 1 | 1 |")
    )


def test_runs_that_broke_down_are_shown_with_their_figures():
    entry = {
        "status": "broken", "tangent": False, "data": "white", "identity": {"config": {"hidden": 8}},
        "activation": "relu", "model": "SAE", "fraction": [0.9, 0.1], "dead": [0, 0.5], "loss": [9.0, 3.0],
    }  # fmt: skip
    lines = fresh_seed_tables.broken_runs([entry, {**entry, "fraction": [0.9, 0.3]}, {**entry, "status": "ok"}])
    assert lines.splitlines()[2:] == ["| projection | white | 8 | relu | SAE | 2 | 0.200 | 0.500 | 3.00 |"]


def test_the_picture_has_the_means_the_intervals_and_the_margin():
    results = [a_result("relu", "SAE", -0.2), a_result("relu", "CAE", 0.004, tangent=True)]
    figure = paired_figure.picture(results)
    (ax,) = figure.axes
    means = {float(line.get_xdata()[0]): line for line in ax.get_lines() if len(line.get_xdata()) == 1}
    assert sorted(means) == pytest.approx([-0.2, 0.004])
    assert means[min(means)].get_markerfacecolor() != "white" == means[max(means)].get_markerfacecolor()
    assert [text.get_text() for text in ax.get_yticklabels()] == ["relu, SAE", "relu, CAE"]
    band = ax.patches[0].get_extents().transformed(ax.transData.inverted())
    assert (band.x0, band.x1) == pytest.approx((-MARGIN, MARGIN))
    plt.close(figure)


@pytest.mark.skipif(not (RECORDS / "certificate_fresh_seeds-sample.jsonl").exists(), reason="no stored runs")
def test_the_document_shows_what_the_stored_runs_say(script):
    args = script.parser().parse_args(["--plot-only", "--out", str(RECORDS)])
    results, records = script.judged(args, RECORDS / "certificate_fresh_seeds-sample.jsonl")
    shown = DOCUMENT.read_text(encoding="utf-8")
    for part in fresh_seed_tables.all_tables(results, records):
        assert part in shown, "run: python examples/certificate_fresh_seeds.py --plot-only --out docs/records"
    exact = [r for r in results if r.tangent and r.certificate.prediction == "unaffected"]
    assert len(exact) == 16 and all(r.same_params == len(fresh_seed_trials.SEEDS) for r in exact)
