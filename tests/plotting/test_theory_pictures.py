"""The pictures of the theory show the numbers that they get."""

import example_scripts
import numpy as np
import pytest
import reference

from numpy_rae.activations import PAPER_ACTIVATIONS, RELU, SIGMOID, SOFTPLUS, TANH
from numpy_rae.autoencoder import Params
from numpy_rae.objectives import PAPER_OBJECTIVES
from numpy_rae.plotting import filters, theory_pictures
from numpy_rae.theory.monitor import Observation
from numpy_rae.train_config import TrainConfig
from numpy_rae.training import init_state, train

pytestmark = pytest.mark.usefixtures("close_figures")


def lines(ax):
    return {line.get_label(): line for line in ax.get_lines()}


def observed(units=40):
    rng = np.random.default_rng(0)
    return [Observation(step, *rng.uniform(0.1, 1, (9, units))) for step in (1, 11, 21)]


def test_theorem_1_draws_medians_of_the_condition_and_of_the_changes():
    seen = observed()
    left, right, _ = theory_pictures.theorem_1(seen, "title").axes
    bound = lines(left)["bound, Lemma 1"]
    np.testing.assert_array_equal(bound.get_xdata(), [1, 11, 21])
    np.testing.assert_allclose(bound.get_ydata(), [np.median(one.bound_paper) for one in seen])
    whole, part, predicted = right.get_lines()[:3]
    for line, name in ((whole, "realised"), (part, "from_gradient"), (predicted, "predicted")):
        np.testing.assert_array_equal(line.get_xdata(), [1, 11, 21])
        np.testing.assert_allclose(line.get_ydata(), [1e3 * np.median(getattr(one, name)) for one in seen])
    assert "linear below 0.01" in left.get_ylabel() and left.get_yscale() == "symlog"


def test_theorem_1_shades_ninety_percent_of_the_units():
    seen = observed()
    left = theory_pictures.theorem_1(seen, "title").axes[0]
    names = ("lam_dR_db", "bound_paper", "bound_free", "bound_gaussian", "dJ_db")
    for band, name in zip(left.collections, names, strict=True):
        heights = {step: [] for step in (1, 11, 21)}
        for step, height in band.get_paths()[0].vertices:
            heights[step].append(height)
        for one in seen:
            inside = (getattr(one, name) > min(heights[one.step])) & (getattr(one, name) < max(heights[one.step]))
            assert inside.mean() == 0.9


def test_theorem_1_draws_the_share_of_units_above_each_bound():
    seen = observed()
    shares = theory_pictures.theorem_1(seen, "title").axes[2]
    for label, name in (("Lemma 1", "paper"), ("sharp Gaussian", "gaussian")):
        expected = [(one.lam_dR_db > getattr(one, f"bound_{name}")).mean() for one in seen]
        assert 0 < min(expected) and max(expected) < 1
        np.testing.assert_allclose(lines(shares)[f"bound, {label}"].get_ydata(), expected)


def test_theorem_1_s_legend_lies_off_the_curves():
    figure = theory_pictures.theorem_1(observed(), "title")
    figure.draw_without_rendering()
    left, _, shares = figure.axes
    legend = shares.get_legend().get_window_extent()
    assert len(shares.get_legend().get_texts()) == 5
    for extent in (left.bbox, shares.bbox, shares.xaxis.label.get_window_extent()):
        assert not legend.overlaps(extent)


def test_theorem_3_draws_every_remainder_on_log_axes():
    sigma = np.geomspace(0.02, 0.3, 8)
    figure = theory_pictures.theorem_3(sigma, {"all": sigma**4, "one dropped": sigma**2}, "title")
    (ax,) = figure.axes
    assert ax.get_xscale() == ax.get_yscale() == "log"
    np.testing.assert_array_equal(lines(ax)["one dropped"].get_ydata(), sigma**2)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0.02", "0.03", "0.05", "0.1", "0.2", "0.3"]


def test_theorem_3_s_slopes_lie_off_the_remainders(tmp_path):
    sigma = np.geomspace(0.02, 0.3, 8)
    figure = theory_pictures.theorem_3(sigma, {"all": sigma**4, "one dropped": sigma**2}, "title")
    figure.savefig(tmp_path / "f.png")
    (ax,) = figure.axes
    assert [text.get_text() for text in ax.texts] == ["slope 2", "slope 4"]
    for text in ax.texts:
        box = text.get_window_extent()
        for line in ax.get_lines():
            x, y = ax.transData.transform(line.get_xydata()).T
            at = np.linspace(box.x0, box.x1, 20)
            height = np.interp(at, x, y)
            assert not ((box.y0 < height) & (height < box.y1)).any()


def test_theorem_3_terms_draws_sizes_and_signs():
    terms = np.array([[3.0, 2, 1], [4, 3, -0.5], [5, 4, 0.1]])
    without = terms * [1, 1, 0]
    figure = theory_pictures.theorem_3_terms(
        {"tanh": {"DAE": terms, "AE": 2 * terms}, "relu": {"DAE": without}}, "title"
    )
    tanh, relu = figure.axes
    assert tanh.get_yscale() == relu.get_yscale() == "log"
    for model, factor in (("DAE", 1), ("AE", 2)):
        for name, values in zip(("diagonal", "cross", "third"), terms.T, strict=True):
            np.testing.assert_array_equal(lines(tanh)[f"{name}, {model}"].get_ydata(), factor * np.abs(values))
    hollow = [line for line in tanh.get_lines() if line.get_markerfacecolor() == "white"]
    assert [line.get_xydata().tolist() for line in hollow if len(line.get_xdata())] == [[[1, 0.5]], [[1, 1.0]]]
    assert {"diagonal, DAE", "cross, DAE"} == {label for label in lines(relu) if "DAE" in label}
    assert (tanh.get_title("right"), relu.get_title("right")) == ("", "third term: 0")
    assert [text.get_text() for text in figure.legends[0].get_texts()][-2:] == ["positive value", "negative value"]


