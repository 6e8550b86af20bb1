"""Certificates: known verdicts, witnesses that fail as stated, random activations, pictures, output in a notebook."""

import itertools
import json
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from many_cases import check_all
from scipy.special import expit

from numpy_rae.__main__ import COLUMNS
from numpy_rae.baselines import maxout, maxout_left_limit
from numpy_rae.certificates.bias_gradient_sign import bias_gradient
from numpy_rae.certificates.certificate import Certificate, certify
from numpy_rae.certificates.outside_theory import maxout_certificate
from numpy_rae.certificates.verdict import SPARSER, UNAFFECTED, UNDETERMINED
from numpy_rae.extra_activations import softplus_beta
from numpy_rae.numerical_activations import from_callable
from numpy_rae.penalties import CAE, L1, MDAE, PENALTIES, SAE, JacobianPenalty, MeanActivationPenalty, sae_with_target
from numpy_rae.plotting import certificate_picture
from numpy_rae.registry import ACTIVATIONS
from numpy_rae.taylor_penalties import CAE_H
from numpy_rae.theory.theorem_1 import bias_gradient_at

OF_S_E = ("non_decreasing", "slope_in_unit", "convex", "zero_on_left")
# (prediction, corollary, signs of dR/db from left to right without the zeros) by activation and penalty.
KNOWN = {
    ("relu", "CAE"): (UNAFFECTED, "Cor. 2", []),
    ("relu", "mDAE"): (UNAFFECTED, "Cor. 2", []),
    ("relu", "SAE"): (SPARSER, "Cor. 1", [1]),
    ("relu", "L1"): (SPARSER, "Cor. 1", [1]),
    ("relu", "KL"): (UNDETERMINED, "none", [-1, 1]),
    ("sigmoid", "CAE"): (UNDETERMINED, "none", [1, -1]),
    ("sigmoid", "SAE"): (SPARSER, "Cor. 1", [1]),
    ("sigmoid", "KL"): (UNDETERMINED, "none", [-1, 1]),
    ("softplus", "CAE"): (SPARSER, "Cor. 2", [1]),
    ("softplus", "SAE"): (SPARSER, "Cor. 1", [1]),
    ("softplus(beta=4)", "mDAE"): (SPARSER, "Cor. 2", [1]),
    ("tanh", "SAE"): (UNDETERMINED, "Cor. 1", [1]),
    ("tanh", "CAE"): (UNDETERMINED, "none", [1, -1]),
    ("tanh", "KL"): (UNDETERMINED, "none", []),
    ("elu", "CAE"): (UNDETERMINED, "Cor. 2", [1]),
    ("gelu", "CAE"): (UNDETERMINED, "none", [1, -1, 1, -1]),
    ("gelu", "SAE"): (UNDETERMINED, "none", [-1, 1]),
    ("silu", "CAE"): (UNDETERMINED, "none", [1, -1, 1, -1]),
    ("leaky_relu", "CAE"): (UNAFFECTED, "Cor. 2", []),
    ("leaky_relu", "SAE"): (UNDETERMINED, "Cor. 1", [1]),
    ("hard_sigmoid", "CAE"): (UNAFFECTED, "none", []),
    ("hard_sigmoid", "SAE"): (SPARSER, "Cor. 1", [1]),
    ("squared_relu", "CAE"): (UNDETERMINED, "none", [1]),
    ("squared_relu", "SAE"): (UNDETERMINED, "none", [1]),
    ("sigmoid", "decay"): (UNAFFECTED, "none", []),
}
PAIRS = [(activation, penalty) for activation in ACTIVATIONS for penalty in COLUMNS]


@cache
def of_pair(activation, penalty):
    """Return the certificate of a pair of the table. Several tests read it."""
    return certify(ACTIVATIONS[activation], PENALTIES[penalty])


def check_pairs(check):
    """Call `check(activation, penalty)` with the names of every pair of the table."""
    check_all(check, {" x ".join(pair): pair for pair in PAIRS})


def holds(certificate):
    return {c.name: c.holds for c in certificate.conditions}


def nonzero(certificate):
    return [i.sign for i in certificate.signs if i.sign]


