"""No call changes a global random generator, and no source uses one."""

import ast
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_reproducibility import global_states

from numpy_rae import gradcheck, sparsity
from numpy_rae.activations import RELU, SIGMOID, SOFTPLUS
from numpy_rae.autoencoder import init_params
from numpy_rae.baselines import dictionary_recovery, maxout_training, sparse_coding
from numpy_rae.certificates import certificate
from numpy_rae.data import data_matrix, data_spec, images, prepared, preprocessing
from numpy_rae.experiments import sweep
from numpy_rae.experiments.run import Run
from numpy_rae.objectives import PAPER_OBJECTIVES
from numpy_rae.penalties import CAE, SAE
from numpy_rae.plotting import style, sweep_figure
from numpy_rae.registry import OBJECTIVES
from numpy_rae.storage import model_file
from numpy_rae.theory import assumption_1, monitor, theorem_3
from numpy_rae.train_config import TrainConfig
from numpy_rae.training import train

ROOT = Path(__file__).resolve().parent.parent
X = np.random.default_rng(1).standard_normal((60, 6))
X32 = X.astype(np.float32)
SHORT = TrainConfig(sigma2=0.1, hidden=5, epochs=1)
P = init_params(5, 6, np.random.default_rng(2), np.float64)


def sweep_and_draw(tmp_path, rng) -> None:
    """Run a sweep with a thread as worker, and draw its picture."""
    ref = prepared.store_array(X32, data_spec.DataSpec("digits", len(X32)))
    with ThreadPoolExecutor(1) as executor:
        runs = [Run(PAPER_OBJECTIVES["DAE"], RELU, ref, SHORT)]
        records = list(sweep.sweep(runs, executor, tmp_path / "r.jsonl"))
    style.save_picture(sweep_figure.trend(records, ["DAE"], "title"), tmp_path / "picture.png")


def save_and_load(tmp_path, rng) -> None:
    """Save a model and load it."""
    model_file.save(tmp_path / "model.npz", P, "sigmoid", replace(SHORT, dtype="float64"), "CAE")
    model_file.load(tmp_path / "model.npz")


CALLS: dict[str, Callable[[Path, np.random.Generator], object]] = {
    **{name: lambda _, rng, model=model: train(X32, model, RELU, SHORT) for name, model in OBJECTIVES.items()},
    "sweep": sweep_and_draw,
    "certify": lambda *_: certificate.certify(SOFTPLUS, CAE),
    "certify a function": lambda *_: certificate.certify(np.arctan, SAE),
    "gradcheck": lambda _, rng: gradcheck.check_gradient(
        lambda p: PAPER_OBJECTIVES["CAE"](p, SIGMOID, X, 0.1, None), P, rng
    ),
    "sparse coding": lambda _, rng: sparse_coding.fit(X, 4, 0.1, rng, iterations=2),
    "recovery": lambda _, rng: dictionary_recovery.chance(
        dictionary_recovery.mixture(50, 6, 4, 2, 0.1, rng).atoms, 4, rng
    ),
    "maxout": lambda _, rng: maxout_training.train(X, 3, 2, rng, epochs=1),
    "monitor": lambda *_: train(
        X32, PAPER_OBJECTIVES["CAE"], RELU, SHORT, monitor.Monitor(X32.mean(axis=0), RELU, 0.001, 0.9)
    ),
    "sparsity": lambda *_: sparsity.measure(P, RELU, X),
    "audit": lambda *_: assumption_1.check_assumption_1(X),
    "expected denoising": lambda *_: theorem_3.expected_denoising(P, SIGMOID, X, 0.1, nodes=2),
    "whiten": lambda *_: preprocessing.whiten(X),
    "patches": lambda *_: data_matrix.build(data_spec.DataSpec("photograph", 20)),
    "digits": lambda *_: images.load_sample(),
    "model file": save_and_load,
}


@pytest.mark.parametrize("name", CALLS)
def test_no_call_touches_the_global_generators(name, tmp_path, monkeypatch):
    monkeypatch.setenv("NUMPY_RAE_DATA", str(tmp_path))
    before = global_states()
    CALLS[name](tmp_path, np.random.default_rng(3))
    assert global_states() == before


# Names of numpy.random that take a seed or a generator. Sources may use no others.
EXPLICIT = {"Generator", "SeedSequence", "RandomState", "default_rng"}
GLOBAL = {"random", "numpy.random"}


def global_randomness(source: str) -> list[str]:
    """Return the names in a source that draw from a global generator, seed one, or make one without a seed."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names):
                found += [alias.name for alias in names if alias.name in GLOBAL]
            case ast.ImportFrom(module=str(module), names=names) if module in GLOBAL:
                found += [alias.name for alias in names if alias.name not in EXPLICIT]
            case ast.Attribute(value=ast.Attribute(value=ast.Name("np" | "numpy"), attr="random"), attr=name):
                found += [name] * (name not in EXPLICIT)
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=[], keywords=[]):
                found += [name] * (name in EXPLICIT)
    return found


@pytest.mark.parametrize("folder", [".", "numpy_rae", "examples", "benchmarks"])
def test_no_source_names_a_global_generator(folder):
    sources = sorted((ROOT / folder).glob("*.py"))
    assert sources
    assert not [(path.name, found) for path in sources if (found := global_randomness(path.read_text("utf-8")))]


FAULTS = (
    "np.random.rand(3)", "numpy.random.seed(0)", "x = np.random.standard_normal", "import random",
    "import numpy.random", "from random import shuffle", "from numpy.random import normal", "np.random.default_rng()",
    "default_rng()", "np.random.SeedSequence().spawn(3)", "np.random.RandomState().rand()",
)  # fmt: skip


@pytest.mark.parametrize("source", FAULTS)
def test_a_global_generator_is_seen_in_a_source(source):
    assert len(global_randomness(source)) == 1
