"""The paper's figures from made records: panels, bands, gaps, marks above the axes, legend and sizes."""

import itertools

import numpy as np
import pytest
from test_sweep_figure import entry

from numpy_rae.plotting.paper_figure import Panel, failure, history, trend

SIGMA2 = (0.0, 0.001, 0.01, 0.25, 1.0)
MODELS = ("DAE", "CAE", "mDAE", "SAE")


def made(seeds=(0,), dead=0.0):
    """Return the records of a small complete figure, in which CAE and mDAE coincide."""
    plain = [entry("AE", 0.0, seed, 0.5) for seed in seeds]
    level = {"DAE": 0.3, "CAE": 0.5, "mDAE": 0.5, "SAE": 0.2}
    rest = [entry(m, s, seed, level[m] + seed / 50, dead) for m in MODELS for s in SIGMA2[1:] for seed in seeds]
    return plain + rest


def lines(ax):
    return {line.get_label(): line for line in ax.lines}


def drawn(figure, tmp_path):
    """Save the figure, so that its layout is computed, and return it. Warnings are errors."""
    figure.savefig(tmp_path / "f.png", dpi=100)
    return figure


def two(records=None, other=None):
    return [Panel(made() if records is None else records, MODELS, "MNIST"), Panel(other or made(), MODELS, "CIFAR-10")]


def test_mnist_is_left_and_cifar_right(tmp_path):
    figure = drawn(trend(two(), "Fig. 1"), tmp_path)
    left, right = figure.axes
    assert [left.get_title(), right.get_title(), figure.get_suptitle()] == ["MNIST", "CIFAR-10", "Fig. 1"]
    assert left.get_position().x1 < right.get_position().x0
    assert left.get_position().width == pytest.approx(right.get_position().width, abs=0.02)
    x, y = lines(left)["DAE"].get_data()
    assert (x**2).tolist() == pytest.approx(SIGMA2) and y.tolist() == [0.5, 0.3, 0.3, 0.3, 0.3]


def test_a_data_set_without_runs_takes_no_room():
    (only,) = trend(two([]), "t").axes
    assert only.get_title() == "CIFAR-10"


def test_bands_only_where_there_are_seeds():
    left, right = trend(two(made((0, 1))), "t").axes
    assert len(left.collections) == 4 and not right.collections
    assert lines(left)["DAE"].get_ydata()[1:].tolist() == pytest.approx([0.31] * 4)


def test_a_bar_shows_the_seeds_where_the_neighbours_have_one():
    more = [record for record in made((1, 2)) if record["config"]["sigma2"] in (0.0, 0.01, 1.0)]
    left, _ = trend(two(made() + more), "t").axes
    bars = left.collections[0].get_segments()
    assert [round(float(x) ** 2, 9) for (x, _), _ in bars] == [0.0, 0.01, 1.0]
    assert [y for (_, y) in bars[1]] == pytest.approx([0.3, 0.34])
    assert not np.isnan(lines(left)["DAE"].get_ydata()).any()


@pytest.mark.parametrize(("dead", "axes"), [(0.0, 2), (0.1, 2), (0.11, 4)])
def test_dead_units_have_a_panel_only_if_there_is_something_to_see(dead, axes):
    assert len(trend(two(made(dead=dead)), "t").axes) == axes


def test_dead_units_of_broken_runs_do_not_make_a_panel():
    assert len(trend(two([*made(), entry("SAE", 4.0, dead=1.0, peak=1e9)]), "t").axes) == 2


def test_failed_runs_are_marked_above_the_axes_and_leave_a_gap(tmp_path):
    records = [e for e in made() if (e["model"], e["config"]["sigma2"]) not in {("SAE", 0.25), ("DAE", 1.0)}]
    records += [entry("SAE", 0.25, status="diverged"), entry("DAE", 1.0, active=0.01, peak=1e9)]
    figure = drawn(trend(two(records), "t"), tmp_path)
    left, right = figure.axes
    found = lines(left)
    assert np.isnan(found["SAE"].get_ydata()).tolist() == [False, False, False, True, False]
    assert np.isnan(found["DAE"].get_ydata()).tolist() == [False] * 4 + [True]
    spine = left.get_window_extent().y1
    heights = {}
    for label, sigma2 in (("SAE diverged", 0.25), ("DAE broken", 1.0)):
        (mark,) = found[label].get_transform().transform(found[label].get_xydata())
        assert mark[1] > spine + 3 and found[label].get_xdata() == pytest.approx([sigma2**0.5])
        assert not found[label].get_clip_on() and found[label].get_color() == found[label[:3]].get_color()
        heights[label] = mark[1]
    assert abs(heights["SAE diverged"] - heights["DAE broken"]) > 5, "each model needs its own row of marks"
    assert not any("diverged" in label or "broken" in label for label in lines(right))
    (legend,) = figure.legends
    assert legend.get_title().get_text() == "above the axes: × diverged, ○ broke down (not part of the line)"
    assert left.title.get_window_extent().y0 > max(heights.values())


def test_a_missing_run_is_a_gap_not_a_long_line():
    records = [e for e in made() if e["config"]["sigma2"] != 0.01]
    left, right = trend(two(records), "t").axes
    assert np.isnan(lines(left)["CAE"].get_ydata()).tolist() == [False, False, True, False, False]
    assert not np.isnan(lines(right)["CAE"].get_ydata()).any()