@pytest.mark.parametrize("pair", KNOWN, ids=" x ".join)
def test_verdicts_known_by_heart(pair):
    prediction, corollary, signs = KNOWN[pair]
    certificate = of_pair(*pair)
    assert (certificate.activation, certificate.penalty) == pair
    assert (certificate.prediction, certificate.corollary, nonzero(certificate)) == (prediction, corollary, signs)


@pytest.mark.parametrize("s_e", ACTIVATIONS.values(), ids=ACTIVATIONS)
def test_what_is_found_is_what_the_activation_claims(s_e):
    found = holds(certify(s_e, SAE))
    assert [found[claim] for claim in OF_S_E] == [getattr(s_e, claim) for claim in OF_S_E]
    assert certify(s_e, SAE).theorem_2 == (s_e.non_decreasing and s_e.zero_on_left)


def test_relu_with_cae_is_in_the_corollary_and_feels_nothing():
    """Cor. 2 covers it in form. Fn. 1: no sample has h'' != 0, so the bias gets no gradient."""
    certificate = certify(ACTIVATIONS["relu"], CAE)
    assert not certificate.failing and "Cor. 2 applies in form" in certificate.reason
    assert "exactly 0 everywhere it exists (Fn. 1)" in certificate.reason
    assert [(i.sign, i.low, i.high) for i in certificate.signs] == [(0, -1e4, 1e4)]


def test_sigmoid_with_cae_has_a_witness_on_each_side_of_zero():
    certificate = certify(ACTIVATIONS["sigmoid"], CAE)
    up, down = (i for i in certificate.signs if i.sign)
    assert up.at < 0 < down.at and up.high == down.low == 0
    at = bias_gradient_at(CAE, ACTIVATIONS["sigmoid"], np.array([up.at, down.at]))
    assert at[0] == up.value > 0 > down.value == at[1]
    assert f"{up.at:.4g}" in certificate.reason and f"{down.at:.4g}" in certificate.reason


@pytest.mark.parametrize("name", ["gelu", "silu"])
def test_the_signs_of_non_monotone_ones_change_at_their_roots(name):
    """dR/db = 2 h' h'' changes sign at each root of h' and of h''. The test finds each root by its own bisection."""
    s_e = ACTIVATIONS[name]

    def root(order, low, high):
        for _ in range(80):
            middle = (low + high) / 2
            same = s_e(np.array([middle]))[order][0] * s_e(np.array([low]))[order][0] > 0
            low, high = (middle, high) if same else (low, middle)
        return high

    roots = [root(2, -3, -1), root(1, -1.4 if name == "gelu" else -2.3, 0), root(2, 1, 3)]
    inner = [i for i in certify(s_e, CAE).signs if i.sign]
    np.testing.assert_allclose([i.high for i in inner[:3]], roots, atol=1e-11)


def verify(activation, penalty, certificate):
    """Evaluate each failing condition again at its witness. It must fail there with the stated value."""
    for name, witness in certificate.failing.items():
        if name == "f_increasing":
            value = penalty.extrapolated(np.array([witness.at]))[1][0]
            assert witness.of == "f'" and value == witness.value < 0
            continue
        jet, beyond = activation(np.array([witness.at])), activation(np.array([witness.at + 1e-8]))
        seen = {
            "h": jet.h,
            "h'": jet.dh_da,
            "h''": jet.d2h_da2,
            "jump of h'": beyond.dh_da - jet.dh_da,
            "jump of h": beyond.h - jet.h,
        }[witness.of]
        assert seen[0] == pytest.approx(witness.value, abs=1e-7)
        if name == "slope_in_unit":
            assert not 0 <= witness.value <= 1
        elif name == "zero_on_left":
            assert witness.at <= -100 and abs(witness.value) > 1e-8
        else:
            assert witness.value < 0


def test_witnesses_of_the_table_do_fail_where_they_say():
    def fails_where_it_says(activation, penalty):
        certificate = of_pair(activation, penalty)
        verify(ACTIVATIONS[activation], PENALTIES[penalty], certificate)
        if activation not in ("relu", "softplus", "softplus(beta=4)"):
            assert certificate.failing

    check_pairs(fails_where_it_says)


def test_signs_are_those_of_the_bias_gradient_on_real_samples():
    """The points are off the grid. They come from x, because `theorem_1.bias_gradient_at` encodes a sample of value a."""
    check_pairs(signs_are_those_of_samples)


