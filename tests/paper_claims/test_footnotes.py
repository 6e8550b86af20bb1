"""The claims of two footnotes, decided from made runs."""

import dirac
from made_claims import Made, curve, found, made

from numpy_rae.experiments.claim_verdicts import FAILS, HOLDS, NOT_RUN


def test_the_kernel_must_make_cae_clearly_sparser():
    names = [model.name for model in dirac.KERNELS]
    rows = [row for lam in dirac.LAMBDAS for row in curve("CAE", {lam: 0.5})]
    rows += [made(name, lam, 0.2 + 0.1 * seed, seed) for lam in dirac.LAMBDAS for name in names for seed in range(3)]
    assert [each.verdict for each in found("fn1", Made(files={"dirac-sample": rows}))] == [HOLDS] * 3
    assert {each.verdict for each in found("fn1", Made())} == {NOT_RUN}


def test_the_offset_is_needed_for_a_model_if_every_run_fails_without_it():
    rows = [made(model, 0.25, 0.3, seed, std_offset=0.0, silent=0.7) for model in ("AE", "CAE") for seed in (0, 1)]
    rows[0]["silent"], rows[0]["broken"] = 0.0, True
    rows[-1]["silent"] = 0.1
    verdicts = {each.model: each.verdict for each in found("fn2", Made(files={"protocol_checks-sample": rows}))}
    assert (verdicts["AE"], verdicts["CAE"], verdicts["SAE"]) == (HOLDS, FAILS, NOT_RUN)
