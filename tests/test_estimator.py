"""The estimator: scikit-learn's own checks, the numbers of `training.train`, Pipeline and GridSearchCV."""

import ast
import importlib.util
import os
import pickle
import subprocess
import sys
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the extra [sklearn] is not installed")

import joblib
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from test_optimizer import spoil, textbook_step

import numpy_rae
from numpy_rae.activations import PAPER_ACTIVATIONS, RELU, SOFTPLUS, Activation, Jet
from numpy_rae.autoencoder import Params, forward, init_params
from numpy_rae.estimator import SparseAutoEncoder, sparse_score
from numpy_rae.objectives import PAPER_OBJECTIVES, Objective, ae
from numpy_rae.plotting.components import plot_components
from numpy_rae.row_norms import unit_rows
from numpy_rae.storage import model_file
from numpy_rae.train_config import TrainConfig
from numpy_rae.train_state import RandomStreams
from numpy_rae.training import train

CONFIG = TrainConfig(hidden=6, sigma2=0.2, eta=0.01, epochs=4, batch_size=8, seed=3, dtype="float64")


def small(**parameters):
    given = {"n_components": 6, "sigma2": 0.2, "eta": 0.01, "epochs": 4, "batch_size": 8, "random_state": 3}
    return SparseAutoEncoder(**given | parameters)


def data(N=30, n=5, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).standard_normal((N, n)).astype(dtype)


def fitted_params(estimator):
    return Params(estimator.components_, estimator.intercept_)


def assert_same(one, two):
    for left, right in zip(one, two, strict=True):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)


# Some checks fit data with mean 100 and standard deviation 1, not scaled. Then fit can warn.
EVERY_CHECK = """
import sys
import warnings
warnings.simplefilter("error")
import numpy as np
from sklearn.exceptions import ConvergenceWarning, SkipTestWarning
warnings.simplefilter("ignore", ConvergenceWarning)
if sys.argv[1] == "some":
    warnings.simplefilter("ignore", SkipTestWarning)
from sklearn.utils.estimator_checks import check_estimator
from numpy_rae.estimator import SparseAutoEncoder
np.seterr(all=sys.argv[2] or None)
check_estimator(SparseAutoEncoder())
check_estimator(SparseAutoEncoder(n_components=3, model="DAE", activation="sigmoid"))
"""


def test_scikit_learns_checks_pass_and_none_is_skipped(request):
    """A skipped check warns, which is an error here if the packages that the checks need are installed.

    The checks run in a new process, because SciPy reads SCIPY_ARRAY_API at its import. The message has the name of
    the check that fails.
    """
    every = all(importlib.util.find_spec(name) for name in ("pandas", "polars"))
    environment = {**os.environ, **({"SCIPY_ARRAY_API": "1"} if every else {})}
    command = [sys.executable, "-c", EVERY_CHECK, "all" if every else "some", request.config.getoption("seterr") or ""]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_no_other_module_knows_scikit_learn():
    users = set()
    for path in Path(numpy_rae.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            users |= {path.name for name in names if name.split(".")[0] == "sklearn"}
    assert users == {"estimator.py"}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("model", "activation"), [("CAE", "softplus"), ("SAE", "relu"), ("DAE", "relu"), ("eDAE", "tanh")]
)
def test_fit_is_train_to_the_last_bit(model, activation, dtype):
    x = data(dtype=dtype)
    trained = train(x, PAPER_OBJECTIVES[model], PAPER_ACTIVATIONS[activation], replace(CONFIG, dtype=dtype))
    estimator = small(model=model, activation=activation).fit(x)
    assert_same(fitted_params(estimator), trained.params)
    assert estimator.history_ == trained.history and estimator.config_ == replace(CONFIG, dtype=dtype)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("constraint", "free"), ("tangent", True), ("momentum", 0.5), ("batch_size", 5), ("epochs", 2), ("eta", 0.02)],
)
def test_every_number_of_the_configuration_arrives(parameter, value):
    changed = replace(CONFIG, **{parameter: value})
    estimator = small(model="SAE", **{parameter: value}).fit(data())
    assert_same(fitted_params(estimator), train(data(), PAPER_OBJECTIVES["SAE"], RELU, changed).params)
    assert estimator.config_ == changed
    assert np.any(estimator.components_ != small(model="SAE").fit(data()).components_)


