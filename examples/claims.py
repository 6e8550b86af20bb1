"""The paper's empirical claims, decided by rules from the stored runs: the tables of docs/claims.md.

Prints one table per claim, after a summary. Every number is a difference of activation fractions between two runs with
the same seed, or a share of units, read from the records in --out. Nothing is trained. `python tests/claims_page.py`
writes the tables into the page.

The main rules of decision are below. docs/claims.md lists all of them. A difference is "clear" if it is larger in size than
0.01 and than three standard deviations over the seeds.

- "flat" (unaffected by sigma^2): the mean difference from AE is at most 0.01 in size at every sigma^2.
- "falls" (sparser with sigma^2): the mean difference at the largest sigma^2 is negative and clear, and the curve never
  rises by more than 0.01. If it does rise, the verdict is "in part".
- "moves" (the opposite of flat): some mean difference is clear.
- A claim about a range of learning rates must hold at each of them. The table shows the one with the worst verdict.
- A curve leaves out every sigma^2 at which a run broke down. If AE itself broke down, the verdict is "no verdict".
- "not run" means that there is no record.
- With one seed there is no deviation, and the verdict is about that seed.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import bias_or_weights
import dirac
import edae_scaling
import numpy as np
import theory_in_training

from numpy_rae.experiments import command_line, coverage, evidence, study_rows
from numpy_rae.experiments.command import command
from numpy_rae.experiments.evidence import (
    FAILS,
    HOLDS,
    MARGIN,
    NOT_RUN,
    OPEN,
    PART,
    SETTINGS,
    TOO_SHORT,
    Result,
    Setting,
)
from numpy_rae.experiments.protocol import FIGURES, PROTOCOLS
from numpy_rae.storage import jsonl

RECORDS = Path(__file__).resolve().parent.parent / "docs" / "records"
STUDIES = (
    "learning_rate-sample", "continuation-sample", "bias_or_weights-sample", "bias_or_weights-late",
    "bias_or_weights-paper", "dirac-sample", "edae_scaling-sample", "protocol_checks-sample",
)  # fmt: skip
FILES = (*(f"{name}-{preset}" for preset in ("sample", "paper") for name in PROTOCOLS), *STUDIES)
DATA = ("digits", "patches")
SHORT, LONG = SETTINGS[:2]
# What the table says of sets without a verdict.
WITHOUT = {"broken": "a run broke down", "no effect": "no effect of the full model"}
# The share of units that may be silent on 1,000 samples, and the fraction by which the paper's ".05" is taken.
FEW, NEAR = 0.01, 0.1
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


class Stored:
    """The stored runs of a folder: all as rows, and those of one study."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.rows = evidence.load_rows(folder, FILES)

    def of(self, name: str) -> list[dict]:
        return evidence.load_rows(self.folder, [name])

    def lines(self, name: str) -> list[dict]:
        """The lines of a file that no sweep wrote; none if it does not exist."""
        return jsonl.read(self.folder / f"{name}.jsonl")


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


def curve(rule, models: Sequence[str], **values):
    """A claim about the curves of some models over sigma^2."""

    def assess(stored: Stored, setting: Setting) -> list[Finding]:
        found = []
        for data in DATA:
            for model in models:
                result = evidence.decide(stored.rows, data, setting, model, rule, **values)
                found.append(of_result(data, setting, model, result))
        return [each._replace(verdict=evidence.judged(each.verdict, setting, **values)) for each in found]

    return assess


RELU_UNIT = {"activation": "relu", "constraint": "unit"}
RELU_FREE = {"activation": "relu", "constraint": "free"}
SIGMOID_UNIT = {"activation": "sigmoid", "constraint": "unit"}
SIGMOID_FREE = {"activation": "sigmoid", "constraint": "free"}
SOFTPLUS_UNIT = {"activation": "softplus", "constraint": "unit"}


