"""With the user's `numpy.seterr(all="raise")`, harmless floating-point events inside the package must not raise."""

import numpy as np
import pytest
from many_cases import check_all
from test_bad_input import CASES, data_folder  # noqa: F401

from numpy_rae.activations import PAPER_ACTIVATIONS, RELU, SIGMOID
from numpy_rae.autoencoder import Params
from numpy_rae.certificates.certificate import certify
from numpy_rae.extra_activations import softplus_beta
from numpy_rae.penalties import PENALTIES
from numpy_rae.registry import ACTIVATIONS, OBJECTIVES
from numpy_rae.train_config import TrainConfig
from numpy_rae.training import train

X = np.random.default_rng(0).standard_normal((60, 8)).astype(np.float32)


@pytest.fixture(autouse=True)
def strict():
    with np.errstate(all="raise"):
        yield


@pytest.mark.parametrize("penalty", PENALTIES)
def test_certify(penalty):
    activations = {**ACTIVATIONS, "softplus_beta(16)": softplus_beta(16), "callable": np.tanh}
    check_all(has_a_prediction, {name: (each, PENALTIES[penalty]) for name, each in activations.items()})


def has_a_prediction(activation, penalty):
    assert certify(activation, penalty).prediction


@pytest.mark.parametrize("model", OBJECTIVES)
def test_training(model):
    """Pre-activations are large and of both signs, so h' and its powers underflow."""
    scales = (1e-3, 1.0, 30.0)
    cases = {f"{name}, {scale}": (model, name, scale) for name in PAPER_ACTIVATIONS for scale in scales}
    check_all(trains_as_without_errors, cases)


def trains_as_without_errors(model, activation, scale):
    config = TrainConfig(sigma2=0.5, hidden=5, epochs=3, batch_size=20)
    given = (np.float32(scale) * X, OBJECTIVES[model], PAPER_ACTIVATIONS[activation], config)
    try:
        with np.errstate(under="ignore"):
            expected = train(*given)
    except ValueError:
        return  # the model refuses the activation
    result = train(*given)
    np.testing.assert_array_equal(result.params.W, expected.params.W)
    assert result.metrics == expected.metrics


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_far_out(activation, dtype):
    reach = float(np.finfo(dtype).max) ** 0.25
    jet = ACTIVATIONS[activation](np.array([[-reach, -800, -90, -1e-30, 0, 1e-30, 90, 800, reach]], dtype), 3)
    assert all(np.isfinite(part).all() for part in jet)


@pytest.mark.parametrize("model", OBJECTIVES)
def test_objectives_at_saturated_units(model):
    params = Params(400 * np.ones((2, 8)), np.array([-700.0, 30.0]))
    activation = RELU if "smoothed" in model or "expected" in model else SIGMOID
    J, _ = OBJECTIVES[model](params, activation, X.astype(float), 0.5, np.random.default_rng(0))
    assert np.isfinite(J)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_public_function(dtype):
    check_all(raises_no_float_error, {case.name: (case, dtype) for case in CASES})


def raises_no_float_error(case, dtype):
    try:
        case.function(**case.valid(dtype, 9, 3, 2))
    except case.error as error:
        assert not isinstance(error, FloatingPointError), error
        assert "no such" in str(error) or "cannot be" in str(error)