def signs_are_those_of_samples(*pair):
    activation, penalty = ACTIVATIONS[pair[0]], PENALTIES[pair[1]]
    signs = of_pair(*pair).signs
    if not signs:
        assert pair[1] == "KL" and not activation.non_negative
        return
    assert (signs[0].low, signs[-1].high) == (-1e4, 1e4)
    assert all(one.high == other.low and one.sign != other.sign for one, other in itertools.pairwise(signs))
    a = np.random.default_rng(0).uniform(-9, 9, 60)
    expected = [next(i.sign for i in signs if i.low < one <= i.high) for one in a]
    assert np.sign(bias_gradient_at(penalty, activation, a)).tolist() == expected


@given(rho_0=st.floats(0.01, 0.95))
def test_a_target_leaves_it_open_below_itself(rho_0):
    """KL decreases below rho_0. The witness must be there, and the penalty raises the unit exactly where h < rho_0."""
    penalty = sae_with_target(rho_0)
    certificate = certify(ACTIVATIONS["sigmoid"], penalty)
    assert (certificate.prediction, certificate.corollary) == (UNDETERMINED, "none")
    witness = certificate.failing["f_increasing"]
    assert witness.at < rho_0 and penalty.extrapolated(np.array([witness.at]))[1][0] == witness.value < 0
    up, down = (i for i in certificate.signs if i.sign)
    assert (up.sign, down.sign) == (-1, 1) and expit(up.high) == pytest.approx(rho_0, abs=1e-9)


def test_an_activation_that_the_penalty_refuses_says_where():
    certificate = certify(ACTIVATIONS["tanh"], PENALTIES["KL"])
    assert certificate.failing["in_domain"].value < 0 and "refuses" in certificate.reason and not certificate.signs


@st.composite
def broken_lines(draw):
    """Draw knots at least 0.1 apart and slopes that are multiples of 1/8, so that every answer is known exactly."""
    knots = np.cumsum(draw(st.lists(st.floats(0.1, 2), min_size=1, max_size=4))) - 3
    eighths = draw(st.lists(st.integers(-2, 10), min_size=len(knots) + 1, max_size=len(knots) + 1))
    monotone = draw(st.sampled_from([None, sorted(eighths), sorted(np.clip(eighths, 0, 8).tolist())]))
    slopes = np.array(monotone or eighths) / 8
    if draw(st.booleans()):
        slopes[0] = max(0, slopes.min())
    return knots, slopes, draw(st.sampled_from([0.0, 0.0, -1.0])), draw(st.booleans())


@given(broken_lines())
def test_random_broken_lines_are_judged_right(line):
    knots, slopes, offset, by_abs = line

    def f(a):
        parts = a[..., None] - knots
        right = (parts + np.abs(parts)) / 2 if by_abs else np.maximum(parts, 0)
        return offset + slopes[0] * (a - knots[0]) + (right * np.diff(slopes)).sum(axis=-1)

    for penalty in (CAE, SAE):
        certificate = certify(f, penalty)
        found = holds(certificate)
        assert found["non_decreasing"] == (slopes >= 0).all()
        assert found["slope_in_unit"] == ((slopes >= 0) & (slopes <= 1)).all()
        assert found["convex"] == (np.diff(slopes) >= 0).all()
        assert found["zero_on_left"] == (slopes[0] == 0 == offset)
        for name, witness in certificate.failing.items():
            # Between two knots the slope is constant. A turn is the difference of the slopes at its knot.
            left, right = (slopes[np.searchsorted(knots, witness.at + shift)] for shift in (-0.02, 0.02))
            if name == "convex":
                assert witness.of == "jump of h'" and right < left
                assert witness.value == pytest.approx(right - left, abs=1e-8)
            elif name != "zero_on_left":
                assert min(abs(witness.value - left), abs(witness.value - right)) < 1e-8
    # The case of Fn. 1: nothing is curved, so the bias gets no gradient.
    assert certify(f, CAE).prediction == UNAFFECTED


