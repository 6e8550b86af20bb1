"""Made rows of stored runs, for the tests of the claims."""

from paper_claims.claim_list import CLAIMS

from numpy_rae.experiments import claim_differences, claim_rows, claim_rules
from numpy_rae.experiments.claim_verdicts import Result

SHORT, LONG, RANGE, TANGENT, LONG_RANGE, LONG_TANGENT = claim_differences.SETTINGS
RELU_UNIT = {"activation": "relu", "constraint": "unit"}


def made(model: str, sigma2: float, fraction: float, seed: int = 0, **more) -> dict:
    """A row as `claim_rows.load_rows` makes it."""
    usual = {"data": "digits", "length": "short", "tangent": False, "eta": 0.001, "broken": False, "dead": 0.0}
    row = {"model": model, "sigma2": sigma2, "seed": seed, "fraction": fraction, "silent": 0.0}
    return {**row, **usual, **RELU_UNIT, **claim_rows.USUAL, **more}


def curve(model: str, fractions: dict[float, float], seeds=(0, 1, 2), plain: float = 0.5, spread=0.001, **more):
    """AE and one model; each seed shifts both by the same amount, and the model by a little more."""
    rows = [made("AE", 0.0, plain + 0.1 * seed, seed, **more) for seed in seeds]
    return rows + [
        made(model, s, fraction + 0.1 * seed + spread * (seed - 1), seed, **more)
        for s, fraction in fractions.items()
        for seed in seeds
    ]


def decided(rule, rows, model="CAE", setting=SHORT) -> Result:
    return claim_rules.decide(rows, "digits", setting, model, rule, **RELU_UNIT)


class Made:
    """Stored runs that a test made."""

    def __init__(self, rows=(), files=None):
        self.rows, self.files = list(rows), files or {}

    def of(self, name):
        return self.files.get(name, [])

    def lines(self, name):
        return self.files.get(name, [])


def found(key: str, stored: Made, setting=SHORT) -> list:
    claim = next(claim for claim in CLAIMS if claim.key == key)
    return [each for each in claim.assess(stored, setting) if each.data in ("digits", "both")]
