"""A claim, and what the stored runs say about it: the lines of a claim's table."""

from collections.abc import Callable
from typing import NamedTuple

from numpy_rae.experiments import study_rows
from numpy_rae.experiments.claim_differences import Setting
from numpy_rae.experiments.claim_verdicts import Result
from paper_claims.stored_runs import Stored

HEAD = ("data", "setting", "model", "seeds", "AE", "effect", "where", "verdict")


class Finding(NamedTuple):
    """One line of a claim's table."""

    data: str
    setting: str
    model: str
    seeds: str = ""
    plain: str = ""
    effect: str = ""
    where: str = ""
    verdict: str = ""


class Claim(NamedTuple):
    """A claim of the paper: its place there, its words, how it is decided in a setting, the rule, and what trains it."""

    key: str
    place: str
    words: str
    assess: Callable[[Stored, Setting], list[Finding]]
    rule: str
    runs: str


def of_result(data: str, setting: Setting, model: str, result: Result) -> Finding:
    """The finding of a rule."""
    plain = "" if result.plain is None else f"{result.plain:.3f}"
    effect = study_rows.mean_and_deviation(result.found) if len(result.found) else ""
    seeds = str(len(result.found) or "")
    return Finding(data, setting.name, model, seeds, plain, effect, result.where, result.verdict)
