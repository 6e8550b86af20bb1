"""The rules that decide a claim about a curve over sigma^2 decide as they are stated."""

import numpy as np
import pytest
from made_claims import LONG, LONG_RANGE, LONG_TANGENT, RANGE, TANGENT, curve, decided

from numpy_rae.experiments import claim_rules
from numpy_rae.experiments.claim_differences import PAPER_ETAS
from numpy_rae.experiments.claim_rules import falls, flat, moves
from numpy_rae.experiments.claim_verdicts import FAILS, HOLDS, NOT_RUN, OPEN, PART


@pytest.mark.parametrize(
    ("rule", "fractions", "verdict"),
    [
        (flat, {0.25: 0.505, 1.0: 0.491}, HOLDS),
        (flat, {0.25: 0.5, 1.0: 0.489}, FAILS),
        (flat, {0.25: 0.511, 1.0: 0.5}, FAILS),
        (falls, {0.25: 0.4, 1.0: 0.2}, HOLDS),
        (falls, {0.25: 0.4, 1.0: 0.409}, HOLDS),
        (falls, {0.25: 0.4, 1.0: 0.42}, PART),
        (falls, {0.25: 0.4, 1.0: 0.495}, FAILS),
        (falls, {0.25: 0.4, 1.0: 0.6}, FAILS),
        (moves, {0.25: 0.5, 1.0: 0.6}, HOLDS),
        (moves, {0.25: 0.495, 1.0: 0.505}, FAILS),
    ],
)
def test_the_rules_of_the_curves(rule, fractions, verdict):
    assert decided(rule, curve("CAE", fractions)).verdict == verdict


def test_a_difference_within_three_deviations_is_not_clear():
    assert decided(moves, curve("CAE", {0.25: 0.5, 1.0: 0.6}, spread=0.03)).verdict == HOLDS
    assert decided(moves, curve("CAE", {0.25: 0.5, 1.0: 0.6}, spread=0.04)).verdict == FAILS
    assert decided(falls, curve("CAE", {0.25: 0.5, 1.0: 0.4}, spread=0.04)).verdict == FAILS


def test_equal_runs_hold_exactly():
    found = decided(flat, curve("CAE", {0.25: 0.5, 1.0: 0.5}, spread=0.0))
    assert found.verdict == f"{HOLDS} exactly" and not found.found.any()


def test_a_cell_with_a_broken_run_is_left_out_and_a_broken_ae_gives_no_verdict():
    rows = curve("DAE", {0.25: 0.3, 1.0: 0.9})
    rows[-1]["broken"] = True
    found = decided(falls, rows, "DAE")
    assert (found.verdict, found.where) == (HOLDS, "eta 0.001, sigma^2 0.25; 1 sigma^2 broken")
    rows[0]["broken"] = True
    assert decided(falls, rows, "DAE").verdict == OPEN


def test_what_is_not_stored_is_not_run():
    assert decided(flat, curve("CAE", {0.25: 0.5})).verdict == NOT_RUN
    assert decided(flat, [row for row in curve("CAE", {0.25: 0.5, 1.0: 0.5}) if row["sigma2"]]).verdict == NOT_RUN
    assert decided(flat, curve("CAE", {0.25: 0.5, 1.0: 0.5}), setting=LONG).verdict == NOT_RUN


def test_a_range_of_learning_rates_has_the_worst_verdict_and_needs_all():
    etas = {0.001: 0.5, 0.002: 0.495, 0.003: 0.4, 0.005: 0.3}
    rows = [row for eta, end in etas.items() for row in curve("CAE", {0.25: 0.5, 1.0: end}, eta=eta)]
    found = decided(flat, rows, setting=RANGE)
    assert (found.verdict, found.where) == (FAILS, "eta 0.005, sigma^2 1")
    assert decided(flat, rows).verdict == HOLDS
    assert decided(flat, rows, setting=TANGENT).verdict == NOT_RUN
    assert decided(flat, [row for row in rows if row["eta"] != 0.003], setting=RANGE).verdict == NOT_RUN
    broken = [{**row, "broken": row["eta"] == 0.005 and row["model"] == "AE"} for row in rows if row["eta"] != 0.003]
    broken += curve("CAE", {0.25: 0.5, 1.0: 0.5}, eta=0.003)
    assert decided(flat, broken, setting=RANGE).verdict == OPEN


def test_a_long_setting_reads_long_runs_alone():
    rows = [row for eta in (0.002, 0.005) for row in curve("CAE", {0.25: 0.5, 1.0: 0.5}, eta=eta, length="long")]
    assert decided(flat, rows, setting=LONG_RANGE).verdict == HOLDS
    assert decided(flat, rows, setting=LONG_TANGENT).verdict == decided(flat, rows, setting=RANGE).verdict == NOT_RUN
    turned = [{**row, "tangent": True} for row in rows]
    assert decided(flat, turned, setting=LONG_TANGENT).verdict == NOT_RUN, "eta = .001 is missing"
    turned += [{**row, "eta": 0.001} for row in turned[: len(turned) // 2]]
    assert decided(flat, turned, setting=LONG_TANGENT).verdict == HOLDS
    short = [{**row, "length": "short"} for row in rows]
    assert decided(flat, short, setting=LONG_RANGE).verdict == NOT_RUN


def test_of_equal_verdicts_the_least_favourable_one_is_shown():
    rows = [row for eta in PAPER_ETAS for row in curve("DAE", {0.25: 0.4, 1.0: 0.4 - 10 * eta}, eta=eta)]
    assert decided(falls, rows, "DAE", RANGE).where == "eta 0.001, sigma^2 1"
    rows = [row for eta in PAPER_ETAS for row in curve("CAE", {0.25: 0.5, 1.0: 0.5 - eta}, eta=eta)]
    assert decided(flat, rows, setting=RANGE).where == "eta 0.005, sigma^2 1"


@pytest.mark.parametrize(
    ("path", "way"),
    [
        ((0.2, 0.3), "rises"),
        ((-0.2, -0.195), "falls"),
        ((0.2, 0.1), "both"),
        ((-0.2, 0.1), "both"),
        ((0.005, -0.004), "flat"),
        ((0.009, 0.018), "rises"),
    ],
)
def test_direction(path, way):
    assert claim_rules.direction({0.25: np.array([path[0]]), 1.0: np.array([path[1]])}) == way
