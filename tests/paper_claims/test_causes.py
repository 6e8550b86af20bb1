"""Claims about what makes codes sparse, decided from made runs."""

import edae_scaling
import pytest
from made_claims import Made, curve, found, made

from numpy_rae.experiments.claim_verdicts import FAILS, HOLDS, NOT_RUN, PART


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


def scaling_rows(edae: float, dae: float, small: float) -> list[dict]:
    """Falls of 0.4 at the base, and others at the smallest eta. AE has 0.7."""
    script, rows = edae_scaling, []
    for eta in script.VARIED["eta"]:
        last = eta == min(script.VARIED["eta"])
        falls = {("AE", 0.0): 0.0, ("eDAE", 1.0): edae, ("DAE", 1.0): dae, ("DAE", script.SMALL): small}
        for (model, sigma2), fall in falls.items():
            config = script.config(script.SIZES["sample"], 0, {**script.BASE, "eta": eta}, sigma2)
            usual = {name: getattr(config, name) for name in ("hidden", "batch_size", "epochs", "eta", "momentum")}
            fraction = 0.7 - (0.0 if model == "AE" else fall if last else 0.4)
            rows.append(made(model, sigma2, fraction, **usual))
    return rows


def test_an_effect_of_the_mean_gradient_does_not_depend_on_eta():
    rows = scaling_rows(0.2, 0.35, 0.5)
    three = found("scaling", Made(files={"edae_scaling-sample": rows}))
    assert [each.verdict for each in three] == [FAILS, HOLDS, FAILS]
    assert [each.where for each in three] == ["sigma^2 1", "sigma^2 1", "sigma^2 0.0625"]
    rows[2]["broken"] = True
    assert found("scaling", Made(files={"edae_scaling-sample": rows}))[1].where.endswith("runs broke down at eta 0.004")
    part = [row for row in rows if row["sigma2"] in (0.0, 1.0)]
    verdicts = [each.verdict for each in found("scaling", Made(files={"edae_scaling-sample": part}))]
    assert verdicts == [FAILS, HOLDS, NOT_RUN]
    assert {each.verdict for each in found("scaling", Made())} == {NOT_RUN}
