"""Draw a sweep over sigma^2 on one data set, in the style of the paper's figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from numpy_rae.plotting import paper_figure

if TYPE_CHECKING:  # matplotlib is loaded when the first picture is drawn
    from matplotlib.figure import Figure


def trend(
    records: Iterable[dict[str, Any]], models: Sequence[str], title: str, note: str = "", reference: str | None = None
) -> Figure:
    """Return a figure of average activation fraction, Eq. (14), against sigma^2, one line per model.

    Parameters
    ----------
    records : iterable of dict
        Records of the runs. Bands go from the smallest to the largest value over the seeds.
    models : sequence of str
        Names of the models, in the order of the legend.
    title : str
        Title of the figure. The text after a line break names the data and stands above the axes.
    note : str
        Small text above the axes.
    reference : str, optional
        Model whose activation fraction is subtracted from the others' in a second panel.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, see `paper_figure.trend`.
    """
    heading, _, data = title.partition("\n")
    return paper_figure.trend([paper_figure.Panel(list(records), models, data, note)], heading, reference)
