"""Count which of the runs of the paper's figures are stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from numpy_rae.experiments import record_checks
from numpy_rae.experiments.protocol import PROTOCOLS, Preset, Protocol
from numpy_rae.experiments.records import Record

Key = tuple[str, float, int]


def wanted(protocol: Protocol, preset: Preset, seeds: Iterable[int] = (0,)) -> set[Key]:
    """Return (model, sigma^2, seed) of the runs that a figure needs. At sigma^2 = 0 all models share one run, "AE".

    Parameters
    ----------
    protocol : Protocol
        The figure.
    preset : Preset
        Its size.
    seeds : iterable of int
        The seeds.

    Returns
    -------
    set of tuple
        One entry per distinct run.
    """
    return {
        ("AE" if sigma2 == 0 else model, float(sigma2), seed)
        for model in protocol.models
        for sigma2 in preset.sigma2
        for seed in seeds
    }


def key(entry: Record) -> Key:
    """Return model, sigma^2 and seed of a record.

    Parameters
    ----------
    entry : dict
        A record.

    Returns
    -------
    tuple
        The same kind of entry as in `wanted`. At sigma^2 = 0 the model is "AE".
    """
    config = entry["config"]
    return "AE" if config["sigma2"] == 0 else entry["model"], float(config["sigma2"]), config["seed"]


def fits(entry: Record, protocol: Protocol, preset: Preset) -> bool:
    """Return whether a record has the figure's activation and constraint, and the preset's size.

    Parameters
    ----------
    entry : dict
        A record.
    protocol : Protocol
        The figure.
    preset : Preset
        Its size.

    Returns
    -------
    bool
        True if the run belongs to the figure. Its model, sigma^2 and seed are not checked.
    """
    config = entry["config"]
    return (
        entry["activation"] == protocol.activation
        and (config["constraint"], config["epochs"], config["hidden"])
        == (protocol.constraint, preset.epochs, preset.hidden)
        and entry["data"]["count"] == preset.samples
    )


def coverage(
    folder: Path,
    names: Iterable[str],
    preset: str = "paper",
    seeds: Sequence[int] = (0,),
    sigma2: Sequence[float] | None = None,
) -> dict[str, tuple[int, int]]:
    """Count the stored runs of figures, and the runs that the figures need.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the results files, <name>-<preset>.jsonl.
    names : iterable of str
        Names in `protocol.PROTOCOLS`.
    preset : str
        Name of the preset.
    seeds : sequence of int
        The seeds that are wanted.
    sigma2 : sequence of float, optional
        The values of sigma^2 that are wanted. The default is all values of the preset.

    Returns
    -------
    dict
        Two numbers by name: how many of the wanted runs are stored, and how many runs are wanted.
    """
    counts = {}
    for name in names:
        protocol, size = PROTOCOLS[name], PROTOCOLS[name].presets()[preset]
        needed = {each for each in wanted(protocol, size, seeds) if sigma2 is None or each[1] in sigma2}
        entries = record_checks.load_records(folder / f"{name}-{preset}.jsonl")
        stored = {key(entry) for entry in entries if fits(entry, protocol, size)}
        counts[name] = len(stored & needed), len(needed)
    return counts


def as_text(counts: dict[str, tuple[int, int]]) -> str:
    """Return one line per figure and the sum.

    Parameters
    ----------
    counts : dict
        Result of `coverage`.

    Returns
    -------
    str
        Lines without the last newline.
    """
    lines = [f"{name:<26} {stored:>4} of {needed:>4} runs" for name, (stored, needed) in counts.items()]
    stored, needed = (sum(column) for column in zip(*counts.values(), strict=True))
    return "\n".join([*lines, f"{'all':<26} {stored:>4} of {needed:>4} runs"])
