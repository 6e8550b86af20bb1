"""Claims about silent units: at which activation fraction they appear, and how sparse a code is before."""

from collections.abc import Sequence

import numpy as np

from numpy_rae.experiments import claim_differences, study_rows
from numpy_rae.experiments.claim_differences import Setting
from numpy_rae.experiments.claim_rules import MARGIN
from numpy_rae.experiments.claim_verdicts import FAILS, HOLDS, NOT_RUN, OPEN
from paper_claims.finding import Finding
from paper_claims.stored_runs import DATA, LONG, RELU_FREE, RELU_UNIT, SHORT, Stored, mean

# The share of units that may be silent on 1,000 samples, and the fraction by which the paper's ".05" is taken.
FEW, NEAR = 0.01, 0.1


def one_eta(assess):
    """A claim that is asked at one learning rate alone; elsewhere there is nothing to say."""
    return lambda stored, setting: assess(stored, setting) if setting in (SHORT, LONG) else []


def dead_late(models: Sequence[str], **values):
    """A claim that units die only once the activation fraction is near .05."""

    @one_eta
    def assess(stored: Stored, setting: Setting) -> list[Finding]:
        return [
            dead_from(data, setting, model, claim_differences.at(stored.rows, data, setting, setting.etas[0], **values))
            for data in DATA
            for model in models
        ]

    return assess


def path(rows: list[dict], model: str) -> list[list[dict]]:
    """The sound cells of a model over sigma^2, with AE's first; empty if too few are stored."""
    its = claim_differences.cells(rows, model)
    if not set(claim_differences.NEEDED) <= set(its) or not study_rows.select(rows, model="AE"):
        return []
    return [cell for cell in (study_rows.select(rows, model="AE"), *its.values()) if claim_differences.sound(cell)]


def dead_from(data: str, setting: Setting, model: str, rows: list[dict]) -> Finding:
    """The first cell over sigma^2 with more than a few silent units."""
    cells = path(rows, model)
    if not cells:
        return Finding(data, setting.name, model, verdict=NOT_RUN)
    first = next((cell for cell in cells if mean(cell, "silent") > FEW), None)
    shown = first or cells[-1]
    effect = f"{mean(shown, 'fraction'):.3f} / {mean(shown, 'silent'):.3f} / {mean(shown, 'dead'):.3f}"
    low = mean(shown, "fraction") <= NEAR
    verdict = HOLDS if low else FAILS if first else OPEN
    where = f"sigma^2 {shown[0]['sigma2']:g}" + ("" if first else ", none before")
    return Finding(data, setting.name, model, str(len(shown)), "", effect, where, verdict)


@one_eta
def floor(stored: Stored, setting: Setting) -> list[Finding]:
    """With free rows no fraction is below .1."""
    found = []
    for data in DATA:
        for model in ("DAE", "SAE", "CAE", "mDAE"):
            cells = path(claim_differences.at(stored.rows, data, setting, setting.etas[0], **RELU_FREE), model)
            if not cells:
                found.append(Finding(data, setting.name, model, verdict=NOT_RUN))
                continue
            low = min(cells, key=lambda cell: mean(cell, "fraction"))
            verdict = HOLDS if mean(low, "fraction") >= NEAR else FAILS
            where = f"sigma^2 {low[0]['sigma2']:g}"
            found.append(
                Finding(data, setting.name, model, str(len(low)), "", f"{mean(low, 'fraction'):.3f}", where, verdict)
            )
    return found


@one_eta
def sparser_alive(stored: Stored, setting: Setting) -> list[Finding]:
    """The lowest fraction with few silent units is lower with unit rows than with free rows."""
    found = []
    for data in DATA:
        for model in ("DAE", "SAE"):
            lowest = [lowest_alive(stored.rows, data, setting, model, values) for values in (RELU_UNIT, RELU_FREE)]
            if None in lowest:
                found.append(Finding(data, setting.name, model, verdict=NOT_RUN))
                continue
            unit, free = lowest
            text = f"unit {shown_alive(unit)}, free {shown_alive(free)}"
            verdict = HOLDS if unit < free - MARGIN else FAILS
            seeds = str(
                len(
                    study_rows.select(
                        claim_differences.at(stored.rows, data, setting, setting.etas[0], **RELU_UNIT), model="AE"
                    )
                )
            )
            found.append(Finding(data, setting.name, model, seeds, "", text, "", verdict))
    return found


def lowest_alive(rows: list[dict], data: str, setting: Setting, model: str, values: dict) -> float | None:
    """The lowest fraction of a cell with few silent units; infinity if every cell has more, None without runs."""
    cells = path(claim_differences.at(rows, data, setting, setting.etas[0], **values), model)
    alive = [mean(cell, "fraction") for cell in cells if mean(cell, "silent") <= FEW]
    return min(alive, default=np.inf) if cells else None


def shown_alive(fraction: float) -> str:
    return f"{fraction:.3f}" if np.isfinite(fraction) else "none"
