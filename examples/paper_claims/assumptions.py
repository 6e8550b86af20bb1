"""Claims about the assumptions and the bound of the theory, read from the runs of theory_in_training.py."""

from collections.abc import Callable, Sequence

import theory_in_training

from numpy_rae.experiments import study_rows
from numpy_rae.experiments.claim_differences import Setting
from numpy_rae.experiments.claim_rules import MARGIN
from numpy_rae.experiments.claim_verdicts import FAILS, HOLDS, NOT_RUN, OPEN
from paper_claims.finding import Finding
from paper_claims.stored_runs import SHORT, Stored


def in_training(assess: Callable[[tuple, list[list[dict]]], tuple[str, str]], models: Sequence[str]):
    """A claim about the runs of theory_in_training.py; `assess` returns effect and verdict of one set of runs."""

    def assess_all(stored: Stored, setting: Setting) -> list[Finding]:
        if setting is not SHORT:
            return []
        found = []
        for key, runs in theory_in_training.cells(stored.lines("theory_in_training-sample")).items():
            data, model, activation, sigma2 = key
            if model in models:
                effect, verdict = assess(key, runs)
                name = f"{model}, {activation}"
                found.append(
                    Finding(data, setting.name, name, str(len(runs)), "", effect, f"sigma^2 {sigma2:g}", verdict)
                )
        return found or [Finding("both", setting.name, ", ".join(models), verdict=NOT_RUN)]

    return assess_all


def white(key: tuple, runs: list[list[dict]]) -> tuple[str, str]:
    """White data have the covariance I, whose largest eigenvalue is 1."""
    largest, features = runs[0][0]["eigenvalue"], runs[0][0]["features"]
    text = f"largest eigenvalue of the covariance {largest:.1f}, {features} features"
    return text, HOLDS if abs(largest - 1) <= MARGIN else FAILS


def gaussian(key: tuple, runs: list[list[dict]]) -> tuple[str, str]:
    """Skewness, excess kurtosis and the largest correlation of the residual at the end."""
    names = {"skewness": "skewness", "kurtosis": "excess kurtosis", "correlation": "largest correlation"}
    text = ", ".join(
        f"{word} {study_rows.mean_and_deviation(theory_in_training.ends(runs, name))}" for name, word in names.items()
    )
    return text, HOLDS if theory_in_training.is_gaussian(runs) else FAILS


def bound(key: tuple, runs: list[list[dict]]) -> tuple[str, str]:
    """The bound p_j over the epochs, beside the share of pairs that are off."""
    way = theory_in_training.rises(runs)
    p, off = (study_rows.mean_and_deviation(theory_in_training.ends(runs, name)) for name in ("p", "off"))
    verdict = {"rises": HOLDS, "stays 0": OPEN}.get(way, FAILS)
    return f"p_j {way}: mean {p} at the end, pairs off {off}", verdict
