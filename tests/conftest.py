"""Hypothesis profiles: `fast` for every run, `ci` the same and derandomised, `deep` on demand (--hypothesis-profile),
`mutation` like `ci`, but the first counter-example ends a test: a mutant is killed, how simply does not matter."""

import os

import matplotlib
from hypothesis import HealthCheck, Phase, settings

matplotlib.use("Agg")

COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("fast", max_examples=25, **COMMON)
settings.register_profile("ci", max_examples=25, derandomize=True, **COMMON)
settings.register_profile("deep", max_examples=1000, **COMMON)
settings.register_profile(
    "mutation",
    max_examples=25,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    report_multiple_bugs=False,
    **COMMON,
)
settings.load_profile("ci" if os.environ.get("CI") else "fast")