def test_the_radius_arrives():
    estimator = small(constraint="max-norm", radius=0.3).fit(data())
    assert np.linalg.norm(estimator.components_, axis=1).max() == pytest.approx(0.3, rel=1e-14)


def test_defaults_are_the_configuration_s():
    parameters = SparseAutoEncoder().get_params()
    shared = set(parameters) & set(TrainConfig.__dataclass_fields__) - {"sigma2"}
    assert len(shared) == 7 and all(parameters[name] == getattr(TrainConfig, name) for name in shared)


@pytest.mark.parametrize("model", ["SAE", "DAE"])
def test_fit_is_as_many_partial_fits_as_it_has_epochs(model):
    x, estimator = data(), small(model=model)
    for epoch in range(1, 5):
        assert estimator.partial_fit(x).n_iter_ == epoch
    whole = small(model=model).fit(x)
    assert_same(fitted_params(estimator), fitted_params(whole))
    assert estimator.history_ == whole.history_


def test_partial_fit_over_pieces_is_a_textbook_loop_with_one_velocity_and_one_set_of_generators():
    pieces, generators, estimator = [data(20), data(7, seed=1), data(9, seed=2)], RandomStreams(3), small(model="DAE")
    params = init_params(6, 5, generators.init, np.float64)
    velocity = Params(np.zeros_like(params.W), np.zeros_like(params.b_e))
    for x in pieces:
        order = generators.order.permutation(len(x))
        for start in range(0, len(x), 8):
            _, grad = PAPER_OBJECTIVES["DAE"](params, RELU, x[order[start : start + 8]], 0.2, generators.noise)
            params, velocity = textbook_step(params, velocity, *grad.dense(params), 0.01, 0.9, unit_rows)
        estimator.partial_fit(x)
    np.testing.assert_allclose(estimator.components_, params.W, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(estimator.intercept_, params.b_e, rtol=1e-11, atol=1e-13)


def test_history_averages_over_the_piece_it_belongs_to():
    values = iter(range(1, 100))
    counted = Objective("counted", lambda params, s_e, x, sigma2, rng: (float(next(values)), ae(params, s_e, x)[1]))
    estimator = small(model=counted)
    for N in (24, 8, 16):
        estimator.partial_fit(data(N))
    assert [entry["objective"] for entry in estimator.history_] == [2.0, 4.0, 5.5]


def test_partial_fit_goes_on_after_fit_and_after_a_pickle():
    x, longer = data(), small(epochs=5, model="DAE").fit(data())
    estimator = pickle.loads(pickle.dumps(small(model="DAE").fit(x))).partial_fit(x)
    assert_same(fitted_params(estimator), fitted_params(longer))


def test_fit_forgets_what_was_before():
    estimator = small().partial_fit(data(seed=5)).fit(data())
    assert_same(fitted_params(estimator), fitted_params(small().fit(data())))
    assert estimator.n_iter_ == 4


def test_parameters_set_between_partial_fits_count_from_then_on_but_the_size_and_the_seed_stay():
    x, plain, changed = data(), small().partial_fit(data()), small().partial_fit(data())
    changed.set_params(n_components=9, random_state=8).partial_fit(x)
    assert_same(fitted_params(changed), fitted_params(plain.partial_fit(x)))
    assert (changed.config_.hidden, changed.config_.seed) == (6, 3)
    faster = small().partial_fit(x).set_params(eta=0.02).partial_fit(x)
    assert np.any(faster.components_ != plain.components_)


def test_random_state_an_int_is_the_seed_and_a_random_state_draws_one_at_each_fit_only():
    x = data()
    assert small(random_state=np.int64(7)).fit(x).config_.seed == 7
    expected = np.random.RandomState(5).randint(2**31 - 1, size=2)
    estimator = small(random_state=np.random.RandomState(5))
    seeds = [estimator.fit(x).config_.seed, estimator.partial_fit(x).config_.seed, estimator.fit(x).config_.seed]
    assert seeds == [expected[0], expected[0], expected[1]]
    kept = np.random.get_state()
    try:
        np.random.seed(5)
        assert small(random_state=None).fit(x).config_.seed == expected[0]
    finally:
        np.random.set_state(kept)


@pytest.mark.parametrize("given", [np.float32, np.float64, np.int64, np.float16])
def test_both_floats_stay_and_the_rest_becomes_float64(given):
    x = (4 * data()).astype(given)
    kept = given if given in (np.float32, np.float64) else np.float64
    estimator = small(eta=0.001).fit(x)
    h = estimator.transform(x)
    assert {estimator.components_.dtype, estimator.intercept_.dtype, h.dtype} == {np.dtype(kept)}
    assert estimator.inverse_transform(h).dtype == kept
    assert estimator.partial_fit(data().astype(np.float64)).components_.dtype == kept


def test_memory_order_changes_nothing():
    estimators = [small(model="DAE").fit(np.array(data(), order=order)) for order in "CF"]
    assert_same(*map(fitted_params, estimators))


def test_methods_are_the_auto_encoder_s():
    x, estimator = data(), small(model="CAE", activation=SOFTPLUS).fit(data())
    fwd = forward(fitted_params(estimator), SOFTPLUS, x)
    h = estimator.transform(x)
    np.testing.assert_array_equal(h, fwd.jet.h)
    np.testing.assert_allclose(estimator.inverse_transform(h), fwd.y, rtol=1e-13)
    errors = [sum((x_i - y_i) ** 2 for x_i, y_i in zip(*pair, strict=True)) for pair in zip(x, fwd.y, strict=True)]
    assert estimator.score(x) == pytest.approx(-sum(errors) / len(x), rel=1e-13)
    assert list(estimator.get_feature_names_out()) == [f"sparseautoencoder{j}" for j in range(6)]
    assert estimator.n_features_in_ == 5


def test_a_model_and_an_activation_of_one_s_own_survive_a_clone():
    halved = Activation("halved", lambda a, order: Jet(*(part / 2 for part in SOFTPLUS(a))), 0.1)
    twice = Objective(
        "twice", lambda params, s_e, x, sigma2, rng: PAPER_OBJECTIVES["SAE"](params, s_e, x, 2 * sigma2, rng)
    )
    estimator = clone(small(model=twice, activation=halved)).fit(data())
    trained = train(data(), PAPER_OBJECTIVES["SAE"], halved, replace(CONFIG, sigma2=0.4))
    assert_same(fitted_params(estimator), trained.params)
    np.testing.assert_array_equal(estimator.transform(data()), forward(trained.params, halved, data()).jet.h)


def test_parameters_are_stored_untouched():
    given = {name: object() for name in SparseAutoEncoder().get_params()}
    estimator = SparseAutoEncoder(**given)
    assert all(getattr(estimator, name) is value for name, value in given.items()) and len(vars(estimator)) == 15


def test_pipeline_with_a_scaler_goes_there_and_back():
    x = 3 + 5 * data(60)
    pipeline = make_pipeline(StandardScaler(), small(eta=0.02, epochs=60, sigma2=0.0)).fit(x)
    scaled = StandardScaler().fit_transform(x)
    estimator = small(eta=0.02, epochs=60, sigma2=0.0).fit(scaled)
    h = pipeline.transform(x)
    np.testing.assert_array_equal(h, estimator.transform(scaled))
    assert pipeline.score(x) == estimator.score(scaled)
    back = estimator.inverse_transform(h) * x.std(axis=0) + x.mean(axis=0)
    np.testing.assert_allclose(pipeline.inverse_transform(h), back, rtol=1e-12)


def test_grid_search_over_sigma2_scores_held_out_data_and_refits_the_best():
    x, grid, (one, two) = data(40), [1.0, 0.0, 0.3], np.split(np.arange(40), 2)
    halves = [(one, two), (two, one)]
    search = GridSearchCV(small(model="SAE"), {"sigma2": grid}, cv=halves).fit(x)
    expected = [[small(model="SAE", sigma2=s).fit(x[a]).score(x[b]) for a, b in halves] for s in grid]
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], np.mean(expected, axis=1))
    best = grid[int(np.argmax(np.mean(expected, axis=1)))]
    assert search.best_params_ == {"sigma2": best}
    assert_same(fitted_params(search.best_estimator_), fitted_params(small(model="SAE", sigma2=best).fit(x)))


