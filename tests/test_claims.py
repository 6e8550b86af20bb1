"""The tables of docs/claims.md: the page holds what the stored runs give, and the rules decide as they are stated."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import claims_page
import example_scripts
import generated_table
import matplotlib.pyplot as plt
import numpy as np
import pytest

from numpy_rae.experiments import evidence, study
from numpy_rae.experiments.evidence import FAILS, HOLDS, NOT_RUN, OPEN, PART, TOO_SHORT, Result
from numpy_rae.storage import jsonl

claims = claims_page.claims
SHORT, LONG, RANGE, TANGENT = evidence.SETTINGS
RELU_UNIT = {"activation": "relu", "constraint": "unit"}


def made(model: str, sigma2: float, fraction: float, seed: int = 0, **more) -> dict:
    """A row as `evidence.load_rows` makes it."""
    usual = {"data": "digits", "length": "short", "tangent": False, "eta": 0.001, "broken": False, "dead": 0.0}
    row = {"model": model, "sigma2": sigma2, "seed": seed, "fraction": fraction, "silent": 0.0}
    return {**row, **usual, **RELU_UNIT, **evidence.USUAL, **more}


def curve(model: str, fractions: dict[float, float], seeds=(0, 1, 2), plain: float = 0.5, spread=0.001, **more):
    """AE and one model; each seed shifts both by the same amount, and the model by a little more."""
    rows = [made("AE", 0.0, plain + 0.1 * seed, seed, **more) for seed in seeds]
    return rows + [
        made(model, s, fraction + 0.1 * seed + spread * (seed - 1), seed, **more)
        for s, fraction in fractions.items()
        for seed in seeds
    ]


def decided(rule, rows, model="CAE", setting=SHORT) -> Result:
    return evidence.decide(rows, "digits", setting, model, rule, **RELU_UNIT)


# The page


def test_the_page_holds_the_tables_of_the_stored_runs():
    text = claims_page.PAGE.read_text(encoding="utf-8")
    stored = {
        name: generated_table.inserted(text, name, table, "table") == text
        for name, table in claims_page.tables().items()
    }
    assert not [name for name, same in stored.items() if not same], "run: python tests/claims_page.py"


def test_every_claim_has_a_section_in_the_order_of_the_summary_and_a_rule_that_the_page_states():
    text = claims_page.PAGE.read_text(encoding="utf-8")
    places = [text.index(f"\n### {claims.heading(claim)}\n") for claim in claims.CLAIMS]
    assert places == sorted(places)
    assert not {claim.rule for claim in claims.CLAIMS if f"\n| {claim.rule} |" not in text}
    assert len({claim.key for claim in claims.CLAIMS}) == len(claims.CLAIMS)


def test_without_records_nothing_is_decided(tmp_path, capsys):
    assert claims.main(["--out", str(tmp_path)]) == 0
    summary = capsys.readouterr().out.split("\n\n")[0].splitlines()[2:]
    assert len(summary) == len(claims.CLAIMS)
    for line in summary:
        cells = [cell.strip() for cell in line.split("|")[3:-1]]
        assert set(cells) <= {NOT_RUN, "-", ""} and cells[-1] == NOT_RUN


# The stored rows


def test_every_run_is_read_once_and_sae_has_one_name():
    rows = evidence.load_rows(claims.RECORDS, claims.FILES)
    keys = [tuple(row[name] for name in evidence.ONE_RUN) for row in rows]
    assert len(keys) == len(set(keys)) > 1000
    usual = evidence.at(rows, "digits", SHORT, 0.001, **RELU_UNIT)
    assert len(evidence.cells(usual, "SAE")[0.25]) >= 3 and "SAE(eps=0.1)" not in {row["model"] for row in rows}
    assert {row["length"] for row in rows} == {"short", "long", None}


def test_digits_without_the_offset_are_no_short_run():
    rows = evidence.load_rows(claims.RECORDS, ["protocol_checks-sample"])
    assert {row["std_offset"]: row["length"] for row in rows} == {0.0: None, 0.1: "short"}


# The rules


def test_differences_are_between_runs_of_one_seed():
    one, two = [made("CAE", 1.0, 0.4, 1), made("CAE", 1.0, 0.7, 2)], [made("AE", 0.0, 0.5, 2), made("AE", 0.0, 0.9, 3)]
    np.testing.assert_allclose(evidence.differences(one, two), [0.2])
    assert not len(evidence.differences([made("CAE", 1.0, None, 2)], two))


@pytest.mark.parametrize(
    ("rule", "fractions", "verdict"),
    [
        (evidence.flat, {0.25: 0.505, 1.0: 0.491}, HOLDS),
        (evidence.flat, {0.25: 0.5, 1.0: 0.489}, FAILS),
        (evidence.flat, {0.25: 0.511, 1.0: 0.5}, FAILS),
        (evidence.falls, {0.25: 0.4, 1.0: 0.2}, HOLDS),
        (evidence.falls, {0.25: 0.4, 1.0: 0.409}, HOLDS),
        (evidence.falls, {0.25: 0.4, 1.0: 0.42}, PART),
        (evidence.falls, {0.25: 0.4, 1.0: 0.495}, FAILS),
        (evidence.falls, {0.25: 0.4, 1.0: 0.6}, FAILS),
        (evidence.moves, {0.25: 0.5, 1.0: 0.6}, HOLDS),
        (evidence.moves, {0.25: 0.495, 1.0: 0.505}, FAILS),
    ],
)
def test_the_rules_of_the_curves(rule, fractions, verdict):
    assert decided(rule, curve("CAE", fractions)).verdict == verdict


def test_a_difference_within_three_deviations_is_not_clear():
    assert decided(evidence.moves, curve("CAE", {0.25: 0.5, 1.0: 0.6}, spread=0.03)).verdict == HOLDS
    assert decided(evidence.moves, curve("CAE", {0.25: 0.5, 1.0: 0.6}, spread=0.04)).verdict == FAILS
    assert decided(evidence.falls, curve("CAE", {0.25: 0.5, 1.0: 0.4}, spread=0.04)).verdict == FAILS


def test_equal_runs_hold_exactly():
    found = decided(evidence.flat, curve("CAE", {0.25: 0.5, 1.0: 0.5}, spread=0.0))
    assert found.verdict == f"{HOLDS} exactly" and not found.found.any()


def test_a_cell_with_a_broken_run_is_left_out_and_a_broken_ae_gives_no_verdict():
    rows = curve("DAE", {0.25: 0.3, 1.0: 0.9})
    rows[-1]["broken"] = True
    found = decided(evidence.falls, rows, "DAE")
    assert (found.verdict, found.where) == (HOLDS, "eta 0.001, sigma^2 0.25; 1 sigma^2 broken")
    rows[0]["broken"] = True
    assert decided(evidence.falls, rows, "DAE").verdict == OPEN


def test_what_is_not_stored_is_not_run():
    assert decided(evidence.flat, curve("CAE", {0.25: 0.5})).verdict == NOT_RUN
    assert (
        decided(evidence.flat, [row for row in curve("CAE", {0.25: 0.5, 1.0: 0.5}) if row["sigma2"]]).verdict == NOT_RUN
    )
    assert decided(evidence.flat, curve("CAE", {0.25: 0.5, 1.0: 0.5}), setting=LONG).verdict == NOT_RUN


def test_a_range_of_learning_rates_has_the_worst_verdict_and_needs_all():
    etas = {0.001: 0.5, 0.002: 0.495, 0.003: 0.4, 0.005: 0.3}
    rows = [row for eta, end in etas.items() for row in curve("CAE", {0.25: 0.5, 1.0: end}, eta=eta)]
    found = decided(evidence.flat, rows, setting=RANGE)
    assert (found.verdict, found.where) == (FAILS, "eta 0.005, sigma^2 1")
    assert decided(evidence.flat, rows).verdict == HOLDS
    assert decided(evidence.flat, rows, setting=TANGENT).verdict == NOT_RUN
    assert decided(evidence.flat, [row for row in rows if row["eta"] != 0.003], setting=RANGE).verdict == NOT_RUN
    broken = [{**row, "broken": row["eta"] == 0.005 and row["model"] == "AE"} for row in rows if row["eta"] != 0.003]
    broken += curve("CAE", {0.25: 0.5, 1.0: 0.5}, eta=0.003)
    assert decided(evidence.flat, broken, setting=RANGE).verdict == OPEN


def test_of_equal_verdicts_the_least_favourable_one_is_shown():
    rows = [row for eta in evidence.PAPER_ETAS for row in curve("DAE", {0.25: 0.4, 1.0: 0.4 - 10 * eta}, eta=eta)]
    assert decided(evidence.falls, rows, "DAE", RANGE).where == "eta 0.001, sigma^2 1"
    rows = [row for eta in evidence.PAPER_ETAS for row in curve("CAE", {0.25: 0.5, 1.0: 0.5 - eta}, eta=eta)]
    assert decided(evidence.flat, rows, setting=RANGE).where == "eta 0.005, sigma^2 1"


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
    assert evidence.direction({0.25: np.array([path[0]]), 1.0: np.array([path[1]])}) == way


def test_effects_of_sigmoid_cannot_show_in_short_runs():
    assert evidence.judged(FAILS, SHORT, "sigmoid", "unit") == TOO_SHORT
    assert evidence.judged(FAILS, LONG, "sigmoid", "unit") == FAILS
    assert evidence.judged(FAILS, SHORT, "relu", "unit") == FAILS
    assert evidence.judged(HOLDS, SHORT, "sigmoid", "free") == HOLDS


@pytest.mark.parametrize(
    ("verdicts", "one"),
    [
        ((HOLDS, "holds exactly", "-"), HOLDS),
        (("holds exactly", NOT_RUN), "holds exactly"),
        (("holds exactly", FAILS), PART),
        ((HOLDS, FAILS), PART),
        ((PART, NOT_RUN), PART),
        ((FAILS, OPEN, TOO_SHORT), FAILS),
        ((OPEN, NOT_RUN), OPEN),
        ((TOO_SHORT, NOT_RUN), TOO_SHORT),
        ((NOT_RUN, "-"), NOT_RUN),
        ((), NOT_RUN),
    ],
)
def test_several_verdicts_make_one(verdicts, one):
    assert evidence.combined(verdicts) == one


# The other claims


class Made:
    """Stored runs that a test made."""

    def __init__(self, rows=(), files=None):
        self.rows, self.files = list(rows), files or {}

    def of(self, name):
        return self.files.get(name, [])

    def lines(self, name):
        return self.files.get(name, [])


def found(key: str, stored: Made, setting=SHORT) -> list:
    claim = next(claim for claim in claims.CLAIMS if claim.key == key)
    return [each for each in claim.assess(stored, setting) if each.data in ("digits", "both")]


def test_dead_units_are_late_only_if_the_fraction_is_low_then():
    rows = [row for row in curve("DAE", {0.25: 0.3, 1.0: 0.05}, seeds=(0,)) if row["model"] in ("AE", "DAE")]
    assert found("fig1_dead", Made(rows))[0].verdict == HOLDS  # none at all, down to .05
    rows[-1]["silent"] = 0.2
    assert found("fig1_dead", Made(rows))[0].verdict == HOLDS
    rows[1]["silent"] = 0.02
    late = found("fig1_dead", Made(rows))[0]
    assert late.verdict == FAILS and late.effect.startswith("0.299 / 0.020") and late.where == "sigma^2 0.25"
    dense = curve("DAE", {0.25: 0.3, 1.0: 0.2}, seeds=(0,))
    assert found("fig1_dead", Made(dense))[0].verdict == OPEN


def test_unit_rows_must_be_sparser_before_units_are_silent():
    unit = curve("DAE", {0.25: 0.3, 1.0: 0.05}, seeds=(0,))
    free = [{**row, "constraint": "free"} for row in curve("DAE", {0.25: 0.3, 1.0: 0.2}, seeds=(0,))]
    assert found("alive", Made(unit + free))[0].verdict == HOLDS
    unit[-1]["silent"] = 0.5
    assert found("alive", Made(unit + free))[0].verdict == FAILS
    assert found("alive", Made(unit))[0].verdict == NOT_RUN


def test_the_floor_of_free_rows():
    free = [{**row, "constraint": "free"} for row in curve("SAE", {0.25: 0.3, 1.0: 0.05}, seeds=(0,))]
    verdicts = {each.model: each.verdict for each in found("fig2_floor", Made(free))}
    assert verdicts == {"DAE": NOT_RUN, "SAE": FAILS, "CAE": NOT_RUN, "mDAE": NOT_RUN}


def test_a_learning_rate_is_stable_if_no_plain_run_breaks_down():
    rows = [made("AE", 0.0, 0.5, eta=eta) for eta in evidence.PAPER_ETAS]
    assert found("eta", Made(rows), RANGE)[0].verdict == HOLDS
    rows[-1]["broken"] = True
    last = found("eta", Made(rows), RANGE)[0]
    assert (last.verdict, last.effect) == (FAILS, "breaks down at eta 0.005")
    assert found("eta", Made(rows[1:]), RANGE)[0].verdict == NOT_RUN


@pytest.mark.parametrize(
    ("weights", "bias", "verdict"), [(0.48, 0.12, HOLDS), (0.1, 0.11, PART), (0.1, 0.48, FAILS), (0.48, 0.48, FAILS)]
)
def test_the_bias_claim_holds_if_the_bias_alone_carries_the_effect(weights, bias, verdict):
    fractions = {"DAE": 0.1, "DAE weights only": weights, "DAE bias only": bias}
    rows = [made("AE", 0.0, 0.5), *(made(name, 0.25, fraction) for name, fraction in fractions.items())]
    assert [each.verdict for each in found("bias", Made(files={"bias_or_weights-sample": rows}))] == [verdict, NOT_RUN]
    late = {"bias_or_weights-late": rows}
    assert [(each.setting, each.verdict) for each in found("bias", Made(files=late))][1] == ("15,000 updates", verdict)
    assert [each.verdict for each in found("bias", Made())] == [NOT_RUN, NOT_RUN]
    assert [each.verdict for each in found("edae_bias", Made())] == [NOT_RUN]
    part = {"bias_or_weights-sample": rows[:3]}
    assert [each.verdict for each in found("bias", Made(files=part))] == [NOT_RUN, NOT_RUN]


@pytest.mark.parametrize(("back", "verdict"), [(0.01, FAILS), (0.21, HOLDS)])
def test_a_term_is_the_cause_if_half_of_the_fall_goes_with_it(back, verdict):
    rows = curve("DAE", {0.25: 0.1}) + curve("antithetic", {0.25: 0.1 + back})[3:]
    (one,) = found("first_order", Made(files={"noise_origin-sample": rows}))
    assert one.verdict == verdict and one.effect.endswith("of 0.4000")


def test_the_kernel_must_make_cae_clearly_sparser():
    names = [model.name for model in claims.dirac.KERNELS]
    rows = [row for lam in claims.dirac.LAMBDAS for row in curve("CAE", {lam: 0.5})]
    rows += [
        made(name, lam, 0.2 + 0.1 * seed, seed) for lam in claims.dirac.LAMBDAS for name in names for seed in range(3)
    ]
    assert [each.verdict for each in found("fn1", Made(files={"dirac-sample": rows}))] == [HOLDS] * 3
    assert {each.verdict for each in found("fn1", Made())} == {NOT_RUN}


def test_the_offset_is_needed_for_a_model_if_every_run_fails_without_it():
    rows = [made(model, 0.25, 0.3, seed, std_offset=0.0, silent=0.7) for model in ("AE", "CAE") for seed in (0, 1)]
    rows[0]["silent"], rows[0]["broken"] = 0.0, True
    rows[-1]["silent"] = 0.1
    verdicts = {each.model: each.verdict for each in found("fn2", Made(files={"protocol_checks-sample": rows}))}
    assert (verdicts["AE"], verdicts["CAE"], verdicts["SAE"]) == (HOLDS, FAILS, NOT_RUN)


def in_training(p, **more) -> list[dict]:
    usual = {"data": "digits", "model": "SAE", "activation": "relu", "sigma2": 0.25, "seed": 0, "off": 0.9}
    moments = {"skewness": 0.1, "kurtosis": 0.1, "correlation": 0.05, "eigenvalue": 20.0, "features": 9}
    return [{**usual, **moments, "epoch": k, "p": value, **more} for k, value in enumerate(p, 1)]


@pytest.mark.parametrize(
    ("p", "verdict"), [((0, 0.02, 0.02, 0.3), HOLDS), ((0.009, 0, 0.3), HOLDS), ((0.2, 0.1), FAILS), ((0, 0.01), OPEN)]
)
def test_the_bound_of_theorem_2_must_not_fall_once_it_has_begun(p, verdict):
    (one,) = found("thm2", Made(files={"theory_in_training-sample": in_training(p)}))
    assert one.verdict == verdict


@pytest.mark.parametrize(
    ("moment", "verdict"), [({}, HOLDS), ({"kurtosis": 3.0}, FAILS), ({"correlation": 0.2}, FAILS)]
)
def test_the_residual_s_moments(moment, verdict):
    (one,) = found("residual", Made(files={"theory_in_training-sample": in_training([0.1], **moment)}))
    assert one.verdict == verdict


def test_the_records_folder_is_that_of_the_repository():
    assert claims.RECORDS == Path(__file__).resolve().parent.parent / "docs" / "records"


# The scripts that train for this page alone


@pytest.fixture
def thread(tmp_path, monkeypatch):
    """A thread for the processes, and a data folder of the test's own."""

    @contextmanager
    def pool(workers):
        with ThreadPoolExecutor(1) as executor:
            yield executor

    monkeypatch.setattr(study, "local_pool", pool)
    monkeypatch.setenv("NUMPY_RAE_DATA", str(tmp_path / "data"))
    yield
    plt.close("all")