def test_the_legend_stands_once_below_the_axes_and_touches_nothing(tmp_path):
    figure = drawn(trend(two(made(dead=0.5)), "t"), tmp_path)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == list(MODELS)
    assert all(ax.get_legend() is None for ax in figure.axes)
    below = min(ax.get_tightbbox().y0 for ax in figure.axes)
    assert 0 <= legend.get_window_extent().y0 and legend.get_window_extent().y1 <= below + 1


def test_every_sigma2_has_a_tick_and_no_two_labels_touch(tmp_path):
    grid = (0.0, 0.001, *(round((k / 10) ** 2, 2) for k in range(1, 11)))
    records = [entry("AE", 0.0), *(entry("DAE", s) for s in grid[1:])]
    figure = drawn(trend([Panel(records, ("DAE",), "x")] * 2, "t"), tmp_path)
    for ax in figure.axes:
        labels = ax.get_xticklabels()
        assert [label.get_text().strip() for label in labels] == [
            "0", ".001", ".01", ".04", ".09", ".16", ".25", ".36", ".49", ".64", ".81", "1",
        ]  # fmt: skip
        boxes = [label.get_window_extent() for label in labels if not label.get_text().startswith("\n")]
        assert all(a.x1 < b.x0 for a, b in itertools.pairwise(boxes))


def test_marks_at_the_ends_are_inside_the_axes_and_not_clipped():
    for line in trend(two(), "t").axes[0].lines:
        low, high = line.axes.get_xlim()
        assert low < line.get_xdata()[0] and line.get_xdata()[-1] < high and not line.get_clip_on()


def test_cae_and_mdae_are_told_apart_where_they_coincide():
    cae, mdae = (lines(trend(two(), "t").axes[0])[model] for model in ("CAE", "mDAE"))
    assert cae.get_ydata().tolist() == mdae.get_ydata().tolist()
    assert cae.get_markerfacecolor() == "none" and cae.get_markersize() > 1.5 * mdae.get_markersize()
    assert cae.get_linestyle() == "-" != mdae.get_linestyle() and cae.get_color() != mdae.get_color()


def test_notes_stand_between_title_and_axes(tmp_path):
    panels = [Panel(made(), MODELS, "MNIST", "12 of 45 runs"), Panel(made(), MODELS, "CIFAR-10")]
    figure = drawn(trend(panels, "t"), tmp_path)
    (note,) = figure.axes[0].texts
    box = note.get_window_extent()
    assert note.get_text() == "12 of 45 runs"
    assert figure.axes[0].get_window_extent().y1 < box.y0 and box.y1 <= figure.axes[0].title.get_window_extent().y0 + 1
    assert len({round(ax.title.get_window_extent().y0) for ax in figure.axes}) == 1


def test_letters_are_legible_at_900_pixels():
    figure = trend(two(), "t")
    sizes = [text.get_fontsize() for ax in figure.axes for text in (*ax.get_xticklabels(), *ax.get_yticklabels())]
    assert min(sizes) * 900 / (figure.get_figwidth() * 72) >= 10


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"peak_objective": 1e9}, None),
        ({"peak_objective": 101.0, "mean_square": 5.0}, "broken"),
        ({"peak_objective": 101.0, "mean_square": 50.0}, None),
        ({"peak_objective": 101.0, "data": {"std_offset": 0.0, "shape": [9, 50]}}, None),
        ({"peak_objective": 501.0, "data": {"std_offset": 0.0, "shape": [9, 50]}}, "broken"),
        ({"peak_objective": 1e9, "data": {"std_offset": 0.1, "shape": [9, 50]}}, None),
        ({"status": "diverged", "metrics": None}, "diverged"),
    ],
)
def test_failures_follow_the_rule_of_breakdown(more, expected):
    record = entry("SAE", 1.0)
    record["metrics"]["loss"] = 40.0
    del record["mean_square"]
    assert failure({**record, **more}) == expected


def with_history(record, values):
    return {**record, "history": [{"epoch": k + 1, "activation_fraction": v} for k, v in enumerate(values)]}


def test_the_history_has_a_row_per_data_set_a_column_per_model_and_a_line_per_run(tmp_path):
    records = [with_history(e, [0.9, e["metrics"]["activation_fraction"]]) for e in made()]
    figure = drawn(
        history([Panel(records, MODELS, "MNIST"), Panel([], MODELS, "-"), Panel(records, MODELS, "C")], "t"), tmp_path
    )
    axes = np.reshape(figure.axes, (2, 4))
    assert [ax.get_title() for ax in axes[0]] == list(MODELS) and axes[1, 0].get_ylabel().startswith("C\n")
    for ax, level in zip(axes[0], (0.3, 0.5, 0.5, 0.2), strict=True):
        assert [line.get_ydata().tolist() for line in ax.lines] == [[0.9, 0.5], *[[0.9, level]] * 4]
        assert ax.lines[0].get_color() == "black" and ax.lines[0].get_xdata().tolist() == [1, 2]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["0", "0.001", "0.01", "0.25", "1"]
    assert legend.get_window_extent().x0 > max(ax.get_window_extent().x1 for ax in figure.axes)