def test_sae_s_codes_get_sparser_with_sigma2():
    x, plain = data(200), small(model="SAE", eta=0.001, epochs=50, batch_size=50)
    shares = [(clone(plain).set_params(sigma2=s).fit_transform(x) > 0).mean() for s in (0, 0.1, 0.3, 1)]
    assert all(np.diff(shares) < 0)


def test_what_was_fitted_can_be_kept_in_a_model_file(tmp_path):
    estimator = small(model="DAE").fit(data())
    model_file.save(tmp_path / "m.npz", fitted_params(estimator), "relu", estimator.config_, "DAE")
    saved = model_file.load(tmp_path / "m.npz")
    np.testing.assert_array_equal(forward(saved.params, saved.activation, data()).jet.h, estimator.transform(data()))
    assert saved.config == estimator.config_


@pytest.mark.parametrize("call", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("n_components", 0), ("sigma2", -1), ("eta", 0), ("momentum", 2), ("epochs", 0), ("batch_size", 1.5), ("radius", 0),
        ("constraint", "round"), ("model", "XAE"), ("activation", "swish"), ("random_state", -1), ("random_state", "a"),
    ],
)  # fmt: skip
def test_a_bad_parameter_is_named(call, parameter, value):
    with pytest.raises(ValueError, match=f"^{parameter} is {value!r}; it must be "):
        getattr(small(**{parameter: value}), call)(data())


