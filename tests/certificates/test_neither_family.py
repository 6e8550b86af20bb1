"""A user's penalty of neither family: separable or not, its sign on a grid, and the search for a counter-example."""

import json
import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest
from many_cases import check_all

import numpy_rae as rae
from numpy_rae.__main__ import main
from numpy_rae.certificates import counter_example, neither_family
from numpy_rae.certificates.certificate import Certificate
from numpy_rae.certificates.separability import check_separability, total_derivative
from numpy_rae.certificates.verdict import SPARSER, UNAFFECTED, UNDETERMINED
from numpy_rae.penalties import CAE, L1, MDAE, SAE
from numpy_rae.registry import ACTIVATIONS
from numpy_rae.taylor_penalties import CAE_H, CrossTerm, ResidualTerm, WeightedSum
from numpy_rae.theory.theorem_1 import penalty_bias_gradient

SOFTPLUS, SIGMOID, RELU = (ACTIVATIONS[name] for name in ("softplus", "sigmoid", "relu"))


@dataclass(frozen=True)
class Own:
    """R = mean over samples of sum_j r(a_ij, len2_j), given by its derivative; only dR/da is needed here."""

    of_a_and_len2: object
    order: int = 2

    def value_and_grad(self, params, activation, fwd, rng=None):
        len2 = (params.W**2).sum(axis=1)
        return 0.0, rae.PenaltyGrad(dR_da=self.of_a_and_len2(fwd.a, len2, fwd.jet) / len(fwd.a))


@dataclass(frozen=True)
class Coupled:
    """dR/da as any function of the forward pass and W."""

    of_forward: object
    order: int = 1
    through_y: bool = False

    def value_and_grad(self, params, activation, fwd, rng=None):
        value = self.of_forward(params, fwd, rng) / len(fwd.a)
        grad = rae.PenaltyGrad(dR_dy=value) if self.through_y else rae.PenaltyGrad(dR_da=value)
        return 0.0, grad


SLOPES = Own(lambda a, len2, jet: jet.d2h_da2)  # R = E sum_j h'_j, Cor. 2's family with q = 1 and p = 0
WAVE = Own(lambda a, len2, jet: np.sin(a) * len2 + 0.0 * a)
LONG_ROWS = Own(lambda a, len2, jet: np.broadcast_to(2.0 - len2, a.shape).copy())
COUPLED = {
    "the mean over the batch": Coupled(lambda p, f, rng: 2 * f.jet.h.mean(axis=0) * f.jet.dh_da),
    "the units of a sample": Coupled(lambda p, f, rng: f.jet.dh_da * f.jet.h.sum(axis=1, keepdims=True)),
    "the direction of the row": Coupled(lambda p, f, rng: f.jet.dh_da * p.W[:, 0] ** 2),
    "the input": Coupled(lambda p, f, rng: f.jet.dh_da * (f.x**2).sum(axis=1, keepdims=True)),
    "the bias": Coupled(lambda p, f, rng: f.jet.dh_da * p.b_e**2),
    "the number of the unit": Coupled(lambda p, f, rng: f.jet.dh_da * (1.0 + np.arange(len(p.W)))),
    "the number of the sample": Coupled(lambda p, f, rng: f.jet.dh_da * (1.0 + np.arange(len(f.a)))[:, None]),
    "noise": Coupled(lambda p, f, rng: f.jet.dh_da * (1.0 + rng.random())),
    "the reconstruction": Coupled(lambda p, f, rng: f.y, through_y=True),
    "another unit, where the rest is small": Coupled(lambda p, f, rng: np.exp(f.a**2) + np.roll(f.a, 1, axis=1)),
    "a millionth of another unit": Coupled(lambda p, f, rng: 1.0 + 1e-6 * np.roll(f.a, 1, axis=1)),
}


@pytest.mark.parametrize("penalty", [CAE, MDAE, L1, SLOPES, WAVE, LONG_ROWS, WeightedSum(((1.0, CAE), (2.0, L1)))])
def test_a_function_of_a_and_the_row_length_is_separable(penalty):
    def is_separable(activation):
        found = check_separability(activation, penalty)
        assert found.holds and found.witness is None and found.through_lengths

    check_all(is_separable, {name: (activation,) for name, activation in ACTIVATIONS.items()})


@pytest.mark.parametrize("penalty", COUPLED.values(), ids=COUPLED)
def test_any_other_dependence_is_found_and_has_a_witness(penalty):
    found = check_separability(SOFTPLUS, penalty)
    assert not found.holds and found.witness.value != 0 and np.isfinite(found.witness.at)


