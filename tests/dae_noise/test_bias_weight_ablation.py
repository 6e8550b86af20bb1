"""Mixed objectives: each part of the gradient is that of the model in the name."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from strategies import problems

from numpy_rae.activations import PAPER_ACTIVATIONS, RELU
from numpy_rae.dae_noise.bias_weight_ablation import bias_only, weights_only
from numpy_rae.objectives import AE, PAPER_OBJECTIVES, sae_continued
from numpy_rae.registry import OBJECTIVES
from numpy_rae.train_config import TrainConfig
from numpy_rae.training import train

SHOWN = ("DAE", "SAE", "eDAE", "CAE", "mDAE")
PAIRS = [*((m, s) for m in SHOWN for s in ("relu", "sigmoid", "softplus")),
         ("expected-DAE+cov", "relu"), ("smoothed-mDAE", "relu")]  # fmt: skip
ANY = problems((RELU,))


def gradient(model, problem, activation, sigma2=0.3):
    """Return the dense gradient, with the noise of the problem's seed."""
    J, grad = model(problem.params, activation, problem.x, sigma2, np.random.default_rng(problem.seed))
    return J, grad.dense(problem.params), grad


@pytest.mark.parametrize(("name", "s"), PAIRS)
@given(problem=ANY)
def test_the_two_parts_recombine_to_the_model_and_to_ae(name, s, problem):
    model, activation = OBJECTIVES[name], PAPER_ACTIVATIONS[s]
    J, full, grad = gradient(model, problem, activation)
    _, plain, _ = gradient(AE, problem, activation)
    J_W, of_W, _ = gradient(weights_only(model), problem, activation)
    J_b, of_b, mixed = gradient(bias_only(model), problem, activation)
    assert (of_W.W == full.W).all() and (of_b.b_e == full.b_e).all()
    assert (of_W.b_e == plain.b_e).all() and (of_b.W == plain.W).all()
    assert J_W == J_b == J and mixed.n_extrapolated == grad.n_extrapolated


@given(problem=ANY)
def test_at_ae_both_parts_are_ae(problem):
    _, plain, _ = gradient(AE, problem, RELU)
    for part in (weights_only(AE), bias_only(AE)):
        _, found, _ = gradient(part, problem, RELU)
        assert (found.W == plain.W).all() and (found.b_e == plain.b_e).all()


@pytest.mark.cor_2
@pytest.mark.parametrize("name", ["CAE", "mDAE"])
@given(problem=ANY)
def test_with_relu_the_bias_part_of_cor_2_s_penalties_is_ae(name, problem):
    _, plain, _ = gradient(AE, problem, RELU)
    _, found, _ = gradient(bias_only(PAPER_OBJECTIVES[name]), problem, RELU)
    assert (found.W == plain.W).all() and (found.b_e == plain.b_e).all()


def same(one, other) -> bool:
    return bool((one.params.W == other.params.W).all() and (one.params.b_e == other.params.b_e).all())


def trained(model, activation=RELU):
    x = np.random.default_rng(0).standard_normal((60, 5)).astype(np.float32)
    return train(x, model, activation, TrainConfig(0.25, hidden=7, batch_size=10, epochs=4, eta=0.005))


def test_trained_exactly_as_ae_or_as_the_model_where_the_parts_say_so():
    """With ReLU, CAE's bias part gives AE and its weight part gives CAE.

    This does not hold for softplus, nor for DAE.
    """
    assert same(trained(bias_only(PAPER_OBJECTIVES["CAE"])), trained(AE))
    assert same(trained(weights_only(PAPER_OBJECTIVES["CAE"])), trained(PAPER_OBJECTIVES["CAE"]))
    softplus = partial(trained, activation=PAPER_ACTIVATIONS["softplus"])
    assert not same(softplus(bias_only(PAPER_OBJECTIVES["CAE"])), softplus(AE))
    for part in (weights_only, bias_only):
        mixed = trained(part(PAPER_OBJECTIVES["DAE"]))
        assert not same(mixed, trained(AE)) and not same(mixed, trained(PAPER_OBJECTIVES["DAE"]))


def test_names():
    assert weights_only(PAPER_OBJECTIVES["DAE"]).name == "DAE weights only"
    assert bias_only(sae_continued(0.1)).name == "SAE(eps=0.1) bias only"
