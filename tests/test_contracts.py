"""Activations, penalties and objectives of the user are checked at their first use, and an error has one sentence."""

import gc
from dataclasses import dataclass, replace

import numpy as np
import pytest

from numpy_rae import objectives
from numpy_rae._contracts import objective as contract_of_objective
from numpy_rae._contracts import penalty as contract_of_penalty
from numpy_rae.activations import SIGMOID, SOFTPLUS, Activation, Jet
from numpy_rae.autoencoder import Gradient, Params, PenaltyGrad
from numpy_rae.certificates.certificate import certify
from numpy_rae.objectives import PAPER_OBJECTIVES, Objective, Penalised, ae
from numpy_rae.penalties import MeanActivationPenalty
from numpy_rae.theory import theorem_1
from numpy_rae.train_config import TrainConfig
from numpy_rae.training import train

X = np.random.default_rng(0).standard_normal((6, 3))
PARAMS = Params(np.random.default_rng(1).standard_normal((4, 3)), np.zeros(4))
CONFIG = TrainConfig(sigma2=0.5, hidden=4, epochs=2, batch_size=3, dtype="float64")


@dataclass
class Returns:
    """A penalty that returns the given result."""

    result: object
    order: object = 2
    calls: int = 0

    def value_and_grad(self, params, activation, fwd, rng=None):
        self.calls += 1
        return self.result(fwd) if callable(self.result) else self.result


def use(penalty):
    return Penalised(penalty)(PARAMS, SOFTPLUS, X, 0.5)


GOOD = np.zeros((6, 4))


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (GOOD, "penalty Returns returned float64 (6, 4) (ndarray); it must return the pair (R, PenaltyGrad)"),
        (1.5, "penalty Returns returned 1.5; it must return the pair (R, PenaltyGrad)"),
        (None, "penalty Returns returned None; it must return the pair (R, PenaltyGrad)"),
        ([1.0, PenaltyGrad()], "penalty Returns returned a list; it must return the pair (R, PenaltyGrad)"),
        ((1.0, GOOD), "penalty Returns returned float64 (6, 4) (ndarray) as its gradient; it must be a PenaltyGrad"),
        ((1.0, (GOOD, None)), "penalty Returns returned a tuple as its gradient; it must be a PenaltyGrad"),
        ((GOOD, PenaltyGrad()), "penalty Returns returned float64 (6, 4) (ndarray) as its value; it must be one real "
         "number, such as a float"),
        ((np.float32(1), PenaltyGrad()), "penalty Returns returned a value in float32; it must be computed in float64"),
        ((1j, PenaltyGrad()), "penalty Returns returned 1j as its value; it must be one real number, such as a float"),
        ((1.0, PenaltyGrad(GOOD[0])), "penalty Returns returned float64 (4,) (ndarray) as dR_da; it must be a float64 "
         "array of shape (6, 4)"),
        ((1.0, PenaltyGrad(GOOD.astype(np.float32))), "penalty Returns returned float32 (6, 4) (ndarray) as dR_da; it must "
         "be a float64 array of shape (6, 4)"),
        ((1.0, PenaltyGrad(0.0)), "penalty Returns returned 0.0 as dR_da; it must be a float64 array of shape (6, 4)"),
        ((1.0, PenaltyGrad(dR_dlen2=GOOD)), "penalty Returns returned float64 (6, 4) (ndarray) as dR_dlen2; it must be a "
         "float64 array of shape (4,)"),
        ((1.0, PenaltyGrad(dR_dy=GOOD)), "penalty Returns returned float64 (6, 4) (ndarray) as dR_dy; it must be a float64 "
         "array of shape (6, 3)"),
        ((1.0, PenaltyGrad(dR_dW=GOOD)), "penalty Returns returned float64 (6, 4) (ndarray) as dR_dW; it must be a float64 "
         "array of shape (4, 3)"),
        ((1.0, PenaltyGrad(factors=GOOD)), "penalty Returns returned float64 (6, 4) (ndarray) as factors; it must be a "
         "tuple of pairs (left, right)"),
        ((1.0, PenaltyGrad(factors=((GOOD, GOOD),))), "penalty Returns returned float64 (6, 4) (ndarray) as the right one "
         "of a pair of factors; it must be a float64 array of shape (6, 3)"),
        ((1.0, PenaltyGrad(n_extrapolated=0.5)), "penalty Returns returned 0.5 as n_extrapolated; it must be a whole number"),
        (lambda fwd: (float(fwd.jet.d3h_da3.sum()), PenaltyGrad()), "penalty Returns has order 2 and reads h'''; its order "
         "must be 3"),
        (lambda fwd: (1.0, PenaltyGrad(2 * fwd.jet.d3h_da3)), "penalty Returns has order 2 and reads h'''; its order "
         "must be 3"),
    ],
)  # fmt: skip
def test_what_a_penalty_returns_is_told_in_one_sentence(result, sentence):
    bias_gradient = lambda: theorem_1.penalty_bias_gradient(Returns(result), PARAMS, SOFTPLUS, X)
    training = lambda: train(X, Objective("mine", Penalised(Returns(result))), SOFTPLUS, CONFIG)
    for call in (lambda: use(Returns(result)), bias_gradient):
        with pytest.raises(ValueError) as error:
            call()
        assert str(error.value) == sentence
    with pytest.raises(ValueError, match="^penalty Returns "):
        training()


