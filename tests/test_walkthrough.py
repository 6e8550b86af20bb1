"""The walkthrough: its values are those of training, its differences agree, and it reports a wrong gradient."""

import re
from dataclasses import replace

import example_scripts
import numpy as np
import pytest

from numpy_rae.autoencoder import Params, PenaltyGrad
from numpy_rae.objectives import Objective, Penalised, ae
from numpy_rae.optimizer import sgd_step, zero_velocity
from numpy_rae.penalties import CAE
from numpy_rae.registry import ACTIVATIONS, OBJECTIVES
from numpy_rae.row_norms import unit_scale
from numpy_rae.walkthrough import report as text
from numpy_rae.walkthrough.setting import X, first_setting
from numpy_rae.walkthrough.update import after, constraint_lines
from numpy_rae.walkthrough.walk import walk

RELU_ONLY = ("smoothed-mDAE", "expected-DAE", "expected-DAE+cov")
SECTIONS = ["inputs", "forward", "penalty", "backward", "update"]
GRADIENTS = ["h'", "h''", "dR/da", "dR/d(len2)", "g_y", "g_h", "g_a", "g_W", "g_b_e"]


def setting(model="CAE", activation="softplus", sigma2=0.5):
    return first_setting(OBJECTIVES[model], ACTIVATIONS[activation], sigma2)


def lines(of):
    return [line for section in walk(of).values() for line in section]


def named(of, name):
    (line,) = (line for line in lines(of) if line.name.split()[0].rstrip(",") == name)
    return line


@pytest.mark.parametrize("activation", ["relu", "softplus", "sigmoid"])
@pytest.mark.parametrize("model", OBJECTIVES)
def test_every_gradient_of_every_model_agrees_with_its_difference_in_both_steps(model, activation):
    of = setting(model, "relu" if model in RELU_ONLY else activation)
    for step in (of, after(of)):
        for line in lines(step):
            checks = line.checks()
            assert len(checks) == (np.size(line.value) if line.f else 0)
            assert [check for check in checks if not check.passed] == [], line.name


@pytest.mark.parametrize(
    "model", ["AE", "DAE", "CAE", "mDAE", "SAE", "eDAE", "taylor_dae", "CAE+H", "KL", "L1", "2-copies"]
)
def test_sections_come_in_order_and_the_gradients_are_all_there(model):
    sections = walk(setting(model))
    assert list(sections) == [name for name in SECTIONS if name in sections]
    assert {"inputs", "forward", "backward", "update"} <= set(sections)
    names = [line.name.split()[0] for line in sections["backward"] if line.f]
    assert names[0] == "g_y" and names[-2:] == ["g_W", "g_b_e"] and {"g_h", "g_a"} <= set(names)


@pytest.mark.parametrize("model", OBJECTIVES)
def test_values_are_those_of_two_steps_of_training(model):
    of = setting(model, "relu")
    params, velocity = Params(of.params.W.copy(), of.params.b_e.copy()), zero_velocity(of.params)
    for seed in (0, 1):
        _, gradient = OBJECTIVES[model](params, of.activation, X, 0.5, np.random.default_rng(seed))
        # In the second step, params and of.params agree only up to rounding: sgd_step adds in another order.
        _, shown = OBJECTIVES[model](of.params, of.activation, X, 0.5, np.random.default_rng(seed))
        np.testing.assert_array_equal(named(of, "g_W").value, shown.dense(of.params).W)
        sgd_step(params, velocity, gradient, of.eta, of.momentum, unit_scale)
        of = after(of)
        for found, right in zip((*of.params, *of.velocity), (*params, *velocity), strict=True):
            np.testing.assert_allclose(found, right, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    "model, noisy", [("AE", False), ("CAE", False), ("DAE", True), ("eDAE", True), ("CAE+H", True)]
)
def test_the_noise_is_an_input_if_the_model_draws_it(model, noisy):
    names = [line.name for line in walk(setting(model))["inputs"]]
    assert ("z, standard normal" in names) == noisy


