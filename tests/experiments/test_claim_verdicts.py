"""The verdicts on a claim: where an effect cannot show, and how several verdicts make one."""

import pytest
from made_claims import LONG, SHORT

from numpy_rae.experiments.claim_verdicts import FAILS, HOLDS, NOT_RUN, OPEN, PART, TOO_SHORT, combined, judged


def test_effects_of_sigmoid_cannot_show_in_short_runs():
    assert judged(FAILS, SHORT, "sigmoid", "unit") == TOO_SHORT
    assert judged(FAILS, LONG, "sigmoid", "unit") == FAILS
    assert judged(FAILS, SHORT, "relu", "unit") == FAILS
    assert judged(HOLDS, SHORT, "sigmoid", "free") == HOLDS


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
    assert combined(verdicts) == one
