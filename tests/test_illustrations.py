"""The pictures of the theory show the numbers they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from numpy_rae import illustrations
from numpy_rae.monitor import Observation


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def lines(ax):
    return {line.get_label(): line for line in ax.get_lines()}


def test_theorem_1_draws_medians_and_both_changes():
    rng = np.random.default_rng(0)
    seen = [Observation(step, *rng.uniform(0.1, 1, (9, 5))) for step in (1, 11, 21)]
    left, right = illustrations.theorem_1(seen, "title").axes
    bound = lines(left)["bound, Lemma 1"]
    np.testing.assert_array_equal(bound.get_xdata(), [1, 11, 21])
    np.testing.assert_allclose(bound.get_ydata(), [np.median(one.bound_paper) for one in seen])
    whole = lines(right)["whole update, with momentum"]
    np.testing.assert_allclose(whole.get_xdata(), 1e3 * np.concatenate([one.predicted for one in seen]))
    np.testing.assert_allclose(whole.get_ydata(), 1e3 * np.concatenate([one.realised for one in seen]))


def test_theorem_3_draws_every_remainder_on_log_axes():
    sigma = np.array([0.1, 0.2, 0.4])
    (ax,) = illustrations.theorem_3(sigma, {"all": sigma**4, "one dropped": sigma**2}, "title").axes
    assert ax.get_xscale() == ax.get_yscale() == "log"
    np.testing.assert_array_equal(lines(ax)["one dropped"].get_ydata(), sigma**2)


def test_bias_gradients_has_a_panel_for_each_activation():
    a = np.linspace(-1, 1, 5)
    figure = illustrations.bias_gradients(a, {"relu": {"CAE": 0 * a}, "tanh": {"CAE": a, "SAE": a**2}}, "title")
    assert [ax.get_title() for ax in figure.axes] == ["relu", "tanh"]
    np.testing.assert_array_equal(lines(figure.axes[1])["SAE"].get_ydata(), a**2)
    assert {text.get_text() for text in figure.legends[0].get_texts()} == {"CAE", "SAE"}


@pytest.mark.parametrize("shape", [(2, 3), (3, 2, 1)])
def test_filters_orders_units_by_activation_fraction(shape):
    W = np.arange(1.0, 25).reshape(4, 6)
    figure = illustrations.filters(W, np.array([0.1, 0.4, 0.2, 0.3]), shape, "title")
    assert [ax.get_title() for ax in figure.axes] == ["0.400", "0.300", "0.200", "0.100"]
    shown = np.asarray(figure.axes[0].get_images()[0].get_array())
    expected = W[1].reshape(shape) / W[1].max()
    np.testing.assert_allclose(shown, expected if len(shape) == 2 else (expected.transpose(1, 2, 0) + 1) / 2)
