"""The walkthrough's lines name their sources, its differences agree with the gradients, and a wrong gradient shows."""

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import example_scripts
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
GRADIENTS = ["h'", "h''", "dR/da", "dR/d(len2)", "g_y", "g_h", "g_a", "g_W", "g_b_e"]
DERIVATION = r"der\. \d+( \([a-f]\))?"
SOURCE = re.compile(rf"(Eq\. \(\d+\)|Sec\. 2|Cor\. 2)(, {DERIVATION})?|{DERIVATION}")
VERDICT = re.compile(r"largest difference: (\S+), of (\S+); (.*)")


@pytest.fixture
def script():
    """A copy of its own, so that a fault can be planted in it."""
    return example_scripts.load("gradient_walkthrough")


def name(step):
    return step.name.split()[0]


def wrong(script):
    return [name(step) for step in script.steps() if not all(check.passed for check in script.differences(step))]


def test_every_gradient_has_a_difference_and_nothing_else_has(script):
    assert [name(step) for step in script.steps() if step.f is not None] == GRADIENTS
    for step in script.steps():
        checks = script.differences(step)
        assert len(checks) == (np.size(step.value) if step.f else 0)
        assert all(check.passed for check in checks), step.name


def test_the_lines_are_the_backward_pass_of_the_model(script):
    J, gradient = script.OBJECTIVES["CAE"](script.PARAMS, script.SOFTPLUS, script.X, script.LAM, None)
    values = {name(step): step.value for step in script.steps()}
    assert values["J"] == J
    for key, part in zip(("g_W", "g_b_e"), gradient.dense(script.PARAMS), strict=True):
        np.testing.assert_array_equal(values[key], part)


def test_sources_are_in_the_derivations_or_the_paper(script):
    sections = re.split(r"^## (\d+) ", (ROOT / "docs" / "derivations.md").read_text(), flags=re.MULTILINE)
    sections = dict(zip(sections[1::2], sections[2::2], strict=True))
    for step in script.steps():
        assert SOURCE.fullmatch(step.source), step.source
        for section, letter in re.findall(r"der\. (\d+)(?: (\([a-f]\)))?", step.source):
            assert f"- {letter}" in sections[section] if letter else sections[section]


def test_printed_values_and_differences_agree(script, capsys):
    assert script.main([]) == 0
    head, *lines, last = capsys.readouterr().out.splitlines()
    assert head.split() == ["step", "equation", "name", "shape", "value", "finite", "difference"]
    at, half = head.index("value"), head.index("finite")
    numbers = [[re.findall(r"-?\d+\.\d+", part) for part in (line[at:half], line[half:])] for line in lines]
    compared = [(float(v), float(d)) for values, found in numbers if found for v, d in zip(values, found, strict=True)]
    sizes = {name(step): np.size(step.value) for step in script.steps()}
    assert len(compared) == sum(sizes[key] for key in GRADIENTS)
    # One unit of the last digit, since either may be rounded.
    assert max(abs(value - found) for value, found in compared) < 1.5e-6
    largest, of, verdict = VERDICT.fullmatch(last).groups()
    apart = {name(step): max(map(script.distance, script.differences(step))) for step in script.steps() if step.f}
    assert largest == f"{max(apart.values()):.1e}" and apart[of] == max(apart.values()) and "WRONG" not in verdict


@pytest.mark.parametrize("which", GRADIENTS)
def test_a_millionth_off_shows(script, which):
    (step,) = (step for step in script.steps() if name(step) == which)
    for entry in np.ndindex(step.value.shape):
        value = step.value.copy()
        value[entry] *= 1 + 1e-6
        checks = script.differences(step._replace(value=value))
        assert [check.passed for check in checks].count(False) == 1


def faulty_jet(script, part):
    def jet(a, order=3):
        right = script_jet(a, order)
        return right._replace(**{part: getattr(right, part) * 1.01})

    script_jet = script.SOFTPLUS.jet
    return {"SOFTPLUS": replace(script.SOFTPLUS, jet=jet)}


def faulty_penalty(script, part):
    def value_and_grad(params, activation, fwd, rng=None):
        R, grad = right(params, activation, fwd)
        return R, grad._replace(**{part: getattr(grad, part) * 1.01})

    right = script.CAE.value_and_grad
    return {"CAE": SimpleNamespace(value_and_grad=value_and_grad, order=2)}


def faulty_reconstruction(script):
    right = script.reconstruction
    return {"reconstruction": lambda y, x: (right(y, x)[0], right(y, x)[1] * 1.01)}


def faulty_backward(script, change):
    right = script.backward
    return {"backward": lambda *given: change(right(*given))}


def scaled_code(gradient):
    (g_a, x), (h, g_y) = gradient.factors
    return gradient._replace(factors=((g_a * 1.01, x), (h, g_y)))


FAULTS = {
    "h'": lambda s: faulty_jet(s, "dh_da"),
    "h''": lambda s: faulty_jet(s, "d2h_da2"),
    "dR/da": lambda s: faulty_penalty(s, "dR_da"),
    "dR/d(len2)": lambda s: faulty_penalty(s, "dR_dlen2"),
    "g_y": faulty_reconstruction,
    "g_h": lambda s: faulty_backward(s, scaled_code),
    "g_a": lambda s: faulty_backward(s, lambda g: scaled_code(g) if g.row_scale is not None else g),
    "g_W": lambda s: faulty_backward(s, lambda g: g._replace(row_scale=None)),
    "g_b_e": lambda s: faulty_backward(s, lambda g: g._replace(g_b_e=g.g_b_e * 1.01)),
}


@pytest.mark.parametrize("where", FAULTS)
def test_the_first_line_that_disagrees_is_where_the_fault_is(script, where, monkeypatch, capsys):
    for attribute, value in FAULTS[where](script).items():
        monkeypatch.setattr(script, attribute, value)
    assert wrong(script)[0] == where
    assert script.main([]) == 1
    said = VERDICT.fullmatch(capsys.readouterr().out.splitlines()[-1])[3]
    assert said == f"WRONG: {', '.join(wrong(script))}"
