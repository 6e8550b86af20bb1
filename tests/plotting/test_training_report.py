"""The training report and the recovery picture show the given numbers, and the script prints them."""

import runpy
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

from numpy_rae import sparsity
from numpy_rae.activations import RELU
from numpy_rae.autoencoder import Params
from numpy_rae.plotting import filters, recovery_figure, training_report

EXAMPLE = Path(__file__).parents[2] / "examples" / "training_report.py"


pytestmark = pytest.mark.usefixtures("close_figures")


def lines(ax):
    return {line.get_label(): line for line in ax.get_lines()}


def titled(figure):
    return {ax.get_title(): ax for ax in figure.axes}


@pytest.fixture
def drawn():
    """Return (axes by title, record, params, figure) of nine units on six features. Three units are dead."""
    rng = np.random.default_rng(0)
    b_e = np.array([0.0] * 6 + [-100.0] * 3)
    params = Params(rng.standard_normal((9, 6)), b_e)
    seen = sparsity.measure(params, RELU, rng.standard_normal((50, 6)))
    history = [
        {"epoch": k, "objective": 9.0 / k, "activation_fraction": 0.5 / k, "dead_fraction": 0.1 * k} for k in (1, 2, 3)
    ]
    figure = training_report.training_report(history, params, seen, (2, 3), "every figure", "title")
    return titled(figure), seen, params, figure


def test_the_history_is_drawn_epoch_by_epoch(drawn):
    axes = drawn[0]
    np.testing.assert_allclose(axes["Objective"].get_lines()[0].get_xydata(), [[1, 9], [2, 4.5], [3, 3]])
    shown = lines(axes["Active and dead, on the history's samples"])
    np.testing.assert_allclose(shown["active, Eq. (14)"].get_ydata(), [0.5, 0.25, 0.5 / 3])
    np.testing.assert_allclose(shown["dead units"].get_ydata(), [0.1, 0.2, 0.3])


def test_the_histograms_hold_every_sample_and_every_unit(drawn):
    axes, seen, params, _ = drawn
    bars = axes["Activations per sample (L0)"].patches
    shown = {round(bar.get_x() + bar.get_width() / 2): bar.get_height() for bar in bars}
    assert shown == {k: seen.L0_histogram[k] for k in range(seen.L0.min(), seen.L0.max() + 1)}
    assert sum(bar.get_height() for bar in axes["Encoder biases"].patches) == len(params.b_e)


def test_densities_fall_and_the_dead_are_counted(drawn):
    axes, seen, _, _ = drawn
    ax = axes["Activation density per unit"]
    assert ax.get_yscale() == "log"
    np.testing.assert_allclose(lines(ax)["6 units; 3 dead ones not drawn"].get_ydata(), sorted(seen.density)[:2:-1])


def test_preactivations_tell_the_dead_from_the_living(drawn):
    axes, seen, _, _ = drawn
    shown = lines(axes["Pre-activations, one mark per unit"])
    np.testing.assert_array_equal(shown["dead"].get_xdata(), seen.mean_a[6:])
    np.testing.assert_array_equal(shown["alive"].get_ydata(), seen.var_a[:6])


def test_filters_begin_with_the_densest_unit_and_the_text_is_there(drawn):
    axes, seen, params, figure = drawn
    (ax,) = (ax for title, ax in axes.items() if "filters" in title)
    picture = np.asarray(ax.get_images()[0].get_array())
    densest = params.W[seen.density.argmax()]
    np.testing.assert_allclose(picture[:2, :3], densest.reshape(2, 3) / np.abs(densest).max())
    assert "every figure" in [text.get_text() for ax in figure.axes for text in ax.texts]


def test_a_report_of_a_dead_model_can_be_drawn(tmp_path):
    params = Params(np.ones((2, 4)), np.full(2, -9.0))
    seen = sparsity.measure(params, RELU, np.ones((3, 4)))
    history = [{"epoch": 1, "objective": 1.0, "activation_fraction": 0.0, "dead_fraction": 1.0}]
    figure = training_report.training_report(history, params, seen, (2, 2), "", "dead")
    figure.savefig(tmp_path / "dead.png")
    assert "0 units; 2 dead ones not drawn" in lines(titled(figure)["Activation density per unit"])


