"""Store the values of every formula of the package at fixed points, with the formula's version, in formula_values.json.

    python tests/formula_values.py

If you change a formula, first raise its version in VERSIONS of numpy_rae/identity/run_identity.py. Then run this
script. It writes only new formulas and new versions. If a formula changed without a new version, the script names it
and exits with code 1.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from numpy_rae.activations import RELU, SIGMOID
from numpy_rae.identity import run_identity
from numpy_rae.identity.fixed_points import close, jet_values, objective_values
from numpy_rae.objectives import Penalised

FILE = Path(__file__).with_suffix(".json")
SCRIPT = "python tests/formula_values.py"
COMMAND = f"raise its version in VERSIONS of numpy_rae/identity/run_identity.py and run: {SCRIPT}"


def values_of(name: str, formula: Any) -> list[float]:
    """Return the values of a formula of `run_identity.formulas` to 12 digits."""
    return [float(f"{value:.12g}") for value in exact_values_of(name.partition(" ")[0], formula)]


def exact_values_of(kind: str, formula: Any) -> list[float]:
    """Return the values of an activation, or of a model or penalty with the sigmoid and ReLU.

    A model or penalty that needs ReLU is evaluated with ReLU alone.
    """
    if kind == "activation":
        return jet_values(formula).tolist()
    model = formula if kind == "model" else Penalised(formula)
    found: list[float] = []
    for activation in (SIGMOID, RELU):
        try:
            found += objective_values(model, activation).tolist()
        except ValueError as error:
            assert "needs relu" in str(error)
    return found


def current() -> dict[str, dict[str, Any]]:
    """Return the version and the present values of every formula."""
    return {
        name: {"version": run_identity.version_of(name), "values": values_of(name, formula)}
        for name, formula in run_identity.formulas().items()
    }


def complaints(stored: dict[str, dict[str, Any]], now: dict[str, dict[str, Any]]) -> list[str]:
    """Return one sentence per fault of the stored values."""
    found = [f"{name} is not a formula any more; remove it from {FILE.name}" for name in stored if name not in now]
    for name, entry in now.items():
        if name not in stored or stored[name]["version"] != entry["version"]:
            found.append(f"{name} has no stored values in version {entry['version']}; run: {SCRIPT}")
        elif not close(np.array(stored[name]["values"]), np.array(entry["values"])):
            found.append(f"{name} has other values than those stored for its version {entry['version']}; {COMMAND}")
    return found


def main() -> int:
    """Run the command and return its exit code."""
    stored, now = json.loads(FILE.read_text()) if FILE.exists() else {}, current()
    for name, entry in now.items():
        if name not in stored or stored[name]["version"] < entry["version"]:
            stored[name] = entry
            print(f"written: {name}, version {entry['version']}")
    FILE.write_text("{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(stored[name])}" for name in stored) + "\n}\n")
    left = complaints(stored, now)
    print(*left, sep="\n", file=sys.stderr)
    return int(bool(left))


if __name__ == "__main__":
    sys.exit(main())
