"""Claims about the course of training: no run of the plain auto-encoder breaks down, and curves settle."""

from numpy_rae.experiments import claim_differences, study_rows
from numpy_rae.experiments.claim_differences import Setting
from numpy_rae.experiments.claim_rules import MARGIN
from numpy_rae.experiments.claim_verdicts import FAILS, HOLDS, NOT_RUN
from paper_claims.finding import Finding
from paper_claims.stored_runs import DATA, LONG, RELU_UNIT, SIGMOID_UNIT, Stored


def stable(stored: Stored, setting: Setting) -> list[Finding]:
    """The plain auto-encoder does not break down at any learning rate of the setting."""
    found = []
    for data in DATA:
        cells = [
            study_rows.select(claim_differences.at(stored.rows, data, setting, eta, **RELU_UNIT), model="AE")
            for eta in setting.etas
        ]
        if not all(cells):
            found.append(Finding(data, setting.name, "AE", verdict=NOT_RUN))
            continue
        bad = [f"{eta:g}" for eta, cell in zip(setting.etas, cells, strict=True) if not claim_differences.sound(cell)]
        text = f"breaks down at eta {', '.join(bad)}" if bad else "no run breaks down"
        seeds = str(min(len(cell) for cell in cells))
        found.append(Finding(data, setting.name, "AE", seeds, "", text, "", FAILS if bad else HOLDS))
    return found


def settled(stored: Stored, setting: Setting) -> list[Finding]:
    """The curves of sigmoid do not move any more at the end of the paper's length."""
    if setting is not LONG:
        return []
    found = []
    for data in DATA:
        for model in ("DAE", "CAE", "mDAE", "SAE"):
            its = study_rows.select(
                claim_differences.at(stored.rows, data, setting, setting.etas[0], **SIGMOID_UNIT), model=model
            )
            its = [row for row in its if row["settling"] is not None and not row["broken"]]
            if not its:
                found.append(Finding(data, setting.name, model, verdict=NOT_RUN))
                continue
            most = max(its, key=lambda row: abs(row["settling"]))
            verdict = HOLDS if abs(most["settling"]) <= MARGIN else FAILS
            text = f"{most['settling']:+.3f} in ten epochs"
            where = f"sigma^2 {most['sigma2']:g}, seed {most['seed']}"
            seeds = str(len(study_rows.levels(its, "seed")))
            found.append(Finding(data, setting.name, model, seeds, "", text, where, verdict))
    return found
