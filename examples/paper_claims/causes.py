"""Claims about what makes codes sparse: bias or weights, a term of the noise, the mean of the gradient."""

from collections.abc import Sequence

import bias_or_weights
import edae_scaling

from numpy_rae.experiments import claim_differences, study_rows
from numpy_rae.experiments.claim_differences import Setting
from numpy_rae.experiments.claim_verdicts import FAILS, HOLDS, NOT_RUN, OPEN, PART
from paper_claims.finding import Finding
from paper_claims.stored_runs import DATA, LONG, SHORT, Stored, mean

# What the table says of sets without a verdict.
WITHOUT = {"broken": "a run broke down", "no effect": "no effect of the full model"}


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
            its = {one: claim_differences.cells(rows, one) for one in ("AE", "DAE", model)}
            both = [s for s in its["DAE"] if s in its[model] and claim_differences.sound(its["DAE"][s] + its[model][s])]
            if setting is SHORT and (not both or not its["AE"]):
                found.append(Finding(data, setting.name, f"{model} - DAE", verdict=NOT_RUN))
            found += [of_variant(data, setting, its, model, sigma2) for sigma2 in both]
        return found

    return assess


def of_variant(data: str, setting: Setting, its: dict, model: str, sigma2: float) -> Finding:
    """What the variant gives back of DAE's fall at one sigma^2."""
    back = claim_differences.differences(its[model][sigma2], its["DAE"][sigma2])
    fall = claim_differences.differences(its["AE"][0.0], its["DAE"][sigma2])
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
