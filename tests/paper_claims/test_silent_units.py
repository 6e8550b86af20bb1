"""Claims about silent units, decided from made runs."""

from made_claims import Made, curve, found

from numpy_rae.experiments.claim_verdicts import FAILS, HOLDS, NOT_RUN, OPEN


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
