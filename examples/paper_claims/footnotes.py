"""Two footnotes of the paper: CAE's missing Dirac with ReLU, and the offset of the standardisation."""

import dirac

from numpy_rae.experiments import claim_differences, claim_rules, study_rows
from numpy_rae.experiments.claim_differences import Setting
from numpy_rae.experiments.claim_verdicts import FAILS, HOLDS, NOT_RUN
from paper_claims.finding import Finding
from paper_claims.stored_runs import DATA, SHORT, Stored, mean


def resolved(stored: Stored, setting: Setting) -> list[Finding]:
    """CAE is sparser with a kernel in the place of its Dirac, at some bandwidth."""
    if setting is not SHORT:
        return []
    rows, found = stored.of("dirac-sample"), []
    for data in DATA:
        for lam in dirac.LAMBDAS:
            its = dirac.cells(rows, data, lam)
            kernels = {one.name: its[one.name] for one in dirac.KERNELS if claim_differences.sound(its[one.name])}
            if not kernels or not claim_differences.sound(its["CAE"]):
                found.append(Finding(data, setting.name, "kernel CAE - CAE", where=f"lambda {lam:g}", verdict=NOT_RUN))
                continue
            name = min(kernels, key=lambda each: mean(kernels[each], "fraction"))
            gap = claim_differences.differences(kernels[name], its["CAE"])
            verdict = HOLDS if claim_rules.is_clear(gap) and gap.mean() < 0 else FAILS
            text = study_rows.mean_and_deviation(gap)
            found.append(
                Finding(data, setting.name, f"{name} - CAE", str(len(gap)), "", text, f"lambda {lam:g}", verdict)
            )
    return found


def without_offset(stored: Stored, setting: Setting) -> list[Finding]:
    """On digits standardised without the offset of .1 the models break down, or most of their units are silent."""
    if setting is not SHORT:
        return []
    rows, found = [row for row in stored.of("protocol_checks-sample") if not row["std_offset"]], []
    for model in ("AE", "DAE", "CAE", "mDAE", "SAE"):
        cell = study_rows.select(rows, model=model)
        if not cell:
            found.append(Finding("digits", setting.name, model, verdict=NOT_RUN))
            continue
        broken = sum(bool(row["broken"]) for row in cell)
        silent = study_rows.values(cell, "silent")
        text = f"{broken} of {len(cell)} runs break down; silent units {study_rows.mean_and_deviation(silent)}"
        failed = all(row["broken"] or row["silent"] > 0.5 for row in cell)
        where = f"sigma^2 {cell[0]['sigma2']:g}"
        found.append(
            Finding("digits", setting.name, model, str(len(cell)), "", text, where, HOLDS if failed else FAILS)
        )
    return found
