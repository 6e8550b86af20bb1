"""Every public function gets one wrong argument and must give a good result or one sentence that explains the error.

A function is public if a user calls it with data or numbers. Public functions check their arguments. Not public are:

- the parts of these functions (`PARTS`),
- functions that run at every step, with arguments that `train` has checked (`STEP`),
- functions that only read what the package itself has returned (`READS_OWN`),
- the driver of the scripts. Users call it by the command line (test_bad_options.py).

Every new function must be in one of these tables.
"""

import inspect
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from many_cases import check_all

import numpy_rae
from numpy_rae import (
    extra_activations,
    gradcheck,
    metrics,
    numerical_activations,
    penalties,
    sparsity,
    taylor_penalties,
    training,
)
from numpy_rae.activations import RELU, SIGMOID, SOFTPLUS, Activation
from numpy_rae.autoencoder import Params, init_params
from numpy_rae.baselines import (
    dictionary_recovery,
    maxout,
    maxout_left_limit,
    maxout_training,
    sparse_codes,
    sparse_coding,
)
from numpy_rae.certificates import certificate
from numpy_rae.dae_noise import kernel_cae, noise_variants, stein
from numpy_rae.data import data_matrix, data_spec, digits, folders, image_formats, images, preprocessing, sources
from numpy_rae.objectives import PAPER_OBJECTIVES, ae, sae_continued
from numpy_rae.penalties import CAE, SAE
from numpy_rae.registry import ACTIVATIONS, OBJECTIVES
from numpy_rae.row_norms import directions
from numpy_rae.storage import model_file
from numpy_rae.theory import assumption_1, lemma_1, monitor, theorem_1, theorem_2, theorem_3
from numpy_rae.train_config import TrainConfig