def test_a_refused_refit_leaves_the_first_fit_as_it_was():
    estimator, plain = small(model="DAE").fit(data()), small(model="DAE").fit(data())
    with pytest.raises(ValueError, match="^model is"):
        estimator.set_params(model="XAE").fit(data(seed=1))
    estimator.set_params(model="DAE").partial_fit(data())
    assert_same(fitted_params(estimator), fitted_params(plain.partial_fit(data())))


def test_divergence_is_an_error_and_no_fit_is_left():
    explosive = {"eta": 1e30, "constraint": "free", "model": "AE"}
    estimator = small().fit(data())
    for call in (estimator.set_params(**explosive).partial_fit, small(**explosive).fit):
        with pytest.raises(ValueError, match=r"^training diverged at step \d+; eta is 1e\+30, a lower one may help$"):
            call(data())
        for use in (call.__self__.transform, call.__self__.score, call.__self__.inverse_transform):
            with pytest.raises(NotFittedError):
                use(data())
    again = estimator.set_params(**small().get_params()).partial_fit(data())
    assert_same(fitted_params(again), fitted_params(small().partial_fit(data())))


def test_codes_of_the_wrong_width_are_refused():
    with pytest.raises(ValueError, match="^X has 5 columns; it must have 6$"):
        small().fit(data()).inverse_transform(data())


@pytest.mark.parametrize("mode", ["r", "c"])
def test_partial_fit_goes_on_from_a_memory_map_with_the_same_numbers(tmp_path, mode):
    """The arrays are read-only or copy-on-write maps. In-place BLAS on a read-only map would crash the process."""
    x, original = data(150, 64), small(n_components=10, eta=0.001).fit(data(150, 64))
    joblib.dump(original, tmp_path / "s.joblib")
    stored = (tmp_path / "s.joblib").read_bytes()
    mapped = joblib.load(tmp_path / "s.joblib", mmap_mode=mode)
    assert_same(fitted_params(mapped.partial_fit(x)), fitted_params(original.partial_fit(x)))
    assert_same(mapped._state.velocity, original._state.velocity)
    assert (tmp_path / "s.joblib").read_bytes() == stored


@pytest.mark.parametrize("how", ["read-only", "unaligned", "big-endian"])
@pytest.mark.parametrize("model", ["SAE", "DAE"])
def test_partial_fit_copies_what_it_cannot_write_into(model, how):
    x, original, other = data(), small(model=model).fit(data()), small(model=model).fit(data())
    given = [Params(*(spoil(part, how) for part in pair)) for pair in (other._state.params, other._state.velocity)]
    before = [part.copy() for pair in given for part in pair]
    other._state.params, other._state.velocity = given
    assert_same(fitted_params(other.partial_fit(x)), fitted_params(original.partial_fit(x)))
    assert_same([part for pair in given for part in pair], before)