SMOOTH = {
    "in both families": (lambda a, w, k: w * np.logaddexp(0, a - k), (True, True, True, True)),
    "too steep": (lambda a, w, k: (w + 0.6) * np.logaddexp(0, a - k), (True, False, True, True)),
    "s-shaped": (lambda a, w, k: w * expit(a - k), (True, True, False, True)),
    "not to zero": (lambda a, w, k: w * np.logaddexp(0, a - k) - w, (True, True, True, False)),
    "with a dip": (
        lambda a, w, k: w * (np.logaddexp(0, a - k) - 2 * np.exp(-((a - k) ** 2))),
        (False, False, False, True),
    ),
    "slow on the left": (lambda a, w, k: w * (a - k + np.sqrt(1 + (a - k) ** 2)) / 2, (True, True, True, True)),
    "log on the left": (lambda a, w, k: w / (2 + np.log1p(np.logaddexp(0, k - a))), (True, True, False, False)),
}


@pytest.mark.parametrize("kind", SMOOTH)
@given(w=st.floats(0.5, 0.99), k=st.floats(-4, 4))
def test_random_smooth_ones_built_to_break_one_condition_are_judged_right(kind, w, k):
    f, expected = SMOOTH[kind]
    s_e = from_callable(kind, lambda a: f(a, w, k))
    certificate = certify(s_e, SAE)
    assert tuple(holds(certificate)[name] for name in OF_S_E) == expected
    verify(s_e, SAE, certificate)


@pytest.mark.parametrize("penalty", [PENALTIES[name] for name in COLUMNS], ids=COLUMNS)
@pytest.mark.parametrize("f", [lambda a: 1 / (1 + np.exp(-a)), expit], ids=["complex step", "differences"])
def test_a_user_s_sigmoid_gets_the_shipped_one_s_verdicts(f, penalty):
    own, shipped = certify(f, penalty), certify(ACTIVATIONS["sigmoid"], penalty)
    assert holds(own) == holds(shipped)
    for field in ("corollary", "theorem_2", "prediction", "penalty"):
        assert getattr(own, field) == getattr(shipped, field)
    one, other = ([i for i in certificate.signs if i.sign] for certificate in (own, shipped))
    assert [i.sign for i in one] == [i.sign for i in other]
    np.testing.assert_allclose([i.high for i in one[:-1]], [i.high for i in other[:-1]], atol=1e-5)


def test_a_jump_is_not_a_slope():
    """JumpReLU: the derivative is 0 or 1 wherever it exists, but h does not satisfy the theory's conditions."""
    certificate = certify(lambda a: a * (a > 1.03), SAE)
    assert set(certificate.failing) == {"slope_in_unit", "convex"}
    assert certificate.failing["slope_in_unit"].of == "jump of h"
    assert certificate.failing["slope_in_unit"].at == pytest.approx(1.03, abs=1e-3)


@pytest.mark.parametrize(
    ("f", "at_most"),
    [
        (lambda rho: (-rho, -np.ones_like(rho)), np.inf),
        (lambda rho: (np.ones_like(rho), np.zeros_like(rho)), np.inf),
        (lambda rho: ((rho - 0.3) ** 2, 2 * (rho - 0.3)), 0.3),
    ],
    ids=["falls", "constant", "a valley"],
)
def test_an_f_that_does_not_increase_is_outside(f, at_most):
    certificate = certify(ACTIVATIONS["sigmoid"], MeanActivationPenalty(f))
    witness = certificate.failing["f_increasing"]
    assert certificate.corollary == "none" and certificate.prediction != SPARSER
    assert 0 <= witness.at < at_most and f(np.array([witness.at]))[1][0] == witness.value <= 0


def test_f_is_asked_only_where_h_can_average_to():
    """The function increases up to 1. This is enough for a sigmoid, but not for a ReLU."""
    penalty = MeanActivationPenalty(lambda rho: (2 * rho - rho**2, 2 - 2 * rho))
    assert certify(ACTIVATIONS["sigmoid"], penalty).prediction == SPARSER
    assert certify(ACTIVATIONS["relu"], penalty).failing["f_increasing"].at > 1


