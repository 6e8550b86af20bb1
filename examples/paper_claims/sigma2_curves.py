"""Claims about curves over sigma^2: flat, moving, falling, equal to another model's, or unpredictable."""

from collections.abc import Sequence

from numpy_rae.experiments import claim_differences, claim_rules, claim_verdicts
from numpy_rae.experiments.claim_differences import Setting
from numpy_rae.experiments.claim_verdicts import FAILS, HOLDS, NOT_RUN, OPEN, Result
from paper_claims.finding import Finding, of_result
from paper_claims.stored_runs import DATA, Stored


def curve(rule, models: Sequence[str], **values):
    """A claim about the curves of some models over sigma^2."""

    def assess(stored: Stored, setting: Setting) -> list[Finding]:
        found = []
        for data in DATA:
            for model in models:
                result = claim_rules.decide(stored.rows, data, setting, model, rule, **values)
                found.append(of_result(data, setting, model, result))
        return [each._replace(verdict=claim_verdicts.judged(each.verdict, setting, **values)) for each in found]

    return assess


def same(one: str, other: str, **values):
    """A claim that two models have the same activation fraction at every sigma^2."""

    def assess(stored: Stored, setting: Setting) -> list[Finding]:
        found = []
        for data in DATA:
            results = [
                pair(claim_differences.at(stored.rows, data, setting, eta, **values), one, other, eta)
                for eta in setting.etas
            ]
            missing = any(result.verdict == NOT_RUN for result in results)
            result = Result(NOT_RUN) if missing else claim_verdicts.worst(results)
            found.append(of_result(data, setting, f"{one} - {other}", result))
        return found

    return assess


def pair(rows: list[dict], one: str, other: str, eta: float) -> Result:
    """The largest difference of two models over sigma^2 at one learning rate."""
    its, others = claim_differences.cells(rows, one), claim_differences.cells(rows, other)
    if not set(claim_differences.NEEDED) <= set(its) & set(others):
        return Result(NOT_RUN)
    sound = [s for s in its if s in others and claim_differences.sound(its[s]) and claim_differences.sound(others[s])]
    found = {s: claim_differences.differences(its[s], others[s]) for s in sound}
    found = {s: each for s, each in found.items() if len(each)}
    if not found:
        return Result(OPEN, where=f"eta {eta:g}: every sigma^2 breaks down")
    verdict, sigma2 = claim_rules.flat(found)
    return Result(verdict, found[sigma2], f"eta {eta:g}, sigma^2 {sigma2:g}")


def trends(models: Sequence[str], **values):
    """A claim that a curve is unpredictable: it goes in both directions, or in another one on the other data set."""

    def assess(stored: Stored, setting: Setting) -> list[Finding]:
        return [trend(stored.rows, setting, model, **values) for model in models]

    return assess


def trend(rows: list[dict], setting: Setting, model: str, **values) -> Finding:
    """The direction of one model's curve on both data sets, at one learning rate."""
    curves = [
        claim_differences.shifts(claim_differences.at(rows, data, setting, setting.etas[0], **values), model)
        for data in DATA
    ]
    if len(setting.etas) > 1 or not all(curves):
        return Finding("both", setting.name, model, verdict=NOT_RUN)
    ways = [claim_rules.direction(found) for found in curves]
    verdict = claim_verdicts.judged(HOLDS if "both" in ways or ways[0] != ways[1] else FAILS, setting, **values)
    text = ", ".join(f"{data}: {way}" for data, way in zip(DATA, ways, strict=True))
    seeds = str(min(len(each) for found in curves for each in found.values()))
    return Finding("both", setting.name, model, seeds, "", text, "", verdict)