def same(one: str, other: str, **values):
    """A claim that two models have the same activation fraction at every sigma^2."""

    def assess(stored: Stored, setting: Setting) -> list[Finding]:
        found = []
        for data in DATA:
            results = [
                pair(evidence.at(stored.rows, data, setting, eta, **values), one, other, eta) for eta in setting.etas
            ]
            missing = any(result.verdict == NOT_RUN for result in results)
            result = Result(NOT_RUN) if missing else evidence.worst(results)
            found.append(of_result(data, setting, f"{one} - {other}", result))
        return found

    return assess


def pair(rows: list[dict], one: str, other: str, eta: float) -> Result:
    """The largest difference of two models over sigma^2 at one learning rate."""
    its, others = evidence.cells(rows, one), evidence.cells(rows, other)
    if not set(evidence.NEEDED) <= set(its) & set(others):
        return Result(NOT_RUN)
    sound = [s for s in its if s in others and evidence.sound(its[s]) and evidence.sound(others[s])]
    found = {s: evidence.differences(its[s], others[s]) for s in sound}
    found = {s: each for s, each in found.items() if len(each)}
    if not found:
        return Result(OPEN, where=f"eta {eta:g}: every sigma^2 breaks down")
    verdict, sigma2 = evidence.flat(found)
    return Result(verdict, found[sigma2], f"eta {eta:g}, sigma^2 {sigma2:g}")


def trends(models: Sequence[str], **values):
    """A claim that a curve is unpredictable: it goes in both directions, or in another one on the other data set."""

    def assess(stored: Stored, setting: Setting) -> list[Finding]:
        return [trend(stored.rows, setting, model, **values) for model in models]

    return assess


def trend(rows: list[dict], setting: Setting, model: str, **values) -> Finding:
    """The direction of one model's curve on both data sets, at one learning rate."""
    curves = [evidence.shifts(evidence.at(rows, data, setting, setting.etas[0], **values), model) for data in DATA]
    if len(setting.etas) > 1 or not all(curves):
        return Finding("both", setting.name, model, verdict=NOT_RUN)
    ways = [evidence.direction(found) for found in curves]
    verdict = evidence.judged(HOLDS if "both" in ways or ways[0] != ways[1] else FAILS, setting, **values)
    text = ", ".join(f"{data}: {way}" for data, way in zip(DATA, ways, strict=True))
    seeds = str(min(len(each) for found in curves for each in found.values()))
    return Finding("both", setting.name, model, seeds, "", text, "", verdict)


def one_eta(assess):
    """A claim that is asked at one learning rate alone; elsewhere there is nothing to say."""
    return lambda stored, setting: assess(stored, setting) if setting in (SHORT, LONG) else []


def dead_late(models: Sequence[str], **values):
    """A claim that units die only once the activation fraction is near .05."""

    @one_eta
    def assess(stored: Stored, setting: Setting) -> list[Finding]:
        return [
            dead_from(data, setting, model, evidence.at(stored.rows, data, setting, setting.etas[0], **values))
            for data in DATA
            for model in models
        ]

    return assess


def path(rows: list[dict], model: str) -> list[list[dict]]:
    """The sound cells of a model over sigma^2, with AE's first; empty if too few are stored."""
    its = evidence.cells(rows, model)
    if not set(evidence.NEEDED) <= set(its) or not study_rows.select(rows, model="AE"):
        return []
    return [cell for cell in (study_rows.select(rows, model="AE"), *its.values()) if evidence.sound(cell)]


def mean(rows: list[dict], name: str) -> float:
    """The mean of a column over the seeds."""
    return float(study_rows.values(rows, name).mean())


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
            cells = path(evidence.at(stored.rows, data, setting, setting.etas[0], **RELU_FREE), model)
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
                    study_rows.select(evidence.at(stored.rows, data, setting, setting.etas[0], **RELU_UNIT), model="AE")
                )
            )
            found.append(Finding(data, setting.name, model, seeds, "", text, "", verdict))
    return found


def lowest_alive(rows: list[dict], data: str, setting: Setting, model: str, values: dict) -> float | None:
    """The lowest fraction of a cell with few silent units; infinity if every cell has more, None without runs."""
    cells = path(evidence.at(rows, data, setting, setting.etas[0], **values), model)
    alive = [mean(cell, "fraction") for cell in cells if mean(cell, "silent") <= FEW]
    return min(alive, default=np.inf) if cells else None


