"""Claims about the course of training, decided from made runs."""

from made_claims import RANGE, Made, found, made

from numpy_rae.experiments.claim_differences import PAPER_ETAS
from numpy_rae.experiments.claim_verdicts import FAILS, HOLDS, NOT_RUN


def test_a_learning_rate_is_stable_if_no_plain_run_breaks_down():
    rows = [made("AE", 0.0, 0.5, eta=eta) for eta in PAPER_ETAS]
    assert found("eta", Made(rows), RANGE)[0].verdict == HOLDS
    rows[-1]["broken"] = True
    last = found("eta", Made(rows), RANGE)[0]
    assert (last.verdict, last.effect) == (FAILS, "breaks down at eta 0.005")
    assert found("eta", Made(rows[1:]), RANGE)[0].verdict == NOT_RUN
