"""The pictures of `reproduce`: one per figure of the paper, with both data sets, as PNG and PDF."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy_rae.data.data_spec import recorded_label
from numpy_rae.experiments import coverage
from numpy_rae.experiments.protocol import FIGURES, PROTOCOLS
from numpy_rae.experiments.records import Record
from numpy_rae.experiments.tables import length_note
from numpy_rae.plotting import paper_figure, style
from numpy_rae.plotting.paper_figure import Panel

SUFFIXES = (".png", ".pdf")
# For these figures the curves over the epochs are also drawn: in Fig. 4 units still change after 50,000 updates.
WITH_HISTORY = ("fig4",)
DATA_NAMES = {"mnist": "MNIST", "cifar10": "CIFAR-10"}


def data_label(entries: list[Record]) -> str:
    """Return the name of the data of a figure's records.

    Parameters
    ----------
    entries : list of dict
        The records, at least one.

    Returns
    -------
    str
        `data_spec.recorded_label` of the last record.
    """
    return recorded_label(entries[-1]["data"])


def _panel(name: str, entries: list[Record], preset: str) -> Panel:
    """Return one half of a figure: the records, the data set's name, and a note on missing runs."""
    protocol = PROTOCOLS[name]
    if not entries:
        return Panel([], protocol.models, DATA_NAMES[protocol.source], "no run is stored")
    seeds = sorted({entry["config"]["seed"] for entry in entries})
    needed = coverage.wanted(protocol, protocol.presets()[preset], seeds)
    stored = len(needed & {coverage.key(entry) for entry in entries})
    notes = [f"{stored} of {len(needed)} runs"] if stored < len(needed) else []
    notes += [f"{len(seeds)} seeds; bands and bars span them"] if len(seeds) > 1 else []
    notes += [note] if (note := length_note(protocol, entries)) else []
    return Panel(entries, protocol.models, style.plain(data_label(entries)), "; ".join(notes))


def _panels(group: str, entries: dict[str, list[Record]], preset: str) -> list[Panel]:
    """Return the halves of a figure, for the protocols that are in `entries`."""
    found = [protocol.name for protocol in FIGURES[group] if protocol.name in entries]
    return [_panel(name, entries[name], preset) for name in found]


def save(entries: dict[str, list[Record]], out: Path, preset: str) -> int:
    """Draw and save every figure that has a record.

    Parameters
    ----------
    entries : dict
        Records by the name of their protocol.
    out : pathlib.Path
        Folder of the pictures.
    preset : str
        The preset's name, which is part of the files' names.

    Returns
    -------
    int
        0.

    Raises
    ------
    StoreError
        If a picture cannot be drawn or written.
    """
    for group, protocols in FIGURES.items():
        halves = _panels(group, entries, preset)
        if not any(half.records for half in halves):
            continue
        _save(paper_figure.trend(halves, protocols[0].title), out / f"{group}-{preset}")
        if group in WITH_HISTORY:
            title = f"{protocols[0].title}, over the epochs"
            _save(paper_figure.history(halves, title), out / f"{group}-{preset}-history")
    return 0


def _save(figure: Any, stem: Path) -> None:
    """Save a figure in every format."""
    for suffix in SUFFIXES:
        style.save_picture(figure, stem.with_name(stem.name + suffix))
        print(f"picture: {stem}{suffix}")