@pytest.mark.parametrize("penalty", [CAE_H, CrossTerm(), ResidualTerm()], ids=["CAE+H", "cross term", "residual term"])
def test_the_paper_s_other_terms_are_not_separable(penalty):
    assert not check_separability(SIGMOID, penalty).holds


def test_what_acts_on_w_in_another_way_is_seen():
    assert not check_separability(RELU, CrossTerm()).through_lengths
    assert check_separability(RELU, CAE).through_lengths


@pytest.mark.parametrize("penalty", [SAE, CrossTerm(), ResidualTerm(), *COUPLED.values()])
def test_the_total_derivative_adds_up_to_the_bias_gradient(penalty):
    params, x = counter_example.batch(3)
    rng = np.random.default_rng(0)
    _, G, _ = total_derivative(penalty, params, SOFTPLUS, x, np.random.default_rng(0))
    expected = penalty_bias_gradient(penalty, params, SOFTPLUS, x, rng)
    np.testing.assert_allclose(G.mean(axis=0), expected, rtol=1e-12, atol=1e-12)


def test_a_sum_of_slopes_gets_cor_2_s_prediction_through_thm_1():
    own, member = rae.certify(SOFTPLUS, SLOPES), rae.certify(SOFTPLUS, rae.JacobianPenalty(1, 0))
    assert own.prediction == member.prediction == SPARSER and own.corollary == "none"
    assert "Thm 1" in own.reason and "neither family" in own.reason and not own.failing
    assert [i.sign for i in own.signs] == [1] and own.counter_example is None


def test_both_signs_leave_it_open_with_a_witness_on_the_grid():
    certificate = rae.certify(SIGMOID, WAVE)
    assert certificate.prediction == UNDETERMINED and "both signs" in certificate.reason
    witness = certificate.failing["pushes_down"]
    assert witness.value == pytest.approx(np.sin(witness.at)) and witness.value < -0.99
    assert f"{witness.at:.4g}" in certificate.reason


def test_a_sign_that_depends_on_the_row_length_is_found_at_another_length():
    """2 - len2 is positive for rows of length 1, and negative for rows of length 2."""
    certificate = rae.certify(SIGMOID, LONG_ROWS)
    assert [i.sign for i in certificate.signs] == [1]
    witness = certificate.failing["pushes_down"]
    assert (witness.of, witness.value) == ("dR/db with ||W_j|| = 2", -2.0)
    assert certificate.prediction == UNDETERMINED and "both signs" in certificate.reason


def test_a_gradient_that_is_never_positive_raises_the_mean_pre_activation():
    certificate = rae.certify(SOFTPLUS, Own(lambda a, len2, jet: -jet.dh_da))
    assert certificate.prediction == UNDETERMINED and "never positive" in certificate.reason


@pytest.mark.parametrize(
    ("activation", "missing"), [("tanh", "h -> 0"), ("squared_relu", "0 <= h' <= 1"), ("gelu", "h' >= 0")]
)
def test_the_activation_must_meet_thm_1_and_thm_2(activation, missing):
    positive = Own(lambda a, len2, jet: np.ones_like(a))
    assert rae.certify("sigmoid", positive).prediction == SPARSER
    certificate = rae.certify(activation, positive)
    assert certificate.prediction == UNDETERMINED and f"{missing}" in certificate.reason


def test_no_bias_gradient_is_unaffected_unless_w_is_moved_otherwise():
    zero = rae.certify(SIGMOID, Own(lambda a, len2, jet: np.zeros_like(a)))
    assert zero.prediction == UNAFFECTED

    class Rows:
        order = 1

        def value_and_grad(self, params, activation, fwd, rng=None):
            return float(params.W.sum()), rae.PenaltyGrad(dR_dW=np.ones_like(params.W))

    certificate = rae.certify(SIGMOID, Rows())
    assert certificate.prediction == UNDETERMINED and "in other ways" in certificate.reason


@pytest.mark.parametrize("penalty", [CrossTerm(), ResidualTerm()])
def test_a_counter_example_is_one(penalty):
    """It is evaluated anew, with the function of `theorem_1`."""
    certificate = rae.certify(SIGMOID, penalty)
    found = certificate.counter_example
    params, x = found.arrays()
    value = penalty_bias_gradient(penalty, params, SIGMOID, x)[found.unit]
    assert value == pytest.approx(found.value, rel=1e-12) and value < 0
    assert certificate.prediction == UNDETERMINED and certificate.failing["pushes_down"].value == found.value
    assert f"unit {found.unit} in draw {found.draw}" in certificate.reason
    text = json.dumps(certificate.to_dict(), allow_nan=False)
    assert Certificate.from_dict(json.loads(text)) == certificate