def shown_alive(fraction: float) -> str:
    return f"{fraction:.3f}" if np.isfinite(fraction) else "none"


def stable(stored: Stored, setting: Setting) -> list[Finding]:
    """The plain auto-encoder does not break down at any learning rate of the setting."""
    found = []
    for data in DATA:
        cells = [
            study_rows.select(evidence.at(stored.rows, data, setting, eta, **RELU_UNIT), model="AE")
            for eta in setting.etas
        ]
        if not all(cells):
            found.append(Finding(data, setting.name, "AE", verdict=NOT_RUN))
            continue
        bad = [f"{eta:g}" for eta, cell in zip(setting.etas, cells, strict=True) if not evidence.sound(cell)]
        text = f"breaks down at eta {', '.join(bad)}" if bad else "no run breaks down"
        seeds = str(min(len(cell) for cell in cells))
        found.append(Finding(data, setting.name, "AE", seeds, "", text, "", FAILS if bad else HOLDS))
    return found


@one_eta
def settled(stored: Stored, setting: Setting) -> list[Finding]:
    """The curves of sigmoid do not move any more at the end of the paper's length."""
    if setting is not LONG:
        return []
    found = []
    for data in DATA:
        for model in ("DAE", "CAE", "mDAE", "SAE"):
            its = study_rows.select(
                evidence.at(stored.rows, data, setting, setting.etas[0], **SIGMOID_UNIT), model=model
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


def parts(models: Sequence[str], wanted: str):
    """Who carries the effect, weights or bias, in the study of both; `wanted` is what the claim says."""

    def assess(stored: Stored, setting: Setting) -> list[Finding]:
        late = {"late": "15,000 updates"} if set(models) & {model for model, _ in bias_or_weights.LATE} else {}
        presets = {SHORT: {"sample": SHORT.name, **late}, LONG: {"paper": LONG.name}}.get(setting, {})
        found = []
        for preset, name in presets.items():
            rows = stored.of(f"bias_or_weights-{preset}")
            its = [of_set(rows, key, name, wanted) for key in bias_or_weights.sets(rows) if key[2] in models]
            found += [each for each in its if each] or [Finding("both", name, ", ".join(models), verdict=NOT_RUN)]
        return found

    return assess


def of_set(rows: list[dict], key: tuple, setting: str, wanted: str) -> Finding | None:
    """The finding of one set of full model, weight part and bias part; None if it is not complete."""
    data, activation, model, sigma2 = key
    effects = [bias_or_weights.effects(rows, key, part) for part in bias_or_weights.PARTS]
    if not all(map(len, effects)):
        return None
    carrier = bias_or_weights.verdict(rows, key)
    text = ", ".join(
        f"{part} {study_rows.mean_and_deviation(0.0 - each.round(4))}"
        for part, each in zip(bias_or_weights.PARTS, effects, strict=True)
    )
    verdict = {"broken": OPEN, "no effect": OPEN, wanted: HOLDS, "both": PART}.get(carrier, FAILS)
    plain = f"{mean(bias_or_weights.of_set(rows, key, 'AE'), 'fraction'):.3f}"
    seeds = str(min(map(len, effects)))
    return Finding(
        data,
        setting,
        f"{model}, {activation}, {sigma2:g}",
        seeds,
        plain,
        text,
        WITHOUT.get(carrier, f"carried by: {carrier}"),
        verdict,
    )


def given_back(model: str):
    """A claim that DAE loses at least half of its fall in this variant of the noise."""

    def assess(stored: Stored, setting: Setting) -> list[Finding]:
        found = []
        for data, name in zip(DATA, ("noise_origin", "noise_origin_cifar10"), strict=True):
            rows = stored.of(f"{name}-sample") if setting is SHORT else []
            its = {one: evidence.cells(rows, one) for one in ("AE", "DAE", model)}
            both = [s for s in its["DAE"] if s in its[model] and evidence.sound(its["DAE"][s] + its[model][s])]
            if setting is SHORT and (not both or not its["AE"]):
                found.append(Finding(data, setting.name, f"{model} - DAE", verdict=NOT_RUN))
            found += [of_variant(data, setting, its, model, sigma2) for sigma2 in both]
        return found

    return assess


def of_variant(data: str, setting: Setting, its: dict, model: str, sigma2: float) -> Finding:
    """What the variant gives back of DAE's fall at one sigma^2."""
    back = evidence.differences(its[model][sigma2], its["DAE"][sigma2])
    fall = evidence.differences(its["AE"][0.0], its["DAE"][sigma2])
    text = f"{study_rows.mean_and_deviation(back)} of {fall.mean():.4f}"
    verdict = HOLDS if back.mean() >= 0.5 * fall.mean() else FAILS
    plain = f"{mean(its['AE'][0.0], 'fraction'):.3f}"
    return Finding(data, setting.name, f"{model} - DAE", str(len(back)), plain, text, f"sigma^2 {sigma2:g}", verdict)


def scaling(stored: Stored, setting: Setting) -> list[Finding]:
    """At fixed eta x updates the fall below AE does not depend on eta, as an effect of the mean gradient would not."""
    if setting is not SHORT:
        return []
    rows, base = stored.of("edae_scaling-sample"), edae_scaling.BASE
    usable = study_rows.select(rows, **{name: base[name] for name in ("eta", "batch_size", "momentum")})
    cases = (("eDAE", base["sigma2"]), ("DAE", base["sigma2"]), ("DAE", edae_scaling.SMALL))
    return [over_eta(rows if usable else [], kind, {**base, "sigma2": sigma2}) for kind, sigma2 in cases]


def over_eta(rows: list[dict], kind: str, base: dict) -> Finding:
    """The falls of one model at one sigma^2 over eta. Learning rates at which a run broke down are named."""
    etas, where = edae_scaling.VARIED["eta"], f"sigma^2 {base['sigma2']:g}"
    falls = {eta: edae_scaling.falls(rows, kind, {**base, "eta": eta}) if rows else [] for eta in etas}
    if not all(map(len, falls.values())):
        return Finding("digits", "eta x updates fixed", kind, where=where, verdict=NOT_RUN)
    level = falls[edae_scaling.BASE["eta"]].mean()
    apart = max(abs(each.mean() / level - 1) for each in falls.values())
    text = ", ".join(
        f"{-falls[eta].mean():.3f} at eta {eta:g}" for eta in (etas[0], edae_scaling.BASE["eta"], etas[-1])
    )
    bad = [f"{eta:g}" for eta in etas if edae_scaling.broken(rows, kind, {**base, "eta": eta})]
    where += f"; runs broke down at eta {', '.join(bad)}" if bad else ""
    verdict = HOLDS if apart <= edae_scaling.FLAT else FAILS
    seeds = str(min(map(len, falls.values())))
    return Finding("digits", "eta x updates fixed", kind, seeds, "", text, where, verdict)


def resolved(stored: Stored, setting: Setting) -> list[Finding]:
    """CAE is sparser with a kernel in the place of its Dirac, at some bandwidth."""
    if setting is not SHORT:
        return []
    rows, found = stored.of("dirac-sample"), []
    for data in DATA:
        for lam in dirac.LAMBDAS:
            its = dirac.cells(rows, data, lam)
            kernels = {one.name: its[one.name] for one in dirac.KERNELS if evidence.sound(its[one.name])}
            if not kernels or not evidence.sound(its["CAE"]):
                found.append(Finding(data, setting.name, "kernel CAE - CAE", where=f"lambda {lam:g}", verdict=NOT_RUN))
                continue
            name = min(kernels, key=lambda each: mean(kernels[each], "fraction"))
            gap = evidence.differences(kernels[name], its["CAE"])
            verdict = HOLDS if evidence.is_clear(gap) and gap.mean() < 0 else FAILS
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


def figure(name: str) -> str:
    """The commands of a figure's runs, short and long."""
    return f"`python -m numpy_rae reproduce --preset sample --figures {name}`; long: without `--preset sample`"


CAE_MDAE, DAE_SAE, FOUR = ("CAE", "mDAE"), ("DAE", "SAE"), ("DAE", "CAE", "mDAE", "SAE")
RATES = "other eta and tangent steps: `python examples/learning_rate.py`"
PARTS = "`python examples/bias_or_weights.py`; sigmoid: `--preset late`; long: `--preset paper`"
NOISE = "`python examples/noise_origin.py --seeds 0 1 2`; patches: `examples/noise_origin_cifar10.py`"
IN_TRAINING = "`python examples/theory_in_training.py`"
CHECKS = "`python examples/protocol_checks.py`"
CLAIMS = (
    Claim("white", "Assumption 1", "The data have mean 0 and covariance I", in_training(white, ("AE",)), "white", IN_TRAINING),
    Claim("residual", "Assumption 1", "The residual is Gaussian and its entries are independent", in_training(gaussian, ("AE", "DAE", "SAE")), "Gaussian", IN_TRAINING),
    Claim("thm2", "Thm 2", "From some iteration on the bound p_j rises", in_training(bound, ("DAE", "SAE")), "rising bound", IN_TRAINING),
    Claim("l1", "Sec. 2.2", "SAE acts like the L1 penalty of sparse coding (ReLU)", same("SAE", "L1", **RELU_UNIT), "same", "`python examples/continuation.py`"),
    Claim("cae_h", "Sec. 2.2", "CAE+H is as sparse as CAE (ReLU)", same("CAE+H", "CAE", **RELU_UNIT), "same", CHECKS),
    Claim("cae_h_softplus", "Sec. 2.2", "CAE+H is as sparse as CAE (softplus)", same("CAE+H", "CAE", **SOFTPLUS_UNIT), "same", CHECKS),
    Claim("fn1", "Fn. 1", "ReLU: CAE is not sparse because its gradient lacks the Dirac", resolved, "kernel", "`python examples/dirac.py`"),
    Claim("fn2", "Fn. 2", "On MNIST the standardisation needs an offset of .1", without_offset, "offset", CHECKS),
    Claim("eta", "Learning rate", "No learning rate of the range makes the plain auto-encoder diverge", stable, "stable", f"{figure('fig1')}; {RATES}"),
    Claim("fig1_flat", "Fig. 1", "ReLU, unit rows: CAE and mDAE do not depend on sigma^2", curve(evidence.flat, CAE_MDAE, **RELU_UNIT), "flat", f"{figure('fig1')}; {RATES}"),
    Claim("fn3", "Fn. 3", "ReLU, unit rows: CAE and mDAE are equivalent", same("mDAE", "CAE", **RELU_UNIT), "same", f"{figure('fig1')}; {RATES}"),
    Claim("fig1_falls", "Fig. 1", "ReLU, unit rows: DAE and SAE grow sparser with sigma^2", curve(evidence.falls, DAE_SAE, **RELU_UNIT), "falls", f"{figure('fig1')}; {RATES}"),
    Claim("fig1_dead", "Fig. 1", "ReLU, unit rows: units die only once the fraction is near .05", dead_late(DAE_SAE, **RELU_UNIT), "late death", figure("fig1")),
    Claim("fig2_moves", "Fig. 2", "ReLU, free rows: CAE and mDAE depend on sigma^2", curve(evidence.moves, CAE_MDAE, **RELU_FREE), "moves", figure("fig2")),
    Claim("fig2_trends", "Fig. 2", "ReLU, free rows: the trends of CAE and mDAE are unpredictable and differ between the data sets", trends(CAE_MDAE, **RELU_FREE), "unpredictable", figure("fig2")),
    Claim("fig2_floor", "Fig. 2", "ReLU, free rows: the fraction does not go below .1", floor, "floor", figure("fig2")),
    Claim("alive", "Sec. 3.1", "ReLU: unit rows reach a higher sparsity before units die", sparser_alive, "alive", figure("fig1 fig2")),
    Claim("bias", "Sec. 3", "The bias gradient, not the weights, makes codes sparse (DAE, SAE)", parts(DAE_SAE, "bias"), "carried", PARTS),
    Claim("bias_contractive", "Sec. 3", "The bias gradient, not the weights, makes codes sparse (CAE, mDAE)", parts(CAE_MDAE, "bias"), "carried", PARTS),
    Claim("fig3", "Fig. 3", "ReLU, unit rows: eDAE, the first-order term alone, grows sparser with sigma^2", curve(evidence.falls, ("eDAE",), **RELU_UNIT), "falls", figure("fig3")),
    Claim("first_order", "Sec. 3.1.1", "The first-order term is what makes DAE sparse", given_back("antithetic"), "given back", NOISE),
    Claim("edae_bias", "Sec. 3.1.1", "The first-order term acts through the bias gradient (eDAE)", parts(("eDAE",), "bias"), "carried", PARTS),
    Claim("scaling", "Sec. 3.1.1", "DAE and eDAE act through the mean of the gradient", scaling, "scaling", "`python examples/edae_scaling.py`"),
    Claim("marginal", "Sec. 3.1.1", "Marginalising the noise out loses DAE's sparsity", given_back("expected-DAE+cov"), "given back", NOISE),
    Claim("fig4", "Fig. 4, Fn. 5", "Sigmoid, unit rows: every model grows sparser with sigma^2", curve(evidence.falls, FOUR, **SIGMOID_UNIT), "falls", figure("fig4")),
    Claim("fig4_settled", "Fig. 4", "Sigmoid, unit rows: the curves have settled after 50 epochs (not in the paper)", settled, "settled", figure("fig4")),
    Claim("fig4_dead", "Fig. 4", "Sigmoid, unit rows: units die only once the fraction is near .05", dead_late(FOUR, **SIGMOID_UNIT), "late death", figure("fig4")),
    Claim("fn4", "Fn. 4", "Softplus, unit rows: every model grows sparser, as with sigmoid", curve(evidence.falls, FOUR, **SOFTPLUS_UNIT), "falls", figure("fn4")),
    Claim("fig5_moves", "Fig. 5", "Sigmoid, free rows: CAE and mDAE depend on sigma^2", curve(evidence.moves, CAE_MDAE, **SIGMOID_FREE), "moves", figure("fig5")),
    Claim("fig5_trends", "Fig. 5", "Sigmoid, free rows: the trends of CAE and mDAE are unpredictable and differ between the data sets", trends(CAE_MDAE, **SIGMOID_FREE), "unpredictable", figure("fig5")),
)  # fmt: skip


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
    """How many runs of each figure are stored for seed 0, at both lengths."""
    names = [each.name for group in FIGURES.values() for each in group]
    counts = [coverage.coverage(folder, names, preset) for preset in ("sample", "paper")]
    lines = [(name, *("{} of {}".format(*count[name]) for count in counts)) for name in names]
    return study_rows.text_table(("figure, data", "short", "long"), lines)


def summary_line(claim: Claim, groups: list[list[Finding]]) -> tuple:
    """One line of the summary: the verdict in each setting, the seeds, the verdict over all, and what decided it."""
    every = [finding for group in groups for finding in group]
    seeds = sorted({int(finding.seeds) for finding in every if finding.seeds})
    span = "-".join(dict.fromkeys(map(str, (seeds[0], seeds[-1])))) if seeds else ""
    shown = [one_setting(group) for group in groups]
    overall = evidence.combined(verdict for verdict, _ in shown)
    return claim.place, claim.words, *map("".join, shown), span, decisive(every), overall


def one_setting(group: list[Finding]) -> tuple[str, str]:
    """The verdict of the findings of one setting, and the name of the data set if the other is not stored."""
    if not group:
        return "-", ""
    verdict = evidence.combined(finding.verdict for finding in group)
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


@command("claims")
def main(argv=None):
    parser = command_line.text_parser("claims", __doc__, out="folder of the records (default: docs/records)")
    folder = parser.parse_args(argv).out or RECORDS
    found = tables(folder)
    print(f"{found['summary']}\n\nstored runs of the figures, seed 0\n\n{found['coverage']}")
    for claim in CLAIMS:
        print(f"\n### {heading(claim)}\n\n{found[claim.key]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