def table_of(main, command: list[str], capsys) -> list[str]:
    """The lines of the table that a script prints."""
    assert main(command) == 0
    return [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]


def test_protocol_checks_trains_with_and_without_the_offset(thread, tmp_path, capsys):
    script = example_scripts.load("protocol_checks")
    command = ["--preset", "tiny", "--out", str(tmp_path)]
    printed = table_of(script.main, command, capsys)
    assert sum("| without |" in line for line in printed) == 5 and sum("| with " in line for line in printed) == 10
    assert sorted(table_of(script.main, [*command, "--plot-only"], capsys)) == sorted(printed)
    rows = evidence.load_rows(tmp_path, ["protocol_checks-tiny"])
    assert {row["std_offset"] for row in rows} == {0.0, 0.1}


def test_theory_in_training_prints_again_what_it_stored(thread, tmp_path, capsys):
    script = example_scripts.load("theory_in_training")
    command = ["--preset", "tiny", "--out", str(tmp_path)]
    printed = table_of(script.main, command, capsys)
    assert len(printed) == 2 + len(script.MODELS)
    assert table_of(script.main, [*command, "--plot-only"], capsys) == printed
    assert script.main(["--plot-only", "--out", str(tmp_path)]) == 2
    assert "holds no run" in capsys.readouterr().err


def test_the_bound_is_never_above_the_share_of_pairs_that_are_off():
    """In the stored runs, with the largest eigenvalue for c^2; with c = 1, as on white data, it is above for some units."""
    rows = jsonl.read(claims.RECORDS / "theory_in_training-sample.jsonl")
    assert rows and not any(row["above"] for row in rows) and any(row["above_white"] for row in rows)
