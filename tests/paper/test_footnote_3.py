"""Fn. 3: on unit rows CAE and mDAE agree in value, bias gradient and tangent weight gradient, not radially."""

import numpy as np
import pytest
from hypothesis import given

from numpy_rae.autoencoder import Params
from numpy_rae.constraints import tangent, unit_rows
from numpy_rae.objectives import MODELS, ae
from strategies import white_problems

pytestmark = pytest.mark.fn_3


@given(white_problems())
def test_same_up_to_the_radial_part_which_is_twice_as_large(problem):
    params, activation, x, _, _ = problem
    params = Params(params.W + np.copysign(0.5, params.W), params.b_e)
    unit_rows(params.W)
    (J_c, cae), (J_m, mdae) = (MODELS[name](params, activation, x, 0.7, None) for name in ("CAE", "mDAE"))
    assert J_c == pytest.approx(J_m, rel=1e-13)
    np.testing.assert_allclose(cae.g_b_e, mdae.g_b_e, rtol=1e-10, atol=1e-12)
    along = [tangent(grad, params).dense(params).W for grad in (cae, mdae)]
    np.testing.assert_allclose(*along, rtol=1e-9, atol=1e-11)
    plain = ae(params, activation, x)[1].dense(params).W
    share = (activation(x @ params.W.T + params.b_e, 1).dh_da ** 2).mean(axis=0)
    radial = mdae.dense(params).W - cae.dense(params).W
    # len2^(p/2) contributes p len2^(p/2 - 1) s W: 2 against 4 times lambda s W on unit rows.
    np.testing.assert_allclose(radial, 2 * 0.7 * share[:, None] * params.W, rtol=1e-9, atol=1e-11)
    assert plain.shape == radial.shape
