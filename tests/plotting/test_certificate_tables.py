"""The tables and the picture of the certificates show what the rows hold."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from numpy_rae.activations import RELU, TANH
from numpy_rae.certificates import training_outcome
from numpy_rae.certificates.certificate import certify
from numpy_rae.experiments import certificate_tables
from numpy_rae.penalties import PENALTIES
from numpy_rae.plotting import certificate_grid

PAIRS = [(s_e, penalty) for s_e in (RELU, TANH) for penalty in ("CAE", "L1", "KL")]
CERTIFICATES = [certify(s_e, PENALTIES[penalty]) for s_e, penalty in PAIRS]


def entry(data, activation, model, lam, seed, fraction, **changes):
    figures = {"near_zero": 0.2 + lam / 10, "dead": lam / 4, "mean_a": 0.0}
    drift = [0.9, 0.02, 0.02] if activation == "relu" else [0.9, 0.2, 0.04]
    curves = {name: [value] * 3 for name, value in figures.items()}
    return {"data": data, "activation": activation, "model": model, "lambda": lam, "seed": seed, "eta": 0.01,
            "status": "ok", "steps": [10, 2000, 4000], "fraction": [fraction + (seed - 0.5) / 1000] * 3, "drift": drift,
            **curves, **changes}  # fmt: skip


def records():
    """Return made records. relu: CAE rises, L1 falls, KL has broken down at 1. tanh: CAE is flat, L1 falls."""
    ends = {("relu", "CAE"): 0.6, ("relu", "L1"): 0.1, ("relu", "KL"): 0.5, ("tanh", "CAE"): 0.5, ("tanh", "L1"): 0.3}
    found = []
    for data in ("one", "two"):
        for seed in (0, 1):
            found += [entry(data, s, "AE", 0.0, seed, 0.5) for s in ("relu", "tanh")]
            found += [entry(data, s, r, 1.0, seed, end) for (s, r), end in ends.items()]
    for one in found:
        if one["model"] == "KL":
            one["status"] = "broken"
    return found


@pytest.fixture
def rows():
    yield certificate_tables.rows(records(), [RELU, TANH], CERTIFICATES)
    plt.close("all")


def test_rows_have_their_outcome_length_and_agreement(rows):
    expected = [
        ("relu", "CAE", training_outcome.DENSER, 1, training_outcome.REFUTED),
        ("relu", "L1", training_outcome.SPARSER, 1, training_outcome.CONFIRMED),
        ("relu", "KL", training_outcome.DIVERGED, 1, training_outcome.OPEN),
        ("tanh", "CAE", training_outcome.UNAFFECTED, 2, training_outcome.OPEN),
        ("tanh", "L1", training_outcome.SPARSER, 2, training_outcome.OPEN),
        ("tanh", "KL", training_outcome.REFUSED, 2, training_outcome.OPEN),
    ]
    found = [(r.activation.name, r.certificate.penalty, r.outcome, r.at, r.agreement) for r in rows]
    assert found == expected * 2 and [row.data for row in rows] == ["one"] * 6 + ["two"] * 6


def test_the_table_has_prediction_outcome_and_numbers_for_both_data_sets(rows):
    head, _, *lines = certificate_tables.table(rows).splitlines()
    assert len(lines) == 6 and {line.count("|") for line in (head, *lines)} == {12}
    assert "on one" in head and "on two" in head
    dense = "denser | 0.500 -> 0.600, 0.25 dead | - | **miss**"
    assert lines[0] == f"| relu | CAE | unaffected | {dense} | {dense} |"
    assert lines[2].count("diverged |  (breaks down at 1) | - | - |") == 2
    assert "sparser | 0.500 -> 0.300, 0.25 dead | 0.200 -> 0.300 | - |" in lines[4]
    assert lines[5] == "| tanh | KL | undetermined | refused | - | - | - | refused | - | - | - |"


def test_the_largest_lambda_is_the_one_shown(rows):
    """The table shows means over the seeds at the first and the largest lambda, at the chosen training length.

    The lambda with the most active units and the first length would give other numbers.
    """
    fraction = np.array([[[0.9, 0.9, 0.9]] * 2, [[0.5, 0.8, 0.3], [0.7, 0.8, 0.1]], [[0.9, 0.9, 0.9]] * 2])
    sweep = rows[0].sweep._replace(lam=(0.0, 0.3, 1.0), fraction=fraction, dead=0 * fraction)
    assert certificate_tables.active(rows[0]._replace(sweep=sweep, at=1)) == "0.600 -> 0.200"


def test_lengths_stand_beside_delta_min(rows):
    *_, relu, tanh = certificate_tables.lengths(rows).splitlines()
    assert relu == "| relu | 0 | " + " | ".join(["0.01, 2,000, 6 of 6"] * 2) + " |"
    assert tanh == "| tanh | 0.1 | " + " | ".join(["0.01, 4,000, 6 of 6"] * 2) + " |"


def test_a_restless_run_is_counted(rows):
    found = records()
    found[0]["drift"] = [0.9, 0.9, 0.9]  # relu at lambda = 0 belongs to all sweeps of relu
    rows = certificate_tables.rows(found, [RELU, TANH], CERTIFICATES)
    assert "| relu | 0 | 0.01, 4,000, 5 of 6 | 0.01, 2,000, 6 of 6 |" in certificate_tables.lengths(rows)


def test_the_tally_counts_outcomes_by_prediction(rows):
    lines = certificate_tables.tally(rows).splitlines()[2:]
    assert lines[:3] == [
        "| one | sparser with lambda | 1 | sparser 1 |",
        "| one | unaffected | 1 | denser 1 |",
        "| one | undetermined | 4 | sparser 1, unaffected 1, diverged 1, refused 1 |",
    ]


def test_the_picture_letters_every_outcome_and_frames_the_misses(rows):
    figure = certificate_grid.picture(rows)
    assert [ax.get_title() for ax in figure.axes] == ["one", "two"]
    for ax in figure.axes:
        large = {tuple(t.get_position()): t.get_text() for t in ax.texts if t.get_fontsize() == 12}
        assert [large[k + 0.62, line + 0.5] for line in (0, 1) for k in range(3)] == [
            "D",
            "S",
            "X",
            "=",
            "S",
            "\N{EN DASH}",
        ]
        small = [t.get_text() for t in ax.texts if t.get_fontsize() == 9]
        assert small == ["=", "S"]
        framed = [patch.get_xy() for patch in ax.patches if patch.get_linewidth() == 2.5]
        assert framed == [(0, 0)]
        assert [tick.get_text() for tick in ax.get_xticklabels()] == ["CAE", "L1", "KL"]
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == ["relu", "tanh"]
    labels = {text.get_text() for text in figure.legends[0].get_texts()}
    assert labels >= {"S  sparser", "D  denser", "=  unaffected", "X  diverged"}
    assert any(label.startswith("\N{EN DASH}  refused") for label in labels)
    assert np.all([len(ax.patches) == 6 for ax in figure.axes])
