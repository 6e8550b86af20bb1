"""Figures from made records: the position of every line, band and mark follows from the records."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_rae.plotting import model_curves, style, sweep_figure

SIGMA2 = (0.0, 0.01, 0.25, 1.0)


def entry(model, sigma2, seed=0, active=0.5, dead=0.0, status="ok", peak=1.0):
    """Return a record with the fields that figures read."""
    ok = status == "ok"
    return {
        "model": model,
        "config": {"sigma2": sigma2, "seed": seed},
        "status": status,
        "metrics": {"activation_fraction": active, "dead_fraction": dead, "loss": 1.0} if ok else None,
        "first_objective": 1.0,
        "peak_objective": peak,
        "mean_square": 2.0,
    }


@pytest.fixture
def records():
    """Return records of two models with two seeds, and of the plain auto-encoder at sigma^2 = 0, in reversed order."""
    made = [entry("AE", 0.0, seed, 0.5 + seed / 10, 0.0) for seed in (0, 1)]
    for position, model in enumerate(("DAE", "CAE")):
        for k, sigma2 in enumerate(SIGMA2[1:]):
            made += [entry(model, sigma2, seed, 0.4 - 0.1 * k + seed / 10, position * k / 10) for seed in (1, 0)]
    return made[::-1]


@pytest.fixture
def drawn():
    """Give `sweep_figure.trend` and close every figure afterwards."""
    yield sweep_figure.trend
    plt.close("all")


def lines(ax):
    """Return the lines of an axes by label."""
    return {line.get_label(): line for line in ax.lines}


def test_every_line_is_the_mean_over_the_seeds(records, drawn):
    top, bottom = drawn(records, ["DAE", "CAE"], "t").axes
    assert list(lines(top)) == list(lines(bottom)) == ["DAE", "CAE"]
    for model, dead in (("DAE", [0, 0, 0, 0]), ("CAE", [0, 0, 0.1, 0.2])):
        x, y = lines(top)[model].get_data()
        assert (x**2).tolist() == pytest.approx(SIGMA2)
        assert y.tolist() == pytest.approx([0.55, 0.45, 0.35, 0.25])
        assert lines(bottom)[model].get_data()[1].tolist() == pytest.approx(dead)


def test_bands_span_the_seeds(records, drawn):
    (top,) = drawn([e for e in records if e["model"] != "CAE"], ["DAE"], "t").axes
    (band,) = top.collections
    corners = {(round(x**2, 9), round(y, 9)) for x, y in band.get_paths()[0].vertices}
    low, high = [0.5, 0.4, 0.3, 0.2], [0.6, 0.5, 0.4, 0.3]
    assert corners == set(zip(SIGMA2, low, strict=True)) | set(zip(SIGMA2, high, strict=True))


def test_diverged_runs_are_marked_and_not_drawn(records, drawn):
    for seed in (0, 1):
        records.append(entry("DAE", 4.0, seed, status="diverged"))
    records.append(entry("CAE", 1.0, 2, status="diverged"))
    top, bottom = drawn(records, ["DAE", "CAE", "SAE"], "t").axes
    found = lines(top)
    assert found["DAE diverged"].get_xdata().tolist() == [2.0]
    assert found["CAE diverged"].get_xdata().tolist() == [1.0]
    assert found["DAE diverged"].get_color() == found["DAE"].get_color() != found["CAE"].get_color()
    assert np.isnan(found["DAE"].get_ydata()[-1]) and not any("diverged" in label for label in lines(bottom))
    assert "SAE diverged" not in found


@pytest.mark.parametrize(("peak", "marked"), [(19.0, False), (20.0, False), (21.0, True)])
def test_runs_that_broke_down_are_marked_and_not_drawn(records, drawn, peak, marked):
    records.append(entry("DAE", 4.0, active=0.07, peak=peak))
    found = lines(drawn(records, ["DAE"], "t").axes[0])
    assert np.isnan(found["DAE"].get_ydata()[-1]) == marked == ("DAE broken" in found)


def test_everything_is_labelled(records, drawn):
    figure = drawn(records, ["DAE", "CAE"], "A title\nthe data", "a note")
    top, bottom = figure.axes
    assert (figure.get_suptitle(), top.get_title(), top.texts[0].get_text()) == ("A title", "the data", "a note")
    assert "average activation fraction" in top.get_ylabel() and "dead units" in bottom.get_ylabel()
    assert r"\sigma^2" in bottom.get_xlabel()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["DAE", "CAE"]
    assert [label.get_text() for label in bottom.get_xticklabels()] == ["0", ".01", ".25", "1"]
    assert not drawn(records, ["DAE"], "t").axes[0].texts


def test_the_axis_is_linear_in_sigma(records, drawn):
    ax = drawn(records, ["DAE"], "t").axes[-1]
    assert ax.get_xscale() == "linear"
    assert ax.get_xticks().tolist() == pytest.approx(np.sqrt(SIGMA2))


@pytest.mark.parametrize(
    "made",
    [
        [entry("AE", 0.0)],
        [entry("DAE", 0.001)],
        [entry("DAE", 1.0, status="diverged")],
        [entry("AE", 0.0), entry("DAE", 100.0, peak=1e9), entry("SAE", 1e-6)],
    ],
)
def test_few_records_are_saved_without_a_warning(tmp_path, drawn, made):
    """Warnings are errors in these tests."""
    drawn(made, ["DAE", "mDAE", "SAE"], "t").savefig(tmp_path / "f.png")
    assert (tmp_path / "f.png").read_bytes().startswith(b"\x89PNG")


@given(order=st.permutations(range(10)))
def test_by_sigma2_is_in_order_and_complete(order):
    made = [entry("DAE", s, seed, active=s + seed / 1000) for s in (0.01, 0.09, 0.25, 1.0) for seed in (0, 1)]
    made += [entry("AE", 0.0), entry("SAE", 0.5)]
    points = list(model_curves.by_sigma2([made[k] for k in order], "DAE", "activation_fraction"))
    assert [sigma2 for sigma2, _ in points] == [0.0, 0.01, 0.09, 0.25, 1.0]
    assert [sorted(values) for _, values in points[1:]] == [[s, s + 0.001] for s in (0.01, 0.09, 0.25, 1.0)]


def test_the_auto_encoder_stands_for_every_model_at_zero_and_only_there():
    made = [entry("AE", 0.0, active=0.1), entry("AE", 1.0, active=0.2), entry("DAE", 1.0, active=0.3)]
    assert dict(model_curves.by_sigma2(made, "DAE", "activation_fraction")) == {0.0: [0.1], 1.0: [0.3]}
    assert dict(model_curves.by_sigma2(made, "AE", "activation_fraction")) == {0.0: [0.1], 1.0: [0.2]}


def test_models_are_told_apart_by_colour_and_by_marker():
    names = [*style.STYLES, "KL", "L1", "CAE+H", "taylor_dae"]
    looks = [style.style(name, position) for position, name in enumerate(names)]
    assert len({look["color"] for look in looks}) == len({look["marker"] for look in looks}) == len(names)
    assert style.style("CAE")["markerfacecolor"] == "none"


def test_one_seed_has_no_band(drawn):
    made = [entry("AE", 0.0), entry("DAE", 1.0, active=0.25)]
    assert not drawn(made, ["DAE"], "t").axes[0].collections


def test_differences_are_seed_by_seed_and_stand_in_a_panel_of_their_own(drawn):
    made = [entry("AE", 0.0), entry("DAE", 1.0, 0, 0.3), entry("DAE", 1.0, 1, 0.1), entry("DAE", 0.25, 0, 0.4)]
    made += [entry("SAE", 1.0, 0, 0.302), entry("SAE", 1.0, 1, 0.104), entry("SAE", 0.25, 1, 0.9)]
    found = model_curves.differences(made, "SAE", "DAE")
    assert list(found) == [1.0] and found[1.0] == pytest.approx([0.002, 0.004])
    top, below = drawn(made, ["DAE", "SAE"], "t", reference="DAE").axes
    assert lines(below)["SAE"].get_ydata().tolist() == pytest.approx([0.003]) and "DAE" not in lines(below)
    assert below.get_ylabel().startswith("minus DAE's") and "logarithmic beyond" in below.get_ylabel()
    assert list(lines(top)) == ["DAE", "SAE"]


def test_labels_of_a_dense_grid_do_not_touch(drawn, tmp_path):
    grid = (0.0, 1e-5, 1e-4, 0.001, 0.002, 0.01, 0.9, 0.95, 1.0)
    figure = drawn([entry("AE", 0.0), *(entry("DAE", s) for s in grid[1:])], ["DAE"], "t")
    figure.savefig(tmp_path / "f.png", dpi=100)
    labels = [label for label in figure.axes[0].get_xticklabels() if label.get_text()]
    assert {"0", "1"} <= {label.get_text().strip() for label in labels} and len(labels) > 4
    for low in (False, True):
        boxes = [label.get_window_extent() for label in labels if label.get_text().startswith("\n") == low]
        assert all(a.x1 < b.x0 for a, b in itertools.pairwise(boxes))


def test_the_plain_autoencoder_is_spread_over_sigma2_only_if_it_is_shown(records):
    assert model_curves.spread_plain(records, ["DAE", "CAE"]) == records
    own = [*records, entry("AE", 1.0, 0, 0.9)]
    spread = model_curves.of_model(model_curves.spread_plain(own, ["AE", "DAE"], [*SIGMA2, 2.0]), "AE")
    found = {(e["config"]["sigma2"], e["config"]["seed"]): e["metrics"]["activation_fraction"] for e in spread}
    assert len(spread) == len(found) == 10
    assert found == {(s, k): 0.9 if (s, k) == (1.0, 0) else 0.5 + k / 10 for s in (*SIGMA2, 2.0) for k in (0, 1)}
    assert {e["config"]["sigma2"] for e in model_curves.spread_plain(own, ["AE", "DAE"], [2.0])} == {2.0}