@pytest.fixture(scope="module", autouse=True)
def data_folder(tmp_path_factory):
    """Use a new data folder without data sets, and a new working folder for files that the functions write."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NUMPY_RAE_DATA", str(tmp_path_factory.mktemp("data")))
        patch.chdir(tmp_path_factory.mktemp("here"))
        yield


# Valid calls: each function returns the keyword arguments for float32 or float64 data of N samples, n features and m
# units.


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def matrix(dtype, *shape) -> np.ndarray:
    return rng().standard_normal(shape).astype(dtype)


def params(dtype, m, n) -> Params:
    return Params(matrix(dtype, m, n), matrix(dtype, m))


def unit(dtype, m, n) -> np.ndarray:
    return directions(matrix(np.float64, m, n)).astype(dtype)


def square(vector):
    return float(vector @ vector), 2 * vector


def objective(here):
    return ae(here, SIGMOID, np.ones((3, here.W.shape[1])))


def maxout_params(dtype, m, n):
    return maxout.MaxoutParams(matrix(dtype, m, 2, n), matrix(dtype, m, 2))


def config(dtype, m, **more):
    return TrainConfig(**{"hidden": m, "epochs": 2, "batch_size": 4, "dtype": np.dtype(dtype).name, **more})


@dataclass(frozen=True)
class Case:
    """A function, a valid call, a check of its result, and the documented error.

    `dtype` says that arrays in the result have the data's dtype. `nan` names the parts of a result that may be NaN, and
    `inf` says that a bound may be infinite. The arguments `kept` are not changed. A message may have one of `names`
    instead of an argument's name.
    """

    function: Callable
    valid: Callable[[type, int, int, int], dict[str, Any]]
    good: Callable[..., bool] = lambda result, **given: True
    error: type[Exception] = ValueError
    nan: tuple[str, ...] = ()
    inf: bool = False
    dtype: bool = False
    kept: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.function.__module__.removeprefix('numpy_rae.')}.{self.function.__qualname__}"


def standard(result, x, std_offset):
    return (result[:, x.min(axis=0) == x.max(axis=0)] == 0).all() and np.abs(result).max() <= len(x) ** 0.5 * 1.001


def white(result, x):
    covariance = result.astype(float).T @ result / len(x)
    return np.abs(covariance - np.eye(result.shape[1])).max() < 1e-3


def shape(name: str, *axes: str):
    """Return a check that the result has the shape of these axes of the argument."""
    return lambda result, **given: np.shape(result) == np.shape(given[name])[: len(axes)]


def ended(result, **given):
    """Return whether parameters and metrics are finite. A run that says that it diverged must have no metrics."""
    finite = np.isfinite(result.params.W).all() and np.isfinite(result.params.b_e).all()
    return (finite and all(map(math.isfinite, result.metrics.values()))) if not result.diverged else not result.metrics


def fitted(result, x, **given):
    lengths = np.linalg.norm(result.W.astype(float), axis=1)
    return np.abs(lengths - 1).max() < 1e-3 and all(map(math.isfinite, result.history))


CASES = [
    Case(preprocessing.as_rows, lambda d, N, n, m: {"images": np.full((N, n, m), 7, np.uint8)},
         lambda result, images: result.min() >= 0 and result.max() <= 1),
    Case(preprocessing.standardise, lambda d, N, n, m: {"x": matrix(d, N, n), "std_offset": 0.1}, standard, dtype=True),
    Case(preprocessing.whiten, lambda d, N, n, m: {"x": matrix(d, N + n, n)}, white, dtype=True),
    Case(preprocessing.crop_patches,
         lambda d, N, n, m: {"images": np.full((N, 1, 3, 3), 7, np.uint8), "count": m, "size": 2, "rng": rng()},
         lambda result, images, count, size, rng: result.shape == (count, images.shape[1], size, size)),
    Case(assumption_1.check_assumption_1, lambda d, N, n, m: {"x": matrix(d, N, n)}),
    Case(assumption_1.residual_moments, lambda d, N, n, m: {"r": matrix(d, N, n)}, nan=("skewness", "kurtosis")),
    Case(lemma_1.sigma_r, lambda d, N, n, m: {"r": matrix(d, N, n)},
         lambda result, r: result <= np.abs(r).max() * 1.001 and (result > 0) == r.any()),
    Case(lemma_1.lemma_1_bound, lambda d, N, n, m: {"W": matrix(d, m, n), "r": matrix(d, N, n)}, inf=True, dtype=True),
    Case(lemma_1.lemma_1_bound_free, lambda d, N, n, m: {"W": matrix(d, m, n), "r": matrix(d, N, n)},
         inf=True, dtype=True),
    Case(lemma_1.lemma_1_bound_gaussian, lambda d, N, n, m: {"W": matrix(d, m, n), "sigma_r": 0.3},
         inf=True, dtype=True),
    Case(theorem_1.reconstruction_bias_gradient,
         lambda d, N, n, m: {"params": params(d, m, n), "activation": SIGMOID, "x": matrix(d, N, n)}, dtype=True),
    Case(theorem_1.penalty_bias_gradient, lambda d, N, n, m: {
        "penalty": CAE, "params": params(d, m, n), "activation": SIGMOID, "x": matrix(d, N, n)}, dtype=True),
    Case(theorem_1.bias_gradient_at, lambda d, N, n, m: {"penalty": SAE, "activation": SOFTPLUS, "a": matrix(d, N)},
         shape("a", "N")),
    Case(theorem_1.theorem_1_holds, lambda d, N, n, m: {"lam": 0.5, "dR_db": matrix(d, m), "bound": np.ones(m, d)},
         lambda result, lam, dR_db, bound: result.dtype == bool and result.shape == bound.shape),
    Case(theorem_1.sufficient_lambda, lambda d, N, n, m: {"dR_db": np.ones(m, d), "bound": np.ones(m, d), "margin": 1.5},
         lambda result, **given: result > 0),
    Case(theorem_1.predicted_mean_preactivation,
         lambda d, N, n, m: {"mean_a": matrix(d, m), "eta": 0.1, "dJ_db": matrix(d, m)}, shape("mean_a", "m"),
         dtype=True),
    Case(theorem_2.activation_threshold, lambda d, N, n, m: {"activation": SIGMOID, "delta_min": 0.2}, inf=True),
    Case(theorem_2.theorem_2_bound, lambda d, N, n, m: {"mean_a": matrix(d, m), "tau": 0.5, "c": 1.0},
         lambda result, **given: (result >= 0).all() and (result <= 1).all()),
    Case(theorem_3.expected_denoising, lambda d, N, n, m: {
        "params": params(d, m, 2), "activation": SIGMOID, "x": matrix(d, N, 2), "sigma": 0.1, "nodes": 3}),
    Case(metrics.measure,
         lambda d, N, n, m: {"params": params(d, m, n), "activation": SIGMOID, "x": matrix(d, N, n)},
         lambda result, params, **given: result.active.shape == (len(params.W),) and (result.active <= 1).all(),
         nan=("mean_a", "var_a", "loss"), inf=True),
    Case(sparsity.measure, lambda d, N, n, m: {"params": params(d, m, n), "activation": RELU, "x": matrix(d, N, n)},
         nan=("hoyer", "explained_variance", "largest", "mean")),
    Case(sparsity.hoyer, lambda d, N, n, m: {"h": matrix(d, N, m)}, shape("h", "N"), nan=("",)),
    Case(sparsity.explained_variance, lambda d, N, n, m: {"loss": 0.3, "x": matrix(d, N, n)},
         lambda result, **given: not result > 1, nan=("",)),
    Case(sparsity.total_variance, lambda d, N, n, m: {"x": matrix(d, N, n)}, lambda result, x: result >= 0),
    Case(directions, lambda d, N, n, m: {"W": matrix(d, m, n)},
         lambda result, W: np.allclose(np.linalg.norm(result, axis=1), W.any(axis=1), atol=1e-3), dtype=True),
    Case(sparsity.coherence, lambda d, N, n, m: {"W": matrix(d, m, n)}, nan=("largest", "mean")),
    Case(dictionary_recovery.mixture, lambda d, N, n, m: {
        "N": N, "n": n, "m": m, "active": 1, "noise": 0.1, "rng": rng(), "dtype": d}),
    Case(dictionary_recovery.found, lambda d, N, n, m: {"W": matrix(d, m, n), "atoms": matrix(d, N, n)},
         lambda result, W, atoms: len(result) == len(atoms) and (result >= 0).all() and (result <= 1).all()),
    Case(dictionary_recovery.score, lambda d, N, n, m: {"W": matrix(d, m, n), "atoms": matrix(d, N, n)}),
    Case(dictionary_recovery.chance, lambda d, N, n, m: {"atoms": matrix(d, m, n), "k": N, "rng": rng(), "draws": 2}),
    Case(gradcheck.check_gradient, lambda d, N, n, m: {
        "value_and_grad": objective, "params": params(np.float64, m, n), "rng": rng(), "directions": 2},
        names=("point", "f")),
    Case(gradcheck.taylor_slope, lambda d, N, n, m: {
        "f": square, "point": matrix(np.float64, n), "direction": np.ones(n), "steps": np.array([0.1, 0.05, 0.01])},
        inf=True, nan=("*",)),
    Case(gradcheck.directional, lambda d, N, n, m: {
        "f": square, "point": matrix(np.float64, n), "direction": np.ones(n), "step": 1e-3}),
    Case(maxout.init_params, lambda d, N, n, m: {"m": m, "k": 2, "n": n, "rng": rng(), "dtype": d}, dtype=True),
    Case(maxout_training.train, lambda d, N, n, m: {"x": matrix(d, N, n), "m": m, "k": 2, "rng": rng(), "epochs": 2, "eta": 0.01,
         "momentum": 0.5, "batch_size": 4},
         lambda result, **given: result.diverged or np.isfinite(result.history).all(),
         nan=("W", "b_e"), inf=True),
    Case(maxout_left_limit.left_limit, lambda d, N, n, m: {"params": maxout_params(d, m, n), "direction": matrix(d, n)}, inf=True),
    Case(maxout_left_limit.witness, lambda d, N, n, m: {"dtype": d}, inf=True),
    Case(init_params, lambda d, N, n, m: {"m": m, "n": n, "rng": rng(), "dtype": d}, dtype=True),
    Case(sparse_codes.encode, lambda d, N, n, m: {
        "W": unit(d, m, n), "x": matrix(d, N, n), "lam": 0.3, "non_negative": True, "tol": 1e-3, "max_iterations": 9,
        "start": np.ones((N, m), d)}, dtype=True, kept=("non_negative",)),
    Case(sparse_coding.fit, lambda d, N, n, m: {
        "x": matrix(d, N, n), "m": m, "lam": 0.3, "rng": rng(), "iterations": 2, "tol": 1e-3, "max_iterations": 9},
        fitted, dtype=True),
    Case(training.train, lambda d, N, n, m: {
        "x": matrix(d, N, n), "objective": PAPER_OBJECTIVES["CAE"], "activation": SIGMOID, "config": config(d, m)}, ended,
        nan=("W", "b_e", "*"), inf=True),
    Case(TrainConfig, lambda d, N, n, m: {
        "sigma2": 0.1, "seed": 1, "hidden": m, "batch_size": 5, "epochs": 2, "eta": 0.01, "momentum": 0.9,
        "constraint": "max-norm", "radius": 1.0, "tangent": True, "dtype": np.dtype(d).name}),
    Case(monitor.Monitor, lambda d, N, n, m: {
        "mean_x": matrix(d, n), "activation": SIGMOID, "eta": 0.1, "momentum": 0.9, "every": 3}),
    Case(extra_activations.softplus_beta, lambda d, N, n, m: {"beta": 2.0}),
    Case(stein.denoising_sides, lambda d, N, n, m: {
        "params": params(d, m, n), "activation": SIGMOID, "x": matrix(d, N, n), "eps": matrix(d, N, n), "sigma2": 0.1},
        dtype=True),
    Case(stein.level_sides, lambda d, N, n, m: {
        "params": params(d, m, n), "activation": SIGMOID, "x": matrix(d, N, n), "S": np.eye(n, dtype=d)}, dtype=True),
    Case(kernel_cae.KernelPenalty, lambda d, N, n, m: {"bandwidth": 0.5, "p": 2}),
    Case(noise_variants.Copies, lambda d, N, n, m: {"K": 3}),
    Case(penalties.JacobianPenalty, lambda d, N, n, m: {"q": 2, "p": 1}),
    Case(penalties.MeanActivationPenalty, lambda d, N, n, m: {"f": penalties.identity, "domain": (-1.0, 1.0)},
         inf=True),
    Case(penalties.sae_with_target, lambda d, N, n, m: {"rho_0": 0.1, "eps": 0.01}),
    Case(penalties.sae, lambda d, N, n, m: {"eps": 0.01}, inf=True),
    Case(sae_continued, lambda d, N, n, m: {"eps": 0.01}, inf=True),
    Case(taylor_penalties.HessianTerm, lambda d, N, n, m: {"noise": 0.1}),
    Case(numerical_activations.from_callable, lambda d, N, n, m: {
        "name": "mine", "f": np.tanh, "delta_min": 0.2, "kinks": (0.5,)}, kept=("name",), names=("mine",)),
    Case(certificate.certify, lambda d, N, n, m: {"activation": RELU, "penalty": CAE}, inf=True),
    Case(data_spec.DataSpec, lambda d, N, n, m: {
        "source": "digits", "count": N, "std_offset": 0.1, "seed": 1, "path": "images.npy"}),
    Case(data_matrix.build, lambda d, N, n, m: {"spec": data_spec.DataSpec("digits", N, 0.1)},
         lambda result, spec: result.shape == (spec.count, 784)),
    Case(model_file.save, lambda d, N, n, m: {
        "path": "/dev/null/model.npz", "params": params(d, m, n), "activation": "relu", "config": config(d, m),
        "model": "CAE", "notes": {}}),
    Case(model_file.load, lambda d, N, n, m: {"path": "no such model.npz"}, names=("model file",)),
    Case(folders.data_folder, lambda d, N, n, m: {"folder": "x"}, error=folders.DataError),
    Case(images.load_mnist, lambda d, N, n, m: {"split": "test", "folder": "no such folder"},
         error=folders.DataError, names=(sources.MNIST[2].name,)),
    Case(images.load_cifar10, lambda d, N, n, m: {"folder": "no such folder"}, error=folders.DataError,
         names=(sources.CIFAR10.name,)),
    Case(image_formats.load_images, lambda d, N, n, m: {"path": "no such file"}, error=folders.DataError),
    Case(digits.load_digits, lambda d, N, n, m: {"count": N}),
    Case(image_formats.parse_idx, lambda d, N, n, m: {"content": b"\0\0\x08\x01\0\0\0\x01x"}, error=folders.DataError),
]  # fmt: skip

# Changes to an argument.

MAX = {np.dtype(np.float32): 3e38, np.dtype(np.float64): 1e308}
TINY = {np.dtype(np.float32): 1e-45, np.dtype(np.float64): 5e-324}
ENTRIES = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def entry(value):
    def put(x, draw):
        x = x.copy()
        x.flat[draw(st.integers(0, x.size - 1))] = value(x) if callable(value) else value
        return x

    return put


def strided(x, draw):
    return np.repeat(x, 2, axis=-1)[..., ::2]


def read_only(x, draw):
    x = x.copy()
    x.flags.writeable = False
    return x


SAME_SHAPE = {
    **{name: entry(value) for name, value in ENTRIES.items()},
    "largest": entry(lambda x: MAX[x.dtype]),
    "subnormal": entry(lambda x: TINY[x.dtype]),
    "all largest": lambda x, draw: np.full_like(x, MAX[x.dtype]),
    "largest of both signs": lambda x, draw: np.copysign(MAX[x.dtype], x).astype(x.dtype),
    "all subnormal": lambda x, draw: np.copysign(TINY[x.dtype], x).astype(x.dtype),
    "tiny": lambda x, draw: x * x.dtype.type(1e-30),
    "zeros": lambda x, draw: np.zeros_like(x),
    "constant": lambda x, draw: np.full_like(x, 0.1),
    "constant features": lambda x, draw: np.broadcast_to(x[:1], x.shape),
    "duplicated rows": lambda x, draw: x[np.arange(len(x)) // 2],
    "strided": strided,
    "reversed": lambda x, draw: x[::-1],
    "Fortran": lambda x, draw: np.asfortranarray(x),
    "read-only": read_only,
}
OTHERS = {
    **{f"dtype {kind}": (lambda kind: lambda x, draw: np.nan_to_num(x).astype(kind))(kind)  # noqa: B023
       for kind in ("i8", "?", "f2", "c16", "O", "U9", ">f8", "f4", "f8")},
    "empty": lambda x, draw: x[:0],
    "no columns": lambda x, draw: x[..., :0],
    "one sample": lambda x, draw: x[:1],
    "one column": lambda x, draw: x[..., :1],
    "one row more": lambda x, draw: np.concatenate([x, x[:1]]),
    "an axis less": lambda x, draw: x[0],
    "an axis more": lambda x, draw: x[None],
    "a number": lambda x, draw: x.dtype.type(1),
    "a list": lambda x, draw: x.tolist(),
    "a masked array": lambda x, draw: np.ma.masked_array(x, np.zeros(x.shape, bool)),
    "None": lambda x, draw: None,
}  # fmt: skip
NUMBERS = [0, 0.0, -0.0, 1, -1, 0.5, 1.5, 1e308, -1e308, 5e-324, 1e-60, math.nan, math.inf, -math.inf, None, "1", True,
           1j, np.float32(0.5), np.float64(0.25), np.int8(3), np.ones(1), [1], 10**400]  # fmt: skip
# A count above all memory is not tested: the caller may choose it.
COUNTS = [number for number in NUMBERS if number is not NUMBERS[-1]]
OBJECTS = [None, "x", 0, 1.5, object(), [], {}, (), b"x", np.zeros(2)]


def spoiled(value, draw):
    """Return `value` changed in one way that fits its type."""
    if isinstance(value, np.ndarray):
        ways = OTHERS | (SAME_SHAPE if value.dtype in MAX else {})
        way = draw(st.sampled_from(sorted(ways)))
        return ways[way](value, draw)
    if isinstance(value, tuple) and hasattr(value, "_fields") and draw(st.integers(0, 3)):
        part = draw(st.sampled_from(value._fields))
        return value._replace(**{part: spoiled(getattr(value, part), draw)})
    if isinstance(value, TrainConfig) and draw(st.booleans()):
        change = st.sampled_from([{"sigma2": 1e308}, {"eta": 1e308}, {"eta": 5e-324}, {"batch_size": 10**9},
                                  {"hidden": 50}, {"constraint": "max-norm", "radius": 1e308},
                                  {"constraint": "max-norm", "radius": 5e-324}, {"tangent": True}])  # fmt: skip
        return TrainConfig(**{**vars(value), **draw(change)})
    if isinstance(value, Activation):
        return draw(st.sampled_from([*ACTIVATIONS.values(), *OBJECTS]))
    if isinstance(value, int) and not isinstance(value, bool):
        return draw(st.sampled_from(COUNTS))
    if isinstance(value, float):
        return draw(st.sampled_from(NUMBERS))
    return draw(st.sampled_from(OBJECTS))


def parts(result, name=""):
    """Yield (name, value) of every array and number in a result."""
    if isinstance(result, np.ndarray | float | int | np.generic) or result is None:
        yield name, result
    elif is_dataclass(result):
        for field in fields(result):
            yield from parts(getattr(result, field.name), field.name)
    elif hasattr(result, "_fields"):
        for field in result._fields:
            yield from parts(getattr(result, field), field)
    elif isinstance(result, tuple | list):
        for value in result:
            yield from parts(value, name)


def frozen(given: dict) -> list[bytes]:
    return [value.tobytes() for _, value in parts(tuple(given.values())) if isinstance(value, np.ndarray)]


def names(case: Case, given: dict) -> set[str]:
    """Return the names that a message may have: the arguments, and the fields of named tuples."""
    inside = {field for value in given.values() for field in getattr(value, "_fields", ())}
    return set(given) | inside | set(case.names) | {f"{name} {part}" for name in given for part in inside}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@given(data=st.data())
def test_a_spoiled_argument_gives_a_good_result_or_one_sentence(case, data):
    dtype = data.draw(st.sampled_from([np.float32, np.float64]), label="dtype")
    N, n, m = (data.draw(st.sampled_from([1, 2, 3, 9]), label=name) for name in "Nnm")
    arguments = case.valid(dtype, N, n, m)
    wrong = data.draw(st.sampled_from(sorted(set(arguments) - set(case.kept))), label="spoiled")
    arguments[wrong] = spoiled(arguments[wrong], data.draw)
    before = frozen(arguments)
    try:
        result = case.function(**arguments)
    except case.error as error:
        said = str(error)
        assert type(error) in (case.error, model_file.ModelFileError, folders.DataError), said
        assert "\n" not in said and any(re.search(rf"\b{name}\b", said) for name in names(case, arguments)), said
    else:
        assert case.good(result, **arguments)
        for name, value in parts(result):
            check_part(case, name, value, arguments)
    assert frozen(arguments) == before


def check_part(case: Case, name: str, value, arguments: dict) -> None:
    """Check that the value is not NaN, except where the docstring allows it, and that it has the dtype of the data."""
    if value is None or np.asarray(value).dtype.kind not in "fc":
        return
    assert "*" in case.nan or name in case.nan or not np.isnan(value).any(), name
    assert case.inf or name in case.nan or np.isfinite(value).all(), name
    data = [part.dtype for _, part in parts(tuple(arguments.values())) if isinstance(part, np.ndarray)]
    if case.dtype and isinstance(value, np.ndarray) and data and name != "gap":
        assert value.dtype in data


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_valid_calls_are_valid(dtype):
    """A valid call must succeed, or the error must say that the data are missing."""
    check_all(call_validly, {case.name: (case, dtype) for case in CASES})


def call_validly(case, dtype):
    try:
        case.function(**case.valid(dtype, 9, 3, 2))
    except case.error as error:
        assert "no such" in str(error) or "cannot be" in str(error)


# Objectives are public, too. They are called at every step, so they check only sigma2 and the shape and dtype of x.

NUMBER_OR_NOT = st.sampled_from(NUMBERS)
OTHER_SHAPES = st.sampled_from(sorted(set(OTHERS) - {"one sample", "one row more", "dtype f4", "dtype f8"}))


@pytest.mark.parametrize("model", OBJECTIVES.values(), ids=lambda model: model.name)
@given(data=st.data())
def test_objectives_refuse_what_does_not_fit(model, data):
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    x = OTHERS[data.draw(OTHER_SHAPES)](matrix(dtype, 5, 3), data.draw)
    with pytest.raises(ValueError, match="^x is .*; it must be a float(32|64) array of shape"):
        model(params(dtype, 4, 3), RELU, x, 0.1, rng())
    sigma2 = data.draw(NUMBER_OR_NOT)
    with np.errstate(over="ignore", invalid="ignore"):  # as in training, in which J shows an overflow
        try:
            J, grad = model(params(dtype, 4, 3), RELU, matrix(dtype, 5, 3), sigma2, rng())
        except ValueError as error:
            assert re.match("sigma2 is .*; it must be a number in", str(error))
        else:
            assert math.isfinite(sigma2) and sigma2 >= 0 and isinstance(J, float)
            assert [part.shape for part in grad.dense(params(dtype, 4, 3))] == [(4, 3), (4,)]
            assert math.isfinite(J) or sigma2 > 1e30


@pytest.mark.parametrize("s_e", [*ACTIVATIONS.values(), extra_activations.softplus_beta(1e9)], ids=lambda s: s.name)
@given(data=st.data())
def test_jets_are_finite_out_to_the_largest_numbers(s_e, data):
    """The values have the shape and dtype of a, and there is no warning. Only a square may overflow."""
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    largest = float(np.finfo(dtype).max) ** (0.49 if s_e.name == "squared_relu" else 0.7 if "beta" in s_e.name else 1)
    sizes = st.sampled_from([0.0, TINY[np.dtype(dtype)], 1e-30, 0.1, 20.0, 90.0, 800.0, 1e10, 0.99 * largest])
    a = np.array([data.draw(st.lists(sizes, min_size=1))], dtype) * data.draw(st.sampled_from([1, -1]))
    kept = a.tobytes()
    for order in (1, 2, 3):
        jet = s_e(a, order)
        for part in jet[: order + 1]:
            assert part.shape == a.shape and part.dtype == dtype and np.isfinite(part).all()
        assert all(part is None for part in jet[order + 1 :])
    assert a.tobytes() == kept


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int64])
def test_numpy_s_numbers_train_as_python_s(kind):
    """NumPy scalars, as from linspace, must not promote float32 arithmetic to float64."""
    x, values = matrix(np.float32, 20, 3), {"sigma2": 1, "eta": 1, "momentum": 0}
    values = values if kind is np.int64 else {"sigma2": 0.25, "eta": 0.0078125, "momentum": 0.5}
    for model in ("DAE", "mDAE", "SAE"):
        one, two = (
            training.train(
                x, PAPER_OBJECTIVES[model], SIGMOID, config(np.float32, 4, **{k: f(v) for k, v in values.items()})
            )
            for f in (float, kind)
        )
        assert one.params.W.tobytes() == two.params.W.tobytes() and one.last == two.last


def test_no_dtype_is_not_float64():
    with pytest.raises(ValueError, match="^dtype is None; it must be float32 or float64"):
        init_params(2, 3, rng(), None)


def test_a_quadrature_in_many_dimensions_is_refused_and_not_begun():
    given = {"params": params(np.float64, 2, 40), "activation": SIGMOID, "x": matrix(np.float64, 3, 40), "sigma": 0.1}
    with pytest.raises(ValueError, match="x has 40 columns; 8 nodes in each must be at most 1,000,000 points"):
        theorem_3.expected_denoising(**given)


# Every function is in one of these tables.

PARTS = {
    "_contracts.activation": "check_jet check_activation",
    "_contracts.calls": "FirstUse check_arguments",
    "_contracts.objective": "first_objective_call check_objective",
    "_contracts.penalty": "check_penalty first_penalty_call explain_order check_penalty_result",
    "_contracts.returned": "pair real array check_gradient check_factors check_count describe_value",
    "_validation.arrays": "matrix vector small no_overflow batch float_type like describe_array",
    "_validation.images": "pixels image_shape",
    "_validation.names": "one_of version user_path",
    "_validation.numbers": "number integer",
    "_validation.objects": "instance function generator short",
    "_validation.params": "pair encoder",
    "baselines.dictionary_recovery": "Mixture Chance",
    "baselines.maxout": "MaxoutParams MaxoutForward check",
    "baselines.maxout_training": "MaxoutTrained",
    "baselines.maxout_left_limit": "Witness",
    "baselines.sparse_codes": "Codes shrink duality_gap check check_dictionary check_start",
    "baselines.sparse_coding": "Fit sample_objectives objective",
    "baselines.dictionary_update": "update_dictionary draw_atoms",
    "breakdown": "broken_down mean_square_of finished_broken",
    "certificates.penalty_family": "find_penalty family penalty_name",
    "certificates.bias_gradient_sign": "bias_gradient sign intervals merge_intervals describe Interval",
    "certificates.verdict": "predict",
    "certificates.separability": "Separability total_derivative check_separability",
    "certificates.counter_example": "CounterExample search batch",
    "certificates.neither_family": "Finding examine",
    "certificates.paired_outcome": "PairedInterval paired_interval classify paired_outcome PairResult",
    "certificates.prediction_value": "Gain gain exact_interval",
    "certificates.outside_theory": "maxout_certificate",
    "certificates.certificate": "Certificate",
    "certificates.conditions": "Witness Condition accuracy evaluate grid activation_conditions most_violating_point falls_to_zero penalty_conditions decrease_witness",
    "dae_noise.stein": "DenoisingSides LevelSides",
    "data.download": "download",
    "data.fetch": "fetch fetch_file files_of",
    "data.fetch_command": "add_options run",
    "data.folders": "DataError cache_folder temporary_folder prepared_folders",
    "data.image_formats": "parse_cifar10",
    "data.images": "load_sample",
    "data.local_files": "find files_below is_gzip read_verified read_content refuse_other_data_set",
    "data.data_spec": "DataRef recorded_label",
    "data.data_matrix": "photograph",
    "data.prepared": "prepare store_array load",
    "data.preprocessing": "centred",
    "data.proxy": "check described address_for",
    "data.sources": "RemoteFile",
    "gradcheck_result": "Checks Check",
    "function_on_line": "Probe check_line one_sided",
    "gradcheck": "flatten unflatten on_vector",
    "numerical_derivatives": "NumericJet complex_step scale difference accepts_complex",
    "numerical_activations": "on_arrays check_finite infer_properties",
    "kinks": "find_kinks locate_kinks",
    "penalties": "Penalty check_interval",
    "sparsity": "Coherence Sparsity",
    "storage.model_file": "ModelFileError SavedModel check_meta check_params as_json plain_number checked_path check_format parse",
    "theory.assumption_1": "Assumption1Report ResidualMoments",
    "theory.theorem_1": "check_inputs reconstruction_path penalty_path check_bound",
}
STEP = {
    "registry": "named_objective name_of find_activation softplus_sharpness find_objective",
    "dae_noise.bias_weight_ablation": "with_bias_of weights_only WeightsOnly bias_only BiasOnly",
    "_known_lengths": "takes_len2 known",
    "activations": "Jet Activation relu sigmoid softplus tanh",
    "autoencoder": "Params Forward PenaltyGrad Gradient times_rows batch_sum forward decode reconstruction backward",
    "baselines.maxout": "forward value_and_grad",
    "baselines.maxout_training": "step",
    "callbacks": "Callback",
    "constraints": "max_norm_scale tangent",
    "dae_noise.gradient_noise": "Drift EdaeCopies edae_copies noise_gradient noise_covariance plain_gradient predicted_drift second_order decoder_push simulated_drift",
    "dae_noise.kernel_cae": "density_at_zero kernel_cae",
    "dae_noise.noise_variants": "antithetic",
    "dae_noise.smoothed_relu": "Smoothed smoothed_relu widths require_relu smoothed_mdae through_length expected_dae expected_dae_with_covariances expectation cross_covariance",
    "extra_activations": "sharp_softplus elu gelu silu leaky_relu hard_sigmoid squared_relu",
    "metrics": "reduce_codes",
    "objectives": "Objective ObjectiveFunction corruption ae dae denoising Penalised edae first_order without_bias",
    "optimizer": "check_in_place zero_velocity sgd_step_plain sgd_step flush_subnormals add_factors as_fortran apply_velocity row_blocks",
    "penalties": "kl identity lowered_power WeightDecay",
    "row_norms": "row_len2 of_order_one row_lengths unit_scale unit_rows fast_directions",
    "taylor_penalties": "CrossTerm ResidualTerm MarginalisedPenalty hessian_term WeightedSum",
    "train_state": "TrainResult RandomStreams TrainState",
    "training": "init_state run_epochs drop_wrong_lengths run_epoch run_step update",
    "training_summary": "finalise objective_extremes history_entry",
    "batches": "shuffled_batches split_batches",
    "velocity_rules": "radial_part projected no_length no_turn neither split_step",
}
READS_OWN = {
    "breakdown": "*",
    "metrics": "Codes mean_square activation_fraction dead_fraction summary",
    "plotting.certificate_picture": "*",
    "plotting.filters": "*",
    "plotting.paper_figure": "*",
    "plotting.recovery_figure": "*",
    "plotting.seed_spread": "*",
    "plotting.style": "*",
    "plotting.model_curves": "*",
    "plotting.sweep_figure": "*",
    "plotting.theory_pictures": "*",
    "plotting.training_report": "*",
    "theory.monitor": "Before Observation",
    # test_walkthrough.py tests bad options of the script.
    "walkthrough.edae": "*",
    "walkthrough.gradients": "*",
    "walkthrough.line": "*",
    "walkthrough.one_pass": "*",
    "walkthrough.penalty": "*",
    "walkthrough.report": "*",
    "walkthrough.setting": "*",
    "walkthrough.update": "*",
    "walkthrough.walk": "*",
}
DRIVER = {
    # test_own_sweep.py, test_estimator.py and test_notebook.py call these with bad arguments.
    "data.own_array": "*",
    "experiments.flat_rows": "*",
    "experiments.own_sweep": "*",
    "experiments.own_sweep_arguments": "*",
    "experiments.own_sweep_places": "*",
    "experiments.sweep_result": "*",
    "experiments.user_objects": "*",
    "plotting.components": "*",
    "plotting.notebook_figure": "*",
    "__main__": "*",
    "certificates.training_outcome": "*",
    "data.cifar_subset": "*",
    "data.preprocessing": "*",
    "estimator": "*",
    "experiments.blas_kernels": "*",
    "experiments.certificate_runs": "*",
    "experiments.certificate_trials": "*",
    "experiments.certificate_data": "*",
    "experiments.certificate_training": "*",
    "experiments.certificate_tables": "*",
    "experiments.fresh_seed_tables": "*",
    "experiments.fresh_seed_trials": "*",
    "experiments.checkpoint": "*",
    "experiments.claim_differences": "*",
    "experiments.claim_rows": "*",
    "experiments.claim_rules": "*",
    "experiments.claim_verdicts": "*",
    "experiments.command": "*",
    "experiments.command_line": "*",
    "experiments.comparison": "*",
    "experiments.coverage": "*",
    "experiments.dask_cluster": "*",
    "experiments.figure_script": "*",
    "experiments.local_pool": "*",
    "experiments.output_streams": "*",
    "experiments.parts": "*",
    "experiments.pickled_calls": "*",
    "experiments.picture_script": "*",
    "experiments.progress": "*",
    "experiments.protocol": "*",
    "experiments.protocol_data": "*",
    "experiments.provenance": "*",
    "experiments.records": "*",
    "experiments.record_stores": "*",
    "experiments.record_checks": "*",
    "experiments.relative_cost": "*",
    "experiments.reproduce": "*",
    "experiments.reproduced_figures": "*",
    "experiments.reproduction_jobs": "*",
    "experiments.reproduction_report": "*",
    "experiments.result_files": "*",
    "experiments.run": "*",
    "experiments.scheduler": "*",
    "experiments.study": "*",
    "experiments.study_rows": "*",
    "experiments.sweep": "*",
    "experiments.sweep_progress": "*",
    "experiments.tables": "*",
    "experiments.time_estimate": "*",
    "experiments.worker": "*",
    "identity.fingerprint": "*",
    "identity.fixed_points": "*",
    "identity.older_records": "*",
    "identity.run_identity": "*",
    "plotting.certificate_grid": "*",
    "plotting.paired_figure": "*",
    "storage.atomic": "*",
    "storage.jsonl": "*",
    "storage.npz": "*",
}
NOT_SPOILED = (PARTS, STEP, READS_OWN, DRIVER)


def public(module) -> set[str]:
    """Return the names of the functions and classes that a module defines."""
    found = {
        name
        for name, value in vars(module).items()
        if callable(value) and getattr(value, "__module__", None) == module.__name__ and not name.startswith("_")
    }
    return {name for name in found if inspect.isfunction(vars(module)[name]) or inspect.isclass(vars(module)[name])}


PACKAGE = Path(numpy_rae.__file__).parent
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    for path in PACKAGE.rglob("*.py")
    if path.stem != "__init__" and "__pycache__" not in path.parts
)


def test_every_function_is_spoiled_or_exempt_for_a_reason():
    check_all(functions_are_listed, {name: (name,) for name in MODULES})


def functions_are_listed(name):
    exempt = [table.get(name, "").split() for table in NOT_SPOILED]
    if ["*"] in exempt:
        return
    listed = [case.function.__name__ for case in CASES if case.function.__module__ == f"numpy_rae.{name}"]
    listed += [each for names in exempt for each in names]
    assert len(listed) == len(set(listed)), "a function is in two tables"
    assert set(listed) == public(import_module(f"numpy_rae.{name}"))