def test_the_defaults_make_the_codes_of_the_digits_sparse():
    x = StandardScaler().fit_transform(load_digits().data)
    share = (SparseAutoEncoder(random_state=0).fit_transform(x) > 0).mean()
    plain = (SparseAutoEncoder(sigma2=0, random_state=0).fit_transform(x) > 0).mean()
    assert share < 0.3 < 0.55 < plain


@pytest.mark.parametrize("model", ["CAE", "mDAE"])
@pytest.mark.parametrize("call", ["fit", "partial_fit"])
def test_a_penalty_on_the_slope_of_a_relu_warns(model, call):
    with pytest.warns(UserWarning, match=f"^model {model} does not make the codes of activation relu sparser") as seen:
        getattr(small(model=model), call)(data())
    assert seen[0].filename == __file__


@pytest.mark.parametrize(
    "quiet",
    [{"model": "CAE", "sigma2": 0}, {"model": "CAE", "activation": "softplus"}, {"model": "DAE"}, {"model": "SAE"}],
)
def test_what_gets_sparser_does_not_warn(quiet):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small(**quiet).fit(data())


def test_a_fit_that_leaves_every_unit_dead_warns():
    x = load_digits().data * 16
    with pytest.warns(ConvergenceWarning, match="^no unit is active on any sample of X after 50 epochs") as seen:
        estimator = SparseAutoEncoder(random_state=0).fit(x)
    assert seen[0].filename == __file__ and not estimator.transform(x).any()


def test_a_fitted_model_keeps_what_it_was_fitted_with():
    x, estimator = data(), small().fit(data())
    h, score, y = estimator.transform(x), estimator.score(x), estimator.inverse_transform(estimator.transform(x))
    estimator.set_params(activation="sigmoid", model="DAE", n_components=9, sigma2=3.0, epochs=1)
    np.testing.assert_array_equal(estimator.transform(x), h)
    np.testing.assert_array_equal(estimator.inverse_transform(h), y)
    assert estimator.score(x) == score
    assert (estimator.activation_, estimator.model_) == (RELU, PAPER_OBJECTIVES["SAE"])
    copied = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(copied.transform(x), h)
    assert estimator.partial_fit(x).activation_.name == "sigmoid"
    assert estimator.model_.name == "DAE" and np.any(estimator.transform(x) != h)


def test_a_refused_set_of_parameters_leaves_what_was_fitted():
    x, estimator = data(), small().fit(data())
    h = estimator.transform(x)
    with pytest.raises(ValueError, match="^activation is"):
        estimator.set_params(activation="swish").partial_fit(x)
    np.testing.assert_array_equal(estimator.transform(x), h)


def test_activations_and_models_are_found_as_in_a_sweep():
    x = data()
    assert small(activation="gelu").fit(x).activation_.name == "gelu"
    own = small(model=("mine", PAPER_OBJECTIVES["SAE"]), activation=np.tanh).fit(x)
    assert own.model_.name == "mine" and own.activation_.name == "tanh"


def test_the_curve_the_steps_and_the_error_are_those_of_training():
    x = data()
    estimator = small().fit(x)
    trained = train(x, PAPER_OBJECTIVES["SAE"], RELU, CONFIG)
    assert estimator.loss_curve_ == [entry["objective"] for entry in trained.history]
    assert estimator.n_steps_ == trained.steps == 16
    assert estimator.reconstruction_err_ == trained.metrics["loss"] == -estimator.score(x)
    estimator.partial_fit(x)
    assert estimator.n_steps_ == 20 and len(estimator.loss_curve_) == 5


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_tol_stops_after_as_many_idle_epochs_as_given():
    """The first epoch always counts as a fall.

    With a tol that no epoch reaches, fit ends n_iter_no_change epochs later.
    """
    x = data()
    stopped = small(epochs=30, tol=1e9, n_iter_no_change=3).fit(x)
    assert stopped.n_iter_ == 4
    assert_same(fitted_params(stopped), fitted_params(small(epochs=4).fit(x)))


@pytest.mark.parametrize("patience", [1, 2, 3])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_tol_0_stops_at_the_first_epochs_without_a_new_minimum(patience):
    x = data()
    curve = small(epochs=40).fit(x).loss_curve_
    ends = (e for e in range(patience + 1, 41) if min(curve[: e - patience]) <= min(curve[e - patience : e]))
    assert small(epochs=40, tol=0.0, n_iter_no_change=patience).fit(x).n_iter_ == next(ends) < 40