def test_a_mosaic_has_every_image_in_its_place():
    W = np.arange(1.0, 73).reshape(12, 6)
    grey = filters.mosaic(W, (2, 3))
    assert grey.shape == (2 * 3 - 1, 10 * 4 - 1)
    np.testing.assert_allclose(grey[3:, 4:7], W[11].reshape(2, 3) / 72)
    assert np.isnan(grey[2]).all() and np.isnan(grey[3:, 8:]).all()
    colour = filters.mosaic(-W, (3, 2, 1))
    np.testing.assert_allclose(colour[:2, :1], (1 - W[0].reshape(3, 2, 1).transpose(1, 2, 0) / 6) / 2)


def test_recovery_draws_means_over_seeds_and_the_best_cosines():
    cosines = {"DAE": np.array([[[0.2, 0.4], [0.9, 0.7]], [[0.4, 0.6], [0.8, 0.6]]]), "other": np.full((2, 2, 2), 0.5)}
    cosines["other"][:, 0] = np.nan
    left, right = recovery_figure.recovery([0.0, 0.25], cosines, {"chance": 0.3}, "title").axes
    np.testing.assert_allclose(lines(left)["DAE"].get_ydata(), [0.4, 0.75])
    np.testing.assert_allclose(lines(left)["other"].get_ydata(), [np.nan, 0.5])
    assert list(lines(left)["chance"].get_ydata()) == [0.3, 0.3]
    np.testing.assert_allclose(lines(right)["DAE, 0.25"].get_ydata(), [0.9, 0.8, 0.7, 0.6])


@pytest.fixture(scope="module")
def main():
    return runpy.run_path(str(EXAMPLE))["main"]


def test_the_script_prints_the_figures_it_draws(main, tmp_path, capsys, monkeypatch):
    drawn = []
    monkeypatch.setattr(training_report, "training_report", lambda *given: drawn.append(given) or plt.figure())
    chosen = ["--model", "DAE", "--activation", "tanh", "--sigma2", "0.5"]
    assert main(["--preset", "tiny", "--out", str(tmp_path), *chosen]) == 0
    printed = capsys.readouterr().out
    ((history, params, seen, _, text, title),) = drawn
    assert printed == f"{text}\npicture: {tmp_path / 'training_report-tiny.png'}\n"
    said = {line[:22].strip(): float(line[22:]) for line in text.splitlines()}
    for name, value in seen.figures().items():
        assert said[name.replace("_", " ")] == pytest.approx(value, rel=1e-3), name
    assert len(history) == 6 and len(params.b_e) == 50
    assert title.startswith("DAE, tanh, unit rows, sigma^2 = 0.5")


def test_the_script_writes_a_picture(main, tmp_path):
    assert main(["--preset", "tiny", "--out", str(tmp_path)]) == 0
    assert (tmp_path / "training_report-tiny.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--model", "nope"], "--model is 'nope'; it must be one of AE, DAE, CAE"),
        (["--activation", "swish"], "--activation is 'swish'; it must be one of relu, sigmoid"),
        (["--sigma2", "-1"], "sigma2 is -1.0; it must be a number"),
        (["--seed", "-1"], "seed is -1; it must be a whole number"),
        (["--model", "KL", "--activation", "tanh"], "activation tanh takes negative values"),
        (["--model", "DAE", "--sigma2", "1e38"], "the run diverged at step 1; "),
    ],
)
def test_the_script_refuses_in_one_sentence(main, tmp_path, capsys, arguments, sentence):
    assert main(["--preset", "tiny", "--out", str(tmp_path / "none"), *arguments]) == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"training_report: {sentence}") and said.err.count("\n") == 1
    assert said.out == "" and not (tmp_path / "none").exists()
