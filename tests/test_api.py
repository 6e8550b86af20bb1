"""`import numpy_rae as rae`: one table lists the exports, which are loaded at their first use."""

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import numpy_rae as rae

SOURCE = ast.parse(Path(rae.__file__).read_text(encoding="utf-8"))
NAMES = [name for name in rae.__all__ if name != "__version__"]
HEAVY = ("numpy", "scipy", "matplotlib", "sklearn", "distributed", "pandas")


def type_checking_imports():
    """Return {public name: (module, name in it)} of the block for type checkers."""
    block = next(node for node in SOURCE.body if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
    return {
        alias.asname: (node.module.removeprefix("numpy_rae."), alias.name)
        for node in block.body
        for alias in node.names
    }


def test_the_import_loads_nothing_heavy():
    code = f"import sys, numpy_rae; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_type_checkers_see_the_table_of_exports():
    assert type_checking_imports() == rae._EXPORTS


def test_all_and_dir_are_the_table_of_exports():
    assert set(NAMES) == set(rae._EXPORTS)
    assert set(rae.__all__) <= set(dir(rae))


@pytest.mark.parametrize("name", NAMES)
def test_every_name_loads_and_has_a_docstring(name):
    if name == "SparseAutoEncoder":
        pytest.importorskip("sklearn")
    value = getattr(rae, name)
    assert isinstance(value, dict) or (value.__doc__ and value.__doc__.strip())


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="^module 'numpy_rae' has no attribute 'nothing'$"):
        rae.nothing  # noqa: B018


def test_activations_and_objectives_go_by_name():
    x = rae.load_digits(60)[:, ::16].copy()
    config = rae.TrainConfig(hidden=4, epochs=1, batch_size=20, sigma2=0.1)
    by_name = rae.train(x, "CAE", "softplus", config)
    by_value = rae.train(x, rae.OBJECTIVES["CAE"], rae.ACTIVATIONS["softplus"], config)
    assert (by_name.params.W == by_value.params.W).all()
    assert (
        rae.measure(by_name.params, "softplus", x).loss
        == rae.measure(by_value.params, rae.ACTIVATIONS["softplus"], x).loss
    )
    assert (
        rae.certify("softplus", "CAE").prediction
        == rae.certify(rae.ACTIVATIONS["softplus"], rae.PENALTIES["CAE"]).prediction
    )


@pytest.mark.parametrize(
    "call", [lambda x, c: rae.train(x, "CEA", "relu", c), lambda x, c: rae.train(x, "CAE", "rleu", c)]
)
def test_an_unknown_activation_or_objective_is_one_sentence(call):
    with pytest.raises(ValueError, match=r"^(objective|activation) is '(CEA|rleu)'; it must be one of "):
        call(rae.load_digits(10), rae.TrainConfig(hidden=2, epochs=1))


def test_load_digits_is_standardised_with_the_offset_of_footnote_2():
    x = rae.load_digits(5000)
    assert x.shape == (5000, 784) and x.dtype == np.float32
    assert np.abs(x.mean(axis=0)).max() < 1e-5 and x.std(axis=0).max() < 1