@given(q=st.integers(1, 4), p=st.integers(0, 5))
def test_every_power_of_the_second_family(q, p):
    certificate = certify(ACTIVATIONS["softplus"], JacobianPenalty(q, p))
    assert (certificate.corollary, certificate.prediction) == ("Cor. 2", SPARSER)
    assert certificate.penalty == {(2, 2): "CAE", (2, 4): "mDAE"}.get((q, p), f"h'^{q} ||W||^{p}")


def test_a_penalty_of_neither_family_is_left_open():
    certificate = certify(ACTIVATIONS["sigmoid"], CAE_H, name="CAE+H")
    assert (certificate.penalty, certificate.corollary, certificate.prediction) == ("CAE+H", "none", UNDETERMINED)
    assert nonzero(certificate) and "neither family" in certificate.reason


@pytest.mark.parametrize("limit", [1, 4, 16, 64])
def test_sharper_softplus_keeps_its_verdict(limit):
    assert certify(softplus_beta(limit), CAE).prediction == SPARSER


def test_a_numeric_zero_is_not_called_exact():
    assert "0 within the accuracy" in certify(lambda a: np.maximum(a, 0), CAE).reason


@pytest.mark.parametrize("penalty", [CAE, SAE, L1, MDAE])
def test_maxout_s_witness_grows_on_the_left(penalty):
    witness = maxout_left_limit.witness()
    certificate = maxout_certificate(penalty, witness)
    found = certificate.failing["zero_on_left"]
    assert maxout.forward(witness.params, found.at * witness.direction[None]).h[0, 0] == found.value == 1e4
    assert (certificate.corollary, certificate.theorem_2, certificate.prediction) == ("none", False, UNDETERMINED)


def test_json_there_and_back():
    def comes_back(*pair):
        certificate = of_pair(*pair)
        text = json.dumps(certificate.to_dict(), allow_nan=False)
        assert Certificate.from_dict(json.loads(text)) == certificate
        assert {c["name"]: c["holds"] for c in json.loads(text)["conditions"]} == holds(certificate)

    check_pairs(comes_back)


def test_bias_gradient_is_the_formula():
    a, s_e = np.linspace(-5, 5, 41), ACTIVATIONS["sigmoid"]
    h, dh_da, d2h_da2, _ = s_e(a)
    np.testing.assert_allclose(bias_gradient(s_e, CAE, a), 2 * dh_da * d2h_da2, rtol=1e-14)
    np.testing.assert_allclose(bias_gradient(s_e, SAE, a), dh_da / (1 - h), rtol=1e-14)


def test_a_notebook_shows_conditions_witness_and_prediction():
    shown = certify(ACTIVATIONS["sigmoid"], PENALTIES["CAE"])._repr_markdown_()
    assert shown.startswith("**sigmoid with CAE: ")
    assert "| condition | asked by | verdict |" in shown and "**fails**: " in shown and "Sign of dR/db: " in shown
    cells = [line.replace("\\|", "").count("|") for line in shown.splitlines() if line.startswith("|")]
    assert set(cells) == {4}


def test_picture_shows_the_jet_and_letters_every_interval():
    a = np.linspace(-2, 2, 41)
    jet = ACTIVATIONS["sigmoid"](a)
    figure = certificate_picture.certificate(a, jet, [(-1e4, -1, 0), (-1, 0.5, 1), (0.5, 9, -1), (9, 1e4, 0)], "title")
    top, strip = figure.axes
    for line, part in zip(top.get_lines(), jet[:3], strict=False):
        np.testing.assert_array_equal(line.get_ydata(), part)
    assert [text.get_text() for text in top.get_legend().get_texts()] == ["$h$", "$h'$", "$h''$"]
    letters = [(text.get_position()[0], text.get_text()) for text in strip.texts]
    assert letters == [(-1.5, "0"), (-0.25, "+"), (1.25, "\N{MINUS SIGN}")]
    plt.close(figure)


def test_penalties_go_by_name():
    assert certify("sigmoid", "CAE") == certify(ACTIVATIONS["sigmoid"], CAE)
    with pytest.raises(ValueError, match="^penalty is 'CEA'; it must be one of "):
        certify("sigmoid", "CEA")
    with pytest.raises(ValueError, match="^activation is 'sigmoyd'; it must be one of "):
        certify("sigmoyd", "CAE")


def test_a_function_keeps_its_name():
    assert certify(np.tanh, "SAE").activation == "tanh"
