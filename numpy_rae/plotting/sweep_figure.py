"""A sweep over sigma^2 on one data set, in the style of the paper's figures."""

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
        Records of the runs. Bands span the seeds.
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
<<<<<<< HEAD
    heading, _, data = title.partition("\n")
    return paper_figure.trend([paper_figure.Panel(list(records), models, data, note)], heading, reference)
=======
    records = list(records)
    figure = new_figure(7, 6)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    for position, model in enumerate(models):
        for ax, key in ((top, "activation_fraction"), (bottom, "dead_fraction")):
            _line(ax, records, model, key, style(model, position))
        _mark_diverged(top, records, model, style(model, position))
    _mark_exploded(top, records)
    _dress(top, bottom, records)
    figure.suptitle(title, fontsize=12)
    if note:
        figure.supxlabel(note, fontsize=9, color="#555555")
    return figure


def belongs(entry: Record, model: str) -> bool:
    """Return whether a record is of this model. The plain auto-encoder at sigma^2 = 0 is of every model.

    Parameters
    ----------
    entry : dict
        A record.
    model : str
        Name of the model.

    Returns
    -------
    bool
        Whether the record is of this model.
    """
    return entry["model"] == model or (entry["model"] == "AE" and _sigma2(entry) == 0)


def of_model(records: Iterable[Record], model: str) -> list[Record]:
    """Return a model's records in the order of sigma^2.

    The record of the plain auto-encoder is one of them, unless the model has its own record at sigma^2 = 0.

    Parameters
    ----------
    records : iterable of dict
        Records of any models.
    model : str
        Name of the model.

    Returns
    -------
    list of dict
        The model's records.
    """
    mine = [entry for entry in records if belongs(entry, model)]
    has_own = any(entry["model"] == model and _sigma2(entry) == 0 for entry in mine)
    return sorted((entry for entry in mine if entry["model"] == model or not has_own), key=_sigma2)


def spread_plain(records: Iterable[Record], models: Iterable[str], sigma2: Iterable[float] = ()) -> list[Record]:
    """Return the records with those of the plain auto-encoder, which ignores sigma^2, at every sigma^2.

    It is trained and stored once per seed, at sigma^2 = 0.

    Parameters
    ----------
    records : iterable of dict
        Stored records.
    models : iterable of str
        The models that are shown. Without "AE", nothing is added.
    sigma2 : iterable of float, optional
        Values of sigma^2 beside those of the records.

    Returns
    -------
    list of dict
        The records, then the copies. Where "AE" has a record of its own, no copy is added.
    """
    found = list(records)
    if "AE" not in models:
        return found
    grid = sorted({*map(_sigma2, found), *sigma2})
    plain = [entry for entry in found if entry["model"] == "AE"]
    there = {(_sigma2(entry), entry["config"]["seed"]) for entry in plain}
    copies = [
        {**entry, "config": {**entry["config"], "sigma2": value}}
        for entry in plain
        for value in grid
        if _sigma2(entry) == 0 and (value, entry["config"]["seed"]) not in there
    ]
    return found + copies


def _sigma2(entry: Record) -> float:
    """Return a record's sigma^2."""
    sigma2: float = entry["config"]["sigma2"]
    return sigma2


def by_sigma2(records: Iterable[Record], model: str, key: str) -> Iterator[tuple[float, list[float]]]:
    """Yield sigma^2 and a metric's values over the seeds, for a model's finished runs.

    Parameters
    ----------
    records : iterable of dict
        Records of any models.
    model : str
        Name of the model.
    key : str
        Name of the metric.

    Yields
    ------
    tuple of float and list of float
        sigma^2, and the metric of each run.
    """
    finished = (entry for entry in of_model(records, model) if entry["status"] == "ok")
    for sigma2, group in groupby(finished, key=_sigma2):
        yield sigma2, [entry["metrics"][key] for entry in group]


def _line(ax: Axes, records: list[Record], model: str, key: str, look: dict[str, Any]) -> None:
    """Draw the mean over the seeds, and a band between the lowest and the highest."""
    points = list(by_sigma2(records, model, key))
    x = [sigma2 for sigma2, _ in points]
    ax.plot(x, [np.mean(values) for _, values in points], label=model, linewidth=1.5, **look)
    low, high = [min(values) for _, values in points], [max(values) for _, values in points]
    ax.fill_between(x, low, high, color=look["color"], alpha=0.2, linewidth=0)


def _mark_diverged(ax: Axes, records: list[Record], model: str, look: dict[str, Any]) -> None:
    """Mark the values of sigma^2 at which a run diverged, at the top of the axes."""
    x = sorted({_sigma2(entry) for entry in of_model(records, model) if entry["status"] == "diverged"})
    if x:
        at_top = ax.get_xaxis_transform()
        label = f"{model} diverged"
        ax.plot(x, [0.97] * len(x), "x", color=look["color"], markersize=9, mew=2, transform=at_top, label=label)


def _mark_exploded(ax: Axes, records: list[Record]) -> None:
    """Circle the runs whose objective rose far above its start."""
    points = [(_sigma2(entry), entry["metrics"]["activation_fraction"]) for entry in records if exploded(entry)]
    if points:
        label = f"objective rose above {EXPLOSION} x its start"
        ax.plot(*zip(*points, strict=True), "o", mfc="none", mec="#444444", markersize=12, label=label)


def _dress(top: Axes, bottom: Axes, records: list[Record]) -> None:
    """Set scales, ticks, labels and the legend."""
    ticks = sorted({_sigma2(entry) for entry in records})
    root = (lambda s: np.sqrt(np.maximum(s, 0)), np.square)
    bottom.set_xscale("function", functions=root)
    bottom.set_xticks([s for s in ticks if s != 0.001], [f"{s:g}" for s in ticks if s != 0.001])
    bottom.set_xlabel(r"$\sigma^2$  (axis linear in $\sigma$)")
    top.set_ylabel("average activation fraction, Eq. (14)")
    bottom.set_ylabel("dead units")
    for ax in (top, bottom):
        ax.set_ylim(-0.03, 1.03)
        ax.grid(alpha=0.25)
    top.legend(frameon=False, ncols=2)
>>>>>>> own
