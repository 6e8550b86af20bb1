"""Claims about what makes codes sparse, decided from made runs."""

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
