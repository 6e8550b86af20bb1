"""The command `python -m numpy_rae certify`: one certificate, the table, JSON, pictures, the user's own objects."""

import json
import sys
from pathlib import Path

import pytest

from numpy_rae.__main__ import COLUMNS, main
from numpy_rae.certificates.certificate import Certificate, certify
from numpy_rae.certificates.outside_theory import OUTSIDE
from numpy_rae.extra_activations import softplus_beta
from numpy_rae.penalties import CAE, MDAE
from numpy_rae.registry import ACTIVATIONS

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "certificate.md"


def run(capsys, *options):
    code = main(["certify", *options])
    out, err = capsys.readouterr()
    return code, out, err


def test_command_prints_the_certificate(capsys):
    code, out, err = run(capsys, "--activation", "GELU", "--penalty", "cae")
    assert (code, out, err) == (0, f"{certify(ACTIVATIONS['gelu'], CAE)}\n", "")
    assert out.startswith("gelu x CAE: undetermined\n") and "FAILS: h' is -0.1289 at a = -1.414" in out


def test_command_writes_json(capsys):
    _, out, _ = run(capsys, "--activation", "Softplus(beta=2.5)", "--penalty", "MDAE", "--json")
    assert Certificate.from_dict(json.loads(out)) == certify(softplus_beta(2.5), MDAE)


def test_command_draws(capsys, tmp_path):
    picture = tmp_path / "new" / "gelu.png"
    code, out, _ = run(capsys, "--activation", "gelu", "--penalty", "cae", "--picture", str(picture))
    assert code == 0 and out.endswith(f"picture: {picture}\n") and picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", [*OUTSIDE, "maxout"])
def test_command_says_why_what_is_outside_is(capsys, name):
    code, out, _ = run(capsys, "--activation", name, "--penalty", "SAE")
    assert code == 0 and (OUTSIDE.get(name) or "grows without bound on the left") in out
    assert run(capsys, "--activation", name, "--penalty", "SAE", "--picture", "a.png")[0] == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--activation", "foo", "--penalty", "cae"], "activation is 'foo'; it must be one of relu, sigmoid, "),
        (["--activation", "relu", "--penalty", "foo"], "penalty is 'foo'; it must be one of SAE, CAE, mDAE, "),
        (
            ["--activation", "softplus(beta=-1)", "--penalty", "cae"],
            "beta is -1.0; it must be a number in [1e-09, 1e+09]",
        ),
        (["--activation", "softplus(beta=B)", "--penalty", "cae"], "activation is 'softplus(beta=B)'; B must be"),
        (["--activation", "relu"], "penalty is not given"),
        (["--table", "--penalty", "cae"], "penalty is 'cae'; --table takes none"),
        (
            ["--activation", "relu", "--penalty", "cae", "--picture", "a.gif"],
            "picture is 'a.gif'; its name must end in",
        ),
    ],
)
def test_command_refuses_with_one_sentence_and_code_2(capsys, options, message):
    code, out, err = run(capsys, *options)
    assert (code, out) == (2, "") and err.startswith(f"numpy_rae: {message}") and err.count("\n") == 1


OWN = """
import numpy as np
from numpy_rae.activations import SOFTPLUS
from numpy_rae.penalties import JacobianPenalty

class Slope(JacobianPenalty):
    def __init__(self):
        super().__init__(1, 0)

slope = Slope()
def squareplus(a):
    return (a + np.sqrt(a * a + 1)) / 2
number = 3
class Broken:
    def __init__(self):
        raise OSError("no file")
"""


@pytest.fixture
def own_module(tmp_path, monkeypatch):
    """Write a module of the user into the current folder."""
    (tmp_path / "own_theory.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    yield
    sys.modules.pop("own_theory", None)


@pytest.mark.parametrize("penalty", ["own_theory:Slope", "own_theory:slope"])
def test_command_certifies_the_users_own(capsys, own_module, penalty):
    code, out, _ = run(capsys, "--activation", "own_theory:squareplus", "--penalty", penalty, "--picture", "own.svg")
    assert code == 0 and out.startswith("squareplus x ") and "sparser with lambda" in out.splitlines()[0]
    assert Path("own.svg").read_bytes().startswith(b"<?xml")
    code, out, _ = run(capsys, "--activation", "own_theory:SOFTPLUS", "--penalty", "cae", "--json")
    assert code == 0 and json.loads(out)["activation"] == "softplus"


@pytest.mark.parametrize(
    ("option", "name", "message"),
    [
        (
            "activation",
            "nowhere:f",
            "'nowhere:f', which cannot be loaded: ModuleNotFoundError: No module named 'nowhere'",
        ),
        ("activation", "own_theory:nothing", "'own_theory:nothing'; module own_theory has no 'nothing'"),
        ("activation", "own_theory:number", "'own_theory:number', a int; it must be an Activation or a function"),
        ("activation", ":f", "':f'; it must be a known name, or module:name of your own"),
        ("penalty", "own_theory:", "'own_theory:'; it must be a known name, or module:name of your own"),
        (
            "penalty",
            "own_theory:squareplus",
            "'own_theory:squareplus', a function; it must have value_and_grad, as a penalty",
        ),
        ("penalty", "own_theory:Broken", "'own_theory:Broken', which cannot be loaded: OSError: no file"),
    ],
)
def test_what_is_no_activation_or_penalty_is_one_sentence(capsys, own_module, option, name, message):
    given = {"activation": "relu", "penalty": "cae", option: name}
    code, out, err = run(capsys, "--activation", given["activation"], "--penalty", given["penalty"])
    assert (code, out) == (2, "") and err.startswith(f"numpy_rae: {option} is {message}") and err.count("\n") == 1


def test_the_document_has_the_table_that_the_command_prints(capsys):
    code, out, _ = run(capsys, "--table")
    assert code == 0 and out in DOCUMENT.read_text(), "run: python -m numpy_rae certify --table"
    for name in [*ACTIVATIONS, "softplus(beta=16)", "maxout"]:
        assert out.count(f"| {name} |") == 1
    assert all(reason in out for reason in OUTSIDE.values())


def test_table_as_json_has_every_pair(capsys):
    entries = [Certificate.from_dict(entry) for entry in json.loads(run(capsys, "--table", "--json")[1])]
    assert {(e.activation, e.penalty) for e in entries} >= {(s_e, R) for s_e in ACTIVATIONS for R in COLUMNS}
    assert len(entries) == 5 * (len(ACTIVATIONS) + 2)
