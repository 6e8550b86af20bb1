"""Figures from made records: every line, band and mark is where the records say."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_rae import breakdown
from numpy_rae.plotting import style, sweep_figure

SIGMA2 = (0.0, 0.01, 0.25, 1.0)


def entry(model, sigma2, seed=0, active=0.5, dead=0.0, status="ok", peak=1.0):
    """A record as far as figures read it."""
    ok = status == "ok"
    return {
        "model": model,
        "config": {"sigma2": sigma2, "seed": seed},
        "status": status,
        "metrics": {"activation_fraction": active, "dead_fraction": dead} if ok else None,
        "first_objective": 1.0,
        "peak_objective": peak,
    }


@pytest.fixture
def records():
    """Two models, two seeds, the plain auto-encoder at 0; in no order."""
    made = [entry("AE", 0.0, seed, 0.5 + seed / 10, 0.0) for seed in (0, 1)]
    for position, model in enumerate(("DAE", "CAE")):
        for k, sigma2 in enumerate(SIGMA2[1:]):
            made += [entry(model, sigma2, seed, 0.4 - 0.1 * k + seed / 10, position * k / 10) for seed in (1, 0)]
    return made[::-1]


@pytest.fixture
def drawn():
    """`sweep_figure.trend`, with every figure closed afterwards."""
    yield sweep_figure.trend
    plt.close("all")


def lines(ax):
    """The lines of an axes by label."""
    return {line.get_label(): line for line in ax.lines}


def test_every_line_is_the_mean_over_the_seeds(records, drawn):
    top, bottom = drawn(records, ["DAE", "CAE"], "t").axes
    assert list(lines(top)) == list(lines(bottom)) == ["DAE", "CAE"]
    for model, dead in (("DAE", [0, 0, 0, 0]), ("CAE", [0, 0, 0.1, 0.2])):
        x, y = lines(top)[model].get_data()
        assert x.tolist() == list(SIGMA2)
        assert y.tolist() == pytest.approx([0.55, 0.45, 0.35, 0.25])
        assert lines(bottom)[model].get_data()[1].tolist() == pytest.approx(dead)


def test_bands_span_the_seeds(records, drawn):
    top, _bottom = drawn(records, ["DAE"], "t").axes
    (band,) = top.collections
    corners = {(round(x, 9), round(y, 9)) for x, y in band.get_paths()[0].vertices}
    low, high = [0.5, 0.4, 0.3, 0.2], [0.6, 0.5, 0.4, 0.3]
    assert corners == set(zip(SIGMA2, low, strict=True)) | set(zip(SIGMA2, high, strict=True))


def test_diverged_runs_are_marked_and_not_drawn(records, drawn):
    for seed in (0, 1):
        records.append(entry("DAE", 4.0, seed, status="diverged"))
    records.append(entry("CAE", 1.0, 2, status="diverged"))
    top, bottom = drawn(records, ["DAE", "CAE", "SAE"], "t").axes
    found = lines(top)
    assert found["DAE diverged"].get_xdata().tolist() == [4.0]
    assert found["CAE diverged"].get_xdata().tolist() == [1.0]
    assert found["DAE diverged"].get_color() == found["DAE"].get_color() != found["CAE"].get_color()
    assert 4.0 not in found["DAE"].get_xdata() and not any("diverged" in label for label in lines(bottom))
    assert "SAE diverged" not in found


@pytest.mark.parametrize(("peak", "marked"), [(99.0, False), (100.0, False), (101.0, True)])
def test_runs_whose_objective_exploded_are_ringed(records, drawn, peak, marked):
    records.append(entry("DAE", 4.0, active=0.07, peak=peak))
    found = lines(drawn(records, ["DAE"], "t").axes[0])
    assert 4.0 in found["DAE"].get_xdata()
    rings = [line for label, line in found.items() if "above 100 x its start" in label]
    assert [ring.get_xydata().tolist() for ring in rings] == ([[[4.0, 0.07]]] if marked else [])


def test_a_diverged_run_is_not_also_exploded():
    assert not breakdown.exploded(entry("DAE", 1.0, status="diverged", peak=1e9))
    assert breakdown.exploded(entry("DAE", 1.0, peak=1e9))


def test_everything_is_labelled(records, drawn):
    figure = drawn(records, ["DAE", "CAE"], "A title", "a note")
    top, bottom = figure.axes
    assert figure.get_suptitle() == "A title" and figure.get_supxlabel() == "a note"
    assert "average activation fraction" in top.get_ylabel() and "dead units" in bottom.get_ylabel()
    assert r"\sigma^2" in bottom.get_xlabel()
    assert [text.get_text() for text in top.get_legend().get_texts()] == ["DAE", "CAE"]
    assert [label.get_text() for label in bottom.get_xticklabels()] == ["0", "0.01", "0.25", "1"]
    assert drawn(records, ["DAE"], "t").get_supxlabel() == ""


def test_the_axis_is_linear_in_sigma(records, drawn):
    ax = drawn(records, ["DAE"], "t").axes[1]
    place = ax.transData.transform([(0.0, 0), (0.25, 0), (1.0, 0)])[:, 0]
    assert place[1] - place[0] == pytest.approx(place[2] - place[1])


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
    points = list(sweep_figure.by_sigma2([made[k] for k in order], "DAE", "activation_fraction"))
    assert [sigma2 for sigma2, _ in points] == [0.0, 0.01, 0.09, 0.25, 1.0]
    assert [sorted(values) for _, values in points[1:]] == [[s, s + 0.001] for s in (0.01, 0.09, 0.25, 1.0)]


def test_the_auto_encoder_stands_for_every_model_at_zero_and_only_there():
    made = [entry("AE", 0.0, active=0.1), entry("AE", 1.0, active=0.2), entry("DAE", 1.0, active=0.3)]
    assert dict(sweep_figure.by_sigma2(made, "DAE", "activation_fraction")) == {0.0: [0.1], 1.0: [0.3]}
    assert dict(sweep_figure.by_sigma2(made, "AE", "activation_fraction")) == {0.0: [0.1], 1.0: [0.2]}


def test_models_are_told_apart_by_colour_and_by_marker():
    names = [*style.STYLES, "KL", "L1", "CAE+H", "taylor_dae"]
    looks = [style.style(name, position) for position, name in enumerate(names)]
    assert len({look["color"] for look in looks}) == len({look["marker"] for look in looks}) == len(names)
    assert style.style("CAE")["markerfacecolor"] == "none"


def test_a_band_of_one_seed_has_no_height(drawn):
    made = [entry("AE", 0.0), entry("DAE", 1.0, active=0.25)]
    (band,) = drawn(made, ["DAE"], "t").axes[0].collections
    assert set(np.round(band.get_paths()[0].vertices[:, 1], 9)) == {0.5, 0.25}


def test_the_plain_autoencoder_is_spread_over_sigma2_only_if_it_is_shown(records):
    assert sweep_figure.spread_plain(records, ["DAE", "CAE"]) == records
    own = [*records, entry("AE", 1.0, 0, 0.9)]
    spread = sweep_figure.of_model(sweep_figure.spread_plain(own, ["AE", "DAE"], [2.0]), "AE")
    found = {(e["config"]["sigma2"], e["config"]["seed"]): e["metrics"]["activation_fraction"] for e in spread}
    assert len(spread) == len(found) == 10
    assert found == {(s, k): 0.9 if (s, k) == (1.0, 0) else 0.5 + k / 10 for s in (*SIGMA2, 2.0) for k in (0, 1)}