@pytest.mark.parametrize("model", ["DAE", "2-copies"])
def test_the_corrupted_input_is_made_of_the_noise_shown(model):
    of = setting(model)
    (z,) = (line.value for line in walk(of)["inputs"] if line.name == "z, standard normal")
    x_in = named(of, "x_in").value
    np.testing.assert_allclose(x_in, np.tile(X, (len(z) // len(X), 1)) + 0.5**0.5 * z, rtol=1e-15)


def test_without_a_coefficient_every_model_is_the_auto_encoder():
    right = ae(setting().params, ACTIVATIONS["relu"], X)[1].dense(setting().params)
    for model in set(OBJECTIVES) - set(RELU_ONLY):
        np.testing.assert_allclose(named(setting(model, "relu", 0.0), "g_W").value, right.W, rtol=1e-12)


def test_the_tangent_part_is_the_gradient_over_directions():
    for line in constraint_lines(setting()):
        assert all(check.passed for check in line.checks())


@pytest.mark.parametrize("which", GRADIENTS)
def test_a_millionth_off_shows(which):
    line = next(line for line in lines(setting()) if line.name.split()[0] == which)
    for entry in np.ndindex(line.value.shape):
        value = line.value.copy()
        value[entry] *= 1 + 1e-6
        assert [check.passed for check in line._replace(value=value).checks()].count(False) == 1


class WrongCAE:
    """CAE with an error of 1 percent in one partial derivative."""

    order = 2

    def __init__(self, part):
        self.part = part

    def value_and_grad(self, params, activation, fwd, rng=None):
        R, grad = CAE.value_and_grad(params, activation, fwd)
        return R, grad._replace(**{self.part: getattr(grad, self.part) * 1.01})


def wrong_jet(part):
    right = ACTIVATIONS["softplus"]

    def jet(a, order=3):
        found = right.jet(a, order)
        value = getattr(found, part)
        return found if value is None else found._replace(**{part: value * 1.01})

    return replace(right, jet=jet)


def wrong_bias(params, activation, x, sigma2, rng):
    J, gradient = OBJECTIVES["CAE"](params, activation, x, sigma2, rng)
    return J, gradient._replace(g_b_e=gradient.g_b_e * 1.01)


FAULTS = {
    "h'": lambda of: of._replace(activation=wrong_jet("dh_da")),
    "h''": lambda of: of._replace(activation=wrong_jet("d2h_da2")),
    "dR/da": lambda of: of._replace(model=Objective("CAE", Penalised(WrongCAE("dR_da")))),
    "dR/d(len2)": lambda of: of._replace(model=Objective("CAE", Penalised(WrongCAE("dR_dlen2")))),
    "g_b_e": lambda of: of._replace(model=Objective("CAE", wrong_bias)),
}


@pytest.mark.parametrize("where", FAULTS)
def test_the_first_gradient_that_disagrees_is_where_the_fault_is(where):
    rows, agree = text.report(FAULTS[where](setting()), 1)
    assert not agree
    assert re.search(r"WRONG: ([^,;]+)", rows[-1])[1] == where


def test_a_kink_between_the_points_is_no_fault():
    rows, agree = text.report(setting("32-copies", "leaky_relu"), 2)
    assert agree and "no conclusion for h', g_a" in rows[-1]


def test_nothing_stands_for_zero():
    assert "penalty" not in walk(setting("AE"))
    assert PenaltyGrad().dR_da is None
    assert "dR/da" not in [line.name for line in walk(setting("CAE", "relu"))["penalty"]]


def numbers(row):
    return re.findall(r"-?\d+\.\d+", row)


def test_printed_values_and_differences_agree(capsys):
    script = example_scripts.load("gradient_walkthrough")
    assert script.main(["--model", "eDAE", "--activation", "sigmoid"]) == 0
    title, *rows, _, verdict = capsys.readouterr().out.splitlines()
    assert title == "eDAE with sigmoid" and "WRONG" not in verdict
    assert [row for row in rows if row.startswith("step")] == [
        f"step {step}, {section}" for step in (1, 2) for section in ("inputs", "forward", "backward", "update")
    ]
    half = text.HEAD.index("finite")
    pairs = [(numbers(row[:half]), numbers(row[half:])) for row in rows if numbers(row[half:])]
    compared = [abs(float(v) - float(d)) for values, found in pairs for v, d in zip(values, found, strict=True)]
    # The values may differ by one unit of the last digit, because both are rounded.
    assert len(compared) > 60 and max(compared) < 1.5e-6


@pytest.mark.parametrize(
    "options, said",
    [
        (["--activation", "step"], "activation is 'step'"),
        (["--steps", "0"], "steps is 0"),
        (["--sigma2", "-1"], "sigma2 is -1"),
        (["--model", "expected-DAE", "--activation", "tanh"], "needs relu"),
        (["--model", "KL", "--activation", "tanh"], "tanh takes negative values"),
    ],
)
def test_bad_options_are_one_sentence(options, said, capsys):
    assert example_scripts.load("gradient_walkthrough").main(options) == 2
    captured = capsys.readouterr()
    assert said in captured.err and captured.err.count("\n") == 1 and captured.out == ""