def test_tol_that_is_not_reached_is_a_warning():
    with pytest.warns(
        ConvergenceWarning, match=r"^the objective still falls by more than tol=0.0 within n_iter_no_change=5 "
    ):
        small(tol=0.0, n_iter_no_change=5).fit(data())


@pytest.mark.parametrize(("name", "value"), [("tol", -1.0), ("tol", "auto"), ("n_iter_no_change", 0)])
def test_bad_stopping_is_one_sentence(name, value):
    with pytest.raises(ValueError, match=f"^{name} is "):
        small(**{name: value}).fit(data())


def test_verbose_prints_one_line_per_epoch(capsys):
    estimator = small().fit(data())
    assert capsys.readouterr().out == ""
    small(verbose=True).fit(data())
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 4
    assert printed[-1].startswith(f"epoch 4: objective {estimator.loss_curve_[-1]:.6g}, active ")


def test_sparse_score_is_explained_variance_minus_activation_fraction():
    x = data()
    estimator = small().fit(x)
    h = estimator.transform(x)
    y = estimator.inverse_transform(h)
    explained = 1 - ((x - y) ** 2).sum() / ((x - x.mean(axis=0)) ** 2).sum()
    active = (h > RELU.delta_min).mean()
    assert sparse_score(estimator, x) == pytest.approx(explained - active, rel=1e-12)
    assert sparse_score(estimator, x, sparsity_weight=0.25) == pytest.approx(explained - active / 4, rel=1e-12)


def test_sparse_score_takes_a_pipeline_and_other_estimators():
    x = data()
    pipeline = make_pipeline(StandardScaler(), small()).fit(x)
    assert sparse_score(pipeline, x, sparsity_weight=0) > sparse_score(pipeline, x)
    assert sparse_score(PCA(2).fit(x), x) < 0 < sparse_score(PCA(2).fit(x), x, sparsity_weight=0)


def test_a_grid_search_by_sparse_score_prefers_a_sparser_code():
    x = StandardScaler().fit_transform(load_digits().data[:200])
    grid = {"sigma2": [0.0, 1.0]}
    of, scorers = SparseAutoEncoder(n_components=20, epochs=100, random_state=0), {"own": None}
    scorers["sparse"] = partial(sparse_score, sparsity_weight=2)
    by = {name: GridSearchCV(of, grid, scoring=scoring, cv=2).fit(x) for name, scoring in scorers.items()}
    assert by["own"].best_params_ == {"sigma2": 0.0} and by["sparse"].best_params_ == {"sigma2": 1.0}


def test_components_are_drawn_of_an_estimator_and_of_a_pipeline(tmp_path):
    x = data(n=12)
    pipeline = make_pipeline(StandardScaler(), small()).fit(x)
    figure = plot_components(pipeline, (3, 4), path=tmp_path / "components.png")
    assert (tmp_path / "components.png").stat().st_size > 0
    drawn = figure.axes[0].images[0].get_array()
    first = pipeline[-1].components_[0].reshape(3, 4)
    np.testing.assert_allclose(drawn[:3, :4], first / np.abs(first).max())
    assert "6 of 6 components" in figure.axes[0].get_title()
    assert "2 of 6 components" in plot_components(pipeline[-1], (3, 4), count=2).axes[0].get_title()


@pytest.mark.parametrize("shape", [(3, 5), (2, 2, 3), 12, None, (12,)])
def test_an_image_shape_that_does_not_fit_is_one_sentence(shape):
    with pytest.raises(ValueError, match="^image_shape is .*with product 12$"):
        plot_components(small().fit(data(n=12)), shape)


def test_components_of_what_is_not_fitted_are_one_sentence():
    with pytest.raises(ValueError, match="^estimator is SparseAutoEncoder without components_; it must be fitted$"):
        plot_components(small(), (3, 4))


def test_an_activation_can_be_any_that_the_registry_finds():
    named, function = small(activation="softplus(beta=2)").fit(data()), small(activation=np.tanh).fit(data())
    assert (named.activation_.name, function.activation_.name) == ("softplus(beta=2)", "tanh")