def test_an_order_too_low_for_the_second_derivative():
    with pytest.raises(ValueError, match="^penalty Returns has order 1 and reads h''; its order must be 2$"):
        use(Returns(lambda fwd: (1.0, PenaltyGrad(fwd.jet.d2h_da2 / len(fwd.a))), order=1))
    with pytest.raises(ValueError, match="^penalty Returns has order 1 and reads h''; its order must be 2$"):
        certify(SOFTPLUS, Returns(lambda fwd: (1.0, PenaltyGrad(fwd.jet.d2h_da2 / len(fwd.a))), order=1))


def test_an_error_of_the_penalty_s_own_is_not_renamed():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        use(Returns(lambda fwd: fwd.nonsense))


class NoOrder:
    def value_and_grad(self, params, activation, fwd, rng=None):
        return 0.0, PenaltyGrad()


class FewArguments(NoOrder):
    order = 1

    def value_and_grad(self, params, fwd):
        return 0.0, PenaltyGrad()


@pytest.mark.parametrize(
    ("penalty", "sentence"),
    [
        (NoOrder(), "penalty NoOrder has no order; it must be 1, 2 or 3, as many derivatives of s_e as it reads"),
        (Returns(0, 0), "penalty Returns has the order 0; it must be 1, 2 or 3, as many derivatives of s_e as it reads"),
        (Returns(0, 4), "penalty Returns has the order 4; it must be 1, 2 or 3, as many derivatives of s_e as it reads"),
        (Returns(0, "2"), "penalty Returns has the order '2'; it must be 1, 2 or 3, as many derivatives of s_e as it reads"),
        (FewArguments, "penalty is the class FewArguments; it must be an instance, such as FewArguments()"),
        ({}, "penalty is a dict; it must have an order and a method value_and_grad"),
        (FewArguments(), "penalty FewArguments takes the arguments (params, fwd); it must take "
         "value_and_grad(params, activation, fwd, rng)"),
    ],
)  # fmt: skip
def test_what_is_no_penalty_is_told_in_one_sentence(penalty, sentence):
    for call in (use, lambda penalty: certify(SOFTPLUS, penalty)):
        with pytest.raises(ValueError) as error:
            call(penalty)
        assert str(error.value) == sentence


def test_a_function_of_one_s_own_inside_a_penalty_of_the_package_is_checked():
    with pytest.raises(ValueError, match="^penalty MeanActivationPenalty returned float64"):
        use(MeanActivationPenalty(lambda rho: (rho, np.ones((3, 1, 4)))))


def test_a_penalty_is_checked_once_and_forgotten_when_it_is_deleted(monkeypatch):
    calls = []
    check = contract_of_penalty.check_penalty_result
    monkeypatch.setattr(contract_of_penalty, "check_penalty_result", lambda *given: (calls.append(1), check(*given)))
    mine = Penalised(Returns((1.0, PenaltyGrad())))
    before = len(objectives.UNCHECKED.known)
    for _ in range(3):
        mine(PARAMS, SOFTPLUS, X, 0.5)
    assert len(calls) == 1 and mine.penalty.calls == 3 and len(objectives.UNCHECKED.known) == before + 1
    assert vars(mine) == {"penalty": mine.penalty}
    del mine
    gc.collect()
    assert len(objectives.UNCHECKED.known) == before


