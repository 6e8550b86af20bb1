"""Claims about the assumptions and the bound of the theory, decided from made runs and from the stored ones."""

import pytest
from made_claims import Made, found
from paper_claims.stored_runs import RECORDS

from numpy_rae.experiments.claim_verdicts import FAILS, HOLDS, OPEN
from numpy_rae.storage import jsonl


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


def test_the_bound_is_never_above_the_share_of_pairs_that_are_off():
    """In the stored runs, with the largest eigenvalue for c^2; with c = 1, as on white data, it is above for some units."""
    rows = jsonl.read(RECORDS / "theory_in_training-sample.jsonl")
    assert rows and not any(row["above"] for row in rows) and any(row["above_white"] for row in rows)
