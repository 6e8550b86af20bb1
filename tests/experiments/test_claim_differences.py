"""Differences from the plain auto-encoder: between runs of one seed."""

import numpy as np
from made_claims import made

from numpy_rae.experiments import claim_differences


def test_differences_are_between_runs_of_one_seed():
    one, two = [made("CAE", 1.0, 0.4, 1), made("CAE", 1.0, 0.7, 2)], [made("AE", 0.0, 0.5, 2), made("AE", 0.0, 0.9, 3)]
    np.testing.assert_allclose(claim_differences.differences(one, two), [0.2])
    assert not len(claim_differences.differences([made("CAE", 1.0, None, 2)], two))
