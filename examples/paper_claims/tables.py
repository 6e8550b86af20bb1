"""The tables of the claims: a summary, the numbers of stored runs, and one table per claim."""

from pathlib import Path

from numpy_rae.experiments import coverage, study_rows
from numpy_rae.experiments.claim_differences import SETTINGS
from numpy_rae.experiments.claim_verdicts import FAILS, HOLDS, NOT_RUN, PART, TOO_SHORT, combined
from numpy_rae.experiments.protocol import FIGURES
from paper_claims.claim_list import CLAIMS
from paper_claims.finding import HEAD, Claim, Finding
from paper_claims.stored_runs import DATA, SHORT, Stored

MORE_SEEDS = (1, 2)
MORE_SIGMA2 = (0.0, 0.01, 0.09, 0.25, 1.0)


def tables(folder: Path) -> dict[str, str]:
    """The summary, the numbers of stored runs, and the table of each claim, by key."""
    stored = Stored(folder)
    found = {claim.key: [claim.assess(stored, setting) for setting in SETTINGS] for claim in CLAIMS}
    head = ("place", "claim", *(setting.name for setting in SETTINGS), "seeds", "decided by", "verdict")
    summary = study_rows.text_table(head, [summary_line(claim, found[claim.key]) for claim in CLAIMS])
    return {
        "summary": summary,
        "coverage": stored_runs(folder),
        **{claim.key: details(claim, found[claim.key]) for claim in CLAIMS},
    }


def stored_runs(folder: Path) -> str:
    """How many runs of each figure are stored: seed 0 at both lengths, and more seeds at five values of sigma^2."""
    names = [each.name for group in FIGURES.values() for each in group]
    counts = [coverage.coverage(folder, names, preset) for preset in ("sample", "paper")]
    counts.append(coverage.coverage(folder, names, "paper", MORE_SEEDS, MORE_SIGMA2))
    lines = [(name, *("{} of {}".format(*count[name]) for count in counts)) for name in names]
    return study_rows.text_table(("figure, data", "short, seed 0", "long, seed 0", "long, seeds 1 and 2"), lines)


def summary_line(claim: Claim, groups: list[list[Finding]]) -> tuple:
    """One line of the summary: the verdict in each setting, the seeds, the verdict over all, and what decided it."""
    every = [finding for group in groups for finding in group]
    seeds = sorted({int(finding.seeds) for finding in every if finding.seeds})
    span = "-".join(dict.fromkeys(map(str, (seeds[0], seeds[-1])))) if seeds else ""
    shown = [one_setting(group) for group in groups]
    overall = combined(verdict for verdict, _ in shown)
    return claim.place, claim.words, *map("".join, shown), span, decisive(every), overall


def one_setting(group: list[Finding]) -> tuple[str, str]:
    """The verdict of the findings of one setting, and the name of the data set if the other is not stored."""
    if not group:
        return "-", ""
    verdict = combined(finding.verdict for finding in group)
    if verdict == HOLDS and any(finding.verdict == TOO_SHORT for finding in group):
        verdict = TOO_SHORT
    decided = [data for data in DATA if any(f.data == data and f.verdict != NOT_RUN for f in group)]
    missing = any(finding.verdict == NOT_RUN for finding in group)
    return verdict, f" ({', '.join(decided)})" if missing and len(decided) == 1 else ""


def decisive(findings: list[Finding]) -> str:
    """The first finding with the worst verdict."""
    for wanted in (FAILS, PART, HOLDS):
        for one in findings:
            if one.verdict.startswith(wanted) and one.effect:
                where = f" ({one.setting})" if one.setting != SHORT.name else ""
                return f"{one.data}, {one.model}: {one.effect}{where}"
    return ""


def heading(claim: Claim) -> str:
    return f"{claim.place}: {claim.words}"


def details(claim: Claim, groups: list[list[Finding]]) -> str:
    """Rule, runs and table of one claim. A setting without any stored run has one line; unused columns are left out."""
    lines = []
    for group in groups:
        nothing = group and all(finding.verdict == NOT_RUN for finding in group)
        models = ", ".join(dict.fromkeys(finding.model for finding in group))
        lines += [Finding("", group[0].setting, models, verdict=NOT_RUN)] if nothing else group
    used = [k for k in range(len(HEAD)) if any(line[k] for line in lines)]
    table = study_rows.text_table([HEAD[k] for k in used], [[line[k] for k in used] for line in lines])
    return f"Rule: {claim.rule}. Runs: {claim.runs}.\n\n{table}"