def test_bias_gradients_has_a_row_for_each_group_and_a_panel_for_each_activation():
    a = np.linspace(-1, 1, 5)
    rows = {
        "upper": {"relu": {"CAE": 0 * a}, "tanh": {"CAE": a, "SAE": a**2}},
        "lower": {"relu": {"third": 0 * a}, "tanh": {"third": a**3}},
    }
    figure = theory_pictures.bias_gradients(a, rows, "title", "note")
    assert [ax.get_title() for ax in figure.axes] == ["relu", "tanh", "", ""]
    np.testing.assert_array_equal(lines(figure.axes[1])["SAE"].get_ydata(), a**2)
    np.testing.assert_array_equal(lines(figure.axes[3])["third"].get_ydata(), a**3)
    legends = [{text.get_text() for text in ax.get_legend().get_texts()} for ax in figure.axes if ax.get_legend()]
    assert legends == [{"CAE", "SAE"}, {"third"}]
    assert [ax.get_ylabel().split("\n")[0] for ax in figure.axes[::2]] == ["upper", "lower"]
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim() != figure.axes[3].get_ylim()
    assert [text.get_text() for text in figure.axes[2].texts] == ["0 at every $a$"] and not figure.axes[3].texts
    assert figure.axes[0].get_yscale() == "asinh"
    legend = figure.axes[3].get_legend()
    assert all(line.get_visible() for line in legend.get_lines())
    assert figure.get_supxlabel().startswith("note First row: asinh axis")


def test_bias_gradient_of_the_third_term_is_the_derivations():
    script = example_scripts.load("bias_gradients")
    for s in PAPER_ACTIVATIONS.values():
        for a in (-1.3, 0.4, 2.0):
            for r_y in (1, -1):
                _, dh_da, d2h_da2, d3h_da3 = s(np.array(a))
                expected = r_y * d3h_da3 + dh_da * d2h_da2
                np.testing.assert_allclose(script.residual_gradient(s, a, r_y), expected, rtol=1e-12, atol=1e-15)


def test_expected_hessian_term_is_the_mean_over_the_noise():
    script = example_scripts.load("bias_gradients")
    script.A = np.array([0.7])
    z = np.linspace(-9, 9, 4001)
    weight = np.exp(-(z**2) / 2)
    for s in (SIGMOID, SOFTPLUS, TANH):
        here, there = s(np.array(0.7)), s(0.7 + 0.1 * z)
        change = 2 * (here.dh_da - there.dh_da) * (here.d2h_da2 - there.d2h_da2)
        ((label, found),) = script.hessian(s).items()
        assert label == "noise 0.1"
        np.testing.assert_allclose(found, weight @ change / weight.sum(), rtol=1e-9)


@pytest.mark.parametrize("activation", [SIGMOID, SOFTPLUS, RELU], ids=lambda s: s.name)
def test_theorem_3_terms_measures_what_the_loops_say(activation):
    script = example_scripts.load("theorem_3_terms")
    rng = np.random.default_rng(3)
    params, x = Params(rng.standard_normal((4, 3)), rng.standard_normal(4)), rng.standard_normal((6, 3))
    *values, push = script.measured(params, activation, x)
    parts = (reference.ae, reference.mdae, reference.cross, reference.residual_term)
    loops = [lambda W, b, part=part: part(W, b, x, activation.name) for part in parts]
    np.testing.assert_allclose(values, [part(*params) for part in loops], rtol=1e-12)
    diagonal, cross, third = (reference.complex_gradient(part, *params)[1] for part in loops[1:])
    if activation is RELU:
        assert values[3] == 0 and not third.any() and np.isnan(push)
    else:
        np.testing.assert_allclose(push, np.linalg.norm(third) / np.linalg.norm(diagonal + cross), rtol=1e-10)


def test_theorem_3_terms_begins_at_the_start_and_ends_where_training_does():
    script = example_scripts.load("theorem_3_terms")
    x = np.random.default_rng(0).standard_normal((1100, 6)).astype(np.float32)
    config = TrainConfig(0.25, hidden=5, epochs=3)
    seen = script.watched(x, PAPER_OBJECTIVES["DAE"], SIGMOID, config)
    trained = train(x, PAPER_OBJECTIVES["DAE"], SIGMOID, config)
    ends = [script.measured(params, SIGMOID, x[::2]) for params in (init_state(6, config).params, trained.params)]
    np.testing.assert_array_equal(seen[[0, -1]], ends)
    assert seen.shape == (4, 5)
    numbers = [line.split() for line in script.table(seen).splitlines()[2:]]
    np.testing.assert_allclose(np.array(numbers, float)[:, [0, 1, 4]], np.c_[np.arange(4), seen[:, [0, 3]]], rtol=1e-4)


@pytest.mark.parametrize("shape", [(2, 3), (3, 2, 1)])
def test_filters_orders_units_by_activation_fraction(shape):
    W = np.arange(1.0, 25).reshape(4, 6)
    figure = filters.filters(W, np.array([0.1, 0.4, 0.2, 0.3]), shape, "title")
    assert [text.get_text() for text in figure.axes[0].texts] == ["0.400", "0.300", "0.200", "0.100"]
    height, width = shape[-2:]
    shown = np.asarray(figure.axes[0].get_images()[0].get_array())[:height, :width]
    expected = W[1].reshape(shape) / W[1].max()
    np.testing.assert_allclose(shown, expected if len(shape) == 2 else (expected.transpose(1, 2, 0) + 1) / 2)
