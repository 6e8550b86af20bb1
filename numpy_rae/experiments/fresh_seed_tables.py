"""Markdown tables of the trials with fresh seeds: outcomes, their numbers, and what the predictions add."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from numpy_rae.certificates.paired_outcome import PairResult
from numpy_rae.certificates.prediction_value import Gain, gain
from numpy_rae.certificates.training_outcome import (
    DENSER,
    DIVERGED,
    FORESEEN,
    INCONCLUSIVE,
    REFUTED,
    SPARSER,
    UNAFFECTED,
)
from numpy_rae.certificates.verdict import UNDETERMINED
from numpy_rae.experiments.records import Record

OUTCOMES = (SPARSER, UNAFFECTED, DENSER, INCONCLUSIVE, DIVERGED)
PREDICTIONS = (*FORESEEN, UNDETERMINED)
VARIANTS = {False: "projection", True: "tangent"}
SHOWN = {DIVERGED: "broke down"}
ALL = "all settings"


def all_tables(results: Sequence[PairResult], records: Sequence[Record]) -> list[str]:
    """Return the tables in the order of printing.

    Parameters
    ----------
    results : sequence of PairResult
        The results of all pairs.
    records : sequence of dict
        The records of all trials.

    Returns
    -------
    list of str
        For each variant the outcomes, then the runs that broke down, the numbers of outcomes, what the predictions add,
        and the sizes of the changes.
    """
    shown = [outcomes(own) for own in _split(results, "tangent")]
    return [*shown, broken_runs(records), tally(results), gains(results), effect_sizes(results)]


def outcomes(results: Sequence[PairResult]) -> str:
    """Return the table of the outcomes of one variant, with one column for each setting.

    Parameters
    ----------
    results : sequence of PairResult
        The results of one variant.

    Returns
    -------
    str
        A table in Markdown, one line for each pair.
    """
    settings = list(dict.fromkeys(result.setting for result in results))
    lines = _head(f"variant: {VARIANTS[results[0].tangent]}", "penalty", "prediction", *settings)
    by_pair: dict[tuple[str, str], list[PairResult]] = {}
    for result in results:
        by_pair.setdefault((result.certificate.activation, result.certificate.penalty), []).append(result)
    for pair, own in by_pair.items():
        lines.append(_line(*pair, own[0].certificate.prediction, *map(_cell, own)))
    return "\n".join(lines)


def _cell(result: PairResult) -> str:
    """Return the outcome, A at both lambdas and the change with its interval. A wrong prediction is bold."""
    name = SHOWN.get(result.outcome, result.outcome)
    name = f"**{name}**" if result.agreement == REFUTED else name
    if result.interval is None:
        return name
    if result.same_params == len(result.sweep.fraction[-1]):
        return f"{name}: the same W and b_e"
    ends = result.sweep.fraction[-1].mean(axis=0)
    mean, low, high = result.interval
    return f"{name}: {ends[0]:.3f} -> {ends[-1]:.3f}, {mean:+.4f} [{low:+.4f}, {high:+.4f}]"


def broken_runs(records: Sequence[Record]) -> str:
    """Return the figures of the runs that broke down and still reached the last length.

    Parameters
    ----------
    records : sequence of dict
        The records of all trials.

    Returns
    -------
    str
        A table in Markdown, one line for each pair, with means over the seeds.
    """
    groups: dict[tuple[str, ...], list[Record]] = {}
    for entry in records:
        if entry["status"] == "broken":
            key = (VARIANTS[entry["tangent"]], entry["data"], str(_hidden(entry)), entry["activation"], entry["model"])
            groups.setdefault(key, []).append(entry)
    lines = _head("variant", "data", "m", "activation", "penalty", "runs that broke down", "A", "dead", "loss")
    for group, own in groups.items():
        A, dead, loss = (sum(entry[name][-1] for entry in own) / len(own) for name in ("fraction", "dead", "loss"))
        lines.append(_line(*group, len(own), f"{A:.3f}", f"{dead:.3f}", f"{loss:.2f}"))
    return "\n".join(lines)


def _hidden(entry: Record) -> int:
    """Return the number of hidden units of a record."""
    hidden: int = entry["identity"]["config"]["hidden"]
    return hidden


def tally(results: Sequence[PairResult]) -> str:
    """Return the numbers of outcomes for each variant, setting and prediction.

    Parameters
    ----------
    results : sequence of PairResult
        The results.

    Returns
    -------
    str
        A table in Markdown.
    """
    lines = _head("variant", "setting", "prediction", "pairs", *(SHOWN.get(name, name) for name in OUTCOMES))
    for name, own in _groups_and_sums(results):
        for prediction in PREDICTIONS:
            seen = [result.outcome for result in own if result.certificate.prediction == prediction]
            lines.append(_line(*name, prediction, len(seen), *map(seen.count, OUTCOMES)))
    return "\n".join(lines)


def gains(results: Sequence[PairResult]) -> str:
    """Return what the predictions add to the base rate, for each variant and setting.

    Parameters
    ----------
    results : sequence of PairResult
        The results.

    Returns
    -------
    str
        A table in Markdown.
    """
    lines = _head(
        "variant", "setting", "outcome", "base rate", "if predicted", "if not predicted", "difference", "95 %"
    )
    for name, own in _groups_and_sums(results):
        for prediction, outcome in FORESEEN.items():
            predicted = [result.certificate.prediction == prediction for result in own]
            seen = [result.outcome == outcome for result in own]
            interval = "not independent" if name[1] == ALL else ""
            lines.append(_line(*name, outcome, *_gain_cells(gain(predicted, seen), interval)))
    return "\n".join(lines)


def _gain_cells(found: Gain, interval: str) -> Iterator[str]:
    """Yield the base rate, both shares, their difference, and its exact interval or the text in its place."""
    yield f"{found.hits + found.others_hit} of {found.predicted + found.others} ({found.base_rate:.2f})"
    yield f"{found.hits} of {found.predicted}"
    yield f"{found.others_hit} of {found.others}"
    yield f"{found.gain:+.2f}"
    yield interval or "[{:+.2f}, {:+.2f}]".format(*found.interval())


def effect_sizes(results: Sequence[PairResult]) -> str:
    """Return the range of the size of the mean change for each variant, setting and prediction.

    Parameters
    ----------
    results : sequence of PairResult
        The results.

    Returns
    -------
    str
        A table in Markdown, with the smallest, the median and the largest size.
    """
    lines = _head("variant", "setting", "prediction", "pairs", "smallest change", "median", "largest")
    for name, own in _groups(results):
        for prediction in PREDICTIONS:
            mine = [result.interval for result in own if result.certificate.prediction == prediction]
            sizes = sorted(abs(interval.mean) for interval in mine if interval)
            chosen = (sizes[0], sizes[len(sizes) // 2], sizes[-1]) if sizes else ()
            lines.append(_line(*name, prediction, len(mine), *(f"{size:.4f}" for size in chosen)))
    return "\n".join(lines)


def _split(results: Sequence[PairResult], field: str) -> list[list[PairResult]]:
    """Return the results in groups with one value of a field."""
    values = dict.fromkeys(getattr(result, field) for result in results)
    return [[result for result in results if getattr(result, field) == value] for value in values]


def _groups(results: Sequence[PairResult]) -> Iterator[tuple[tuple[str, str], list[PairResult]]]:
    """Yield the results of each variant and setting with their names."""
    for variant in _split(results, "tangent"):
        for own in _split(variant, "setting"):
            yield (VARIANTS[own[0].tangent], own[0].setting), own


def _groups_and_sums(results: Sequence[PairResult]) -> Iterator[tuple[tuple[str, str], list[PairResult]]]:
    """Yield the groups, and for each variant the results of all settings together."""
    yield from _groups(results)
    for variant in _split(results, "tangent"):
        yield (VARIANTS[variant[0].tangent], ALL), variant


def _head(*names: str) -> list[str]:
    """Return the first two lines of a table."""
    return [_line(*names), "|" + "---|" * len(names)]


def _line(*cells: object) -> str:
    """Return a line of a table."""
    return f"| {' | '.join(map(str, cells))} |"