def activation(jet):
    return replace(SIGMOID, name="mine", jet=jet)


def writes(a, order):
    np.maximum(a, 0, out=a)
    return Jet(a, np.ones_like(a))


@pytest.mark.parametrize(
    ("jet", "sentence"),
    [
        (lambda a, order: a, "activation mine returned float64 (3, 4) (ndarray); it must return a numpy_rae.activations.Jet"),
        (lambda a, order: (a, a), "activation mine returned a tuple; it must return a numpy_rae.activations.Jet"),
        (lambda a, order: Jet(a, None), "activation mine returned None as dh_da at order 1; it must be a float64 array of "
         "shape (3, 4)"),
        (lambda a, order: Jet(a, 1.0), "activation mine returned 1.0 as dh_da at order 1; it must be a float64 array of "
         "shape (3, 4)"),
        (lambda a, order: Jet(a[0], a), "activation mine returned float64 (4,) (ndarray) as h at order 1; it must be a "
         "float64 array of shape (3, 4)"),
        (lambda a, order: Jet(a, a > 0), "activation mine returned bool (3, 4) (ndarray) as dh_da at order 1; it must be a "
         "float64 array of shape (3, 4)"),
        (lambda a, order: Jet(a, a.astype(np.float32)), "activation mine returned float32 (3, 4) (ndarray) as dh_da at "
         "order 1; it must be a float64 array of shape (3, 4)"),
        (lambda a: Jet(a, a), "activation mine takes the arguments (a); it must take jet(a, order)"),
        (writes, "activation mine writes into its argument; it must leave the pre-activations as they are"),
    ],
)  # fmt: skip
def test_what_an_activation_returns_is_told_at_the_first_step_of_train(jet, sentence):
    with pytest.raises(ValueError) as error:
        train(X, PAPER_OBJECTIVES["AE"], activation(jet), CONFIG)
    assert str(error.value) == sentence


def test_an_activation_without_the_derivative_that_a_penalty_reads():
    first = activation(lambda a, order: Jet(a, np.ones_like(a)))
    assert train(X, PAPER_OBJECTIVES["AE"], first, CONFIG).diverged is None
    for model in ("CAE", "eDAE"):
        with pytest.raises(
            ValueError, match="^activation mine returned None as d2h_da2 at order 2; it must be a float64 "
        ):
            train(X, PAPER_OBJECTIVES[model], first, CONFIG)


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (1.0, "model mine returned 1.0; it must return the pair (J, Gradient)"),
        ((1.0, PARAMS), "model mine returned a Params as its gradient; it must be a Gradient"),
        ((1.0, Gradient((), np.zeros(3))), "model mine returned float64 (3,) (ndarray) as g_b_e; it must be a float64 array "
         "of shape (4,)"),
        ((1.0, Gradient((), np.zeros(4), dense_part=np.zeros((3, 4)))), "model mine returned float64 (3, 4) (ndarray) as "
         "dense_part; it must be a float64 array of shape (4, 3)"),
        ((np.ones(1), Gradient((), np.zeros(4))), "model mine returned float64 (1,) (ndarray) as its value; it must be one "
         "real number, such as a float"),
    ],
)  # fmt: skip
def test_what_an_objective_returns_is_told_at_the_first_step_of_train(result, sentence):
    with pytest.raises(ValueError) as error:
        train(X, Objective("mine", lambda params, s_e, x, sigma2, rng: result), SIGMOID, CONFIG)
    assert str(error.value) == sentence


def test_a_good_objective_is_checked_at_the_first_step_alone(monkeypatch):
    calls = []
    monkeypatch.setattr(contract_of_objective, "check_objective", lambda *given: calls.append(1))
    monkeypatch.setattr(contract_of_objective, "check_activation", lambda *given: calls.append(1))
    train(X, Objective("mine", lambda params, s_e, x, sigma2, rng: ae(params, s_e, x)), SIGMOID, CONFIG)
    assert len(calls) == 2
    assert isinstance(SIGMOID, Activation)