def test_a_search_without_a_result_is_not_a_certificate():
    penalty = COUPLED["the mean over the batch"]
    certificate = rae.certify(SOFTPLUS, penalty)
    assert certificate.prediction == UNDETERMINED and certificate.counter_example is None
    assert "No counter-example to dR/db_e_j >= 0 in 1,000 random draws" in certificate.reason
    assert "proves nothing" in certificate.reason and "pushes_down" not in {c.name for c in certificate.conditions}


def test_the_search_makes_all_its_draws(monkeypatch):
    """The only negative entry is in the last draw."""
    last = counter_example.batch(counter_example.DRAWS - 1)[1]

    def late(params, fwd, rng):
        return np.full_like(fwd.a, -1.0 if np.array_equal(fwd.x, last) else 1.0)

    found = counter_example.search(SOFTPLUS, Coupled(late))
    assert found.draw == counter_example.DRAWS - 1
    assert counter_example.search(SOFTPLUS, Coupled(late), draws=counter_example.DRAWS - 1) is None


def test_rounding_is_not_a_counter_example():
    """The derivatives of the samples cancel, up to a part of 1e-12."""

    def cancels(params, fwd, rng):
        signs = (-1.0) ** np.arange(len(fwd.a))
        return (signs - signs.mean() - 1e-12 * np.abs(signs - signs.mean()))[:, None] * np.ones_like(fwd.a)

    assert counter_example.search(SOFTPLUS, Coupled(cancels)) is None


def test_draws_cover_small_and_large_sizes_and_scales():
    shapes = {(*params.W.shape, len(x)) for params, x in map(counter_example.batch, range(1000))}
    assert {min(shape) for shape in shapes} == {1, 2, 3, 4, 5, 6} and len(shapes) > 200
    sizes = np.array([np.abs(params.W).mean() for params, _ in map(counter_example.batch, range(1000))])
    assert np.quantile(sizes, 0.1) < 0.5 and np.quantile(sizes, 0.9) > 1.5


def test_points_that_overflow_are_left_out():
    steep = Own(lambda a, len2, jet: np.exp(a**2))
    certificate = rae.certify(SIGMOID, steep)
    assert certificate.prediction == SPARSER and certificate.signs[-1].high < 30
    with pytest.raises(ValueError, match="not finite at any point of the grid"):
        rae.certify(SIGMOID, Own(lambda a, len2, jet: np.full_like(a, np.inf)))


def test_a_user_s_function_with_numeric_derivatives_gets_the_same_verdict():
    assert rae.certify(lambda a: np.logaddexp(0, a), SLOPES).prediction == SPARSER
    assert rae.certify(lambda a: 1 / (1 + np.exp(-a)), SLOPES).prediction == UNDETERMINED


def test_the_command_certifies_a_user_s_penalty(tmp_path, monkeypatch, capsys):
    (tmp_path / "own_penalty.py").write_text(
        "import numpy_rae as rae\n\n\nclass Slopes:\n    order = 2\n\n"
        "    def value_and_grad(self, params, activation, fwd, rng=None):\n"
        "        grad = rae.PenaltyGrad(dR_da=fwd.jet.d2h_da2 / len(fwd.a))\n"
        "        return float(fwd.jet.dh_da.sum()) / len(fwd.a), grad\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["certify", "--activation", "softplus", "--penalty", "own_penalty:Slopes"]) == 0
    shown = capsys.readouterr().out
    assert "softplus x Slopes: sparser with lambda" in shown and "dR/db_e_j >= 0" in shown
    sys.modules.pop("own_penalty", None)


def test_the_table_of_the_document():
    squares = COUPLED["the mean over the batch"]
    both = WeightedSum(((1.0, CAE), (1.0, L1)))
    certificates = [rae.certify(s_e, R) for s_e, R in (
        (SOFTPLUS, SLOPES), (SIGMOID, SLOPES), (SIGMOID, both), (SOFTPLUS, squares), (SIGMOID, CrossTerm()),
    )]  # fmt: skip
    assert [c.prediction for c in certificates] == [SPARSER, UNDETERMINED, SPARSER, UNDETERMINED, UNDETERMINED]
    assert str(certificates[1].failing["pushes_down"]) == "dR/db is -0.09622 at a = 1.325"
    assert [("separable" in c.failing) for c in certificates] == [False, False, False, True, True]
    assert certificates[3].counter_example is None and certificates[4].counter_example.draw == 1
    assert rae.certify(SIGMOID, CAE).prediction == UNDETERMINED


def test_a_penalty_that_refuses_negative_codes_is_examined_all_the_same():
    found = neither_family.examine(
        replace(ACTIVATIONS["elu"], non_negative=False),
        WeightedSum(((1.0, rae.PENALTIES["KL"]),)),
        np.linspace(-5, 5, 11),
        (),
    )
    assert found.prediction == UNDETERMINED
