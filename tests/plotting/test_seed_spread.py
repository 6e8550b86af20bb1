"""The spread over the seeds: bands between neighbours that have several seeds, bars elsewhere."""

import pytest
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure

from numpy_rae.plotting.seed_spread import draw_spread

GRID = (0.0, 0.01, 0.04, 0.25, 1.0)


def spread(values, grid=GRID):
    """Return the corners of each band and the bars, both as sets of (sigma^2, height)."""
    ax = Figure().subplots()
    draw_spread(ax, values, grid, "black")
    bands, bars = [], []
    for drawn in ax.collections:
        if isinstance(drawn, LineCollection):
            bars += [corners(segment) for segment in drawn.get_segments()]
        else:
            assert isinstance(drawn, PolyCollection)
            bands += [corners(path.vertices) for path in drawn.get_paths()]
    return bands, bars


def corners(points):
    return {(round(float(x) ** 2, 9), round(float(y), 9)) for x, y in points}


def ends(*sigma2):
    return {(s, height) for s in sigma2 for height in (0.1, 0.3)}


SEVERAL, ONE = [0.3, 0.1, 0.2], [0.2]


@pytest.mark.parametrize(
    ("several", "bands", "bars"),
    [
        (GRID, [ends(*GRID)], []),
        ((0.0, 0.04, 1.0), [], [ends(0.0), ends(0.04), ends(1.0)]),
        ((0.0, 0.01, 0.25), [ends(0.0, 0.01)], [ends(0.25)]),
        ((0.0, 0.01, 0.25, 1.0), [ends(0.0, 0.01), ends(0.25, 1.0)], []),
        ((), [], []),
    ],
)
def test_a_band_never_spans_a_value_with_one_seed(several, bands, bars):
    assert spread({s: SEVERAL if s in several else ONE for s in GRID}) == (bands, bars)


def test_a_missing_value_ends_the_band():
    bands, bars = spread({s: SEVERAL for s in GRID if s != 0.04})
    assert bands == [ends(0.0, 0.01), ends(0.25, 1.0)] and bars == []


def test_one_value_of_sigma2_has_a_bar():
    assert spread({1.0: SEVERAL}, (1.0,)) == ([], [ends(1.0)])
