"""Compare the numbers of two results files, which have the same runs from two environments or releases.

    python benchmarks/versions.py ONE.jsonl OTHER.jsonl [--same]

The runs are matched by identity, so their order does not matter. The hash of the prepared data is left out, because it
can differ. Records of older releases get their identity when they are read. The script prints the number of records
with equal numbers, and the largest difference per model.

Exit code 0: the files were compared. 1: with --same, at least one record has other numbers in the other file. 2: a file
cannot be read, or the two files do not hold the same runs.

--same compares every field of a record for exact equality, except those that describe the run or where it was made:
its hash, identity, data, configuration, "seconds", "versions" and "made". `.ci/oldest` and `.ci/wheel` make such files.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from migrate_records import identified, read_existing

from numpy_rae.experiments.command import command
from numpy_rae.identity.fingerprint import digest
from numpy_rae.storage import jsonl

NUMBERS = ("activation_fraction", "dead_fraction", "mean_preactivation", "loss")
TRIAL_NUMBERS = ("fraction", "dead", "mean_a", "loss")
# Fields that describe the run, or where and when it was made.
APART = {"hash", "identity", "data", "config", "seconds", "versions", "made"}


@command("versions")
def main(argv: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("files", nargs=2, type=Path, metavar="FILE.jsonl")
    p.add_argument("--same", action="store_true", help="exit code 1 unless all numbers are exactly the same")
    args = p.parse_args(argv)
    one, other = map(by_run, args.files)
    if one.keys() != other.keys() or not one:
        raise jsonl.StoreError(f"the two files do not hold the same runs: {unlike(one, other)}")
    same = sum(numbers(one[key]) == numbers(other[key]) for key in one)
    print(*(f"{path}: {environment(runs)}" for path, runs in zip(args.files, (one, other), strict=True)), sep="\n")
    print(f"{same} of {len(one)} records have the same numbers")
    print(*table([(one[key], other[key]) for key in one]), sep="\n")
    return int(args.same and same < len(one))


def by_run(path: Path) -> dict[str, dict[str, Any]]:
    """Return the records by identity, without the hash of the data. Raise StoreError if it is not a results file."""
    found = {}
    for entry in identified(read_existing(path)):
        if "identity" not in entry:
            raise jsonl.StoreError(f"results file {path} holds a record whose run is not known")
        key = digest(without_data_hash(entry["identity"]))
        if key in found and numbers(found[key]) != numbers(entry):
            raise jsonl.StoreError(f"results file {path} holds two records of one run with other numbers")
        found[key] = entry
    return found


def without_data_hash(identity: dict[str, Any]) -> dict[str, Any]:
    """Return the identity without the hash of the data."""
    if not isinstance(identity["data"], dict):
        return identity
    return {**identity, "data": {name: value for name, value in identity["data"].items() if name != "sha256"}}


def numbers(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a record that hold its results."""
    return {name: value for name, value in entry.items() if name not in APART}


def unlike(one: dict[str, dict[str, Any]], other: dict[str, dict[str, Any]]) -> str:
    """Return the number of runs that are in only one of the files, with an example."""
    apart = [runs[key] for runs, rest in ((one, other), (other, one)) for key in runs if key not in rest]
    return f"{len(apart)} of them are in one file only, such as {apart[0]['identity']}" if apart else "both are empty"


def environment(runs: dict[str, dict[str, Any]]) -> str:
    """Return the versions and the data in the first record; trials of the certificates have none."""
    first = next(iter(runs.values()))
    said = ", ".join(f"{name} {version}" for name, version in first.get("versions", {}).items())
    return f"{said}; data {first['data']['sha256'][:12]}" if said else f"{len(runs)} trials"


def table(pairs: list[tuple[dict[str, Any], dict[str, Any]]]) -> Iterator[str]:
    """Yield a title and one row per model with the largest differences."""
    names = NUMBERS if "config" in pairs[0][0] else TRIAL_NUMBERS
    yield f"largest difference{'':<10}" + "".join(f"{name:>21}" for name in names)
    for model in sorted({one["model"] for one, _ in pairs}):
        mine = [pair for pair in pairs if pair[0]["model"] == model]
        yield f"{model:<17}{len(mine):>3} runs   " + "".join(f"{largest(mine, name):>21}" for name in names)


def largest(pairs: list[tuple[dict[str, Any], dict[str, Any]]], name: str) -> str:
    """Return the largest difference of a metric over the pairs of runs. That of the loss is relative."""
    if any(a["status"] != b["status"] for a, b in pairs):
        return "one diverged"
    values = [each for a, b in pairs for each in zip(figures(a, name), figures(b, name), strict=True)]
    if name == "loss":
        return f"{max((abs(b - a) / abs(a) if a else abs(b) for a, b in values), default=0):.1e} of it"
    return f"{max((abs(b - a) for a, b in values), default=0):.1e}"


def figures(entry: dict[str, Any], name: str) -> list[float]:
    """Return a metric of a run: one number for a sweep, one per length for a trial, none if it diverged."""
    if "config" in entry:
        return [entry["metrics"][name]] if entry["metrics"] else []
    trial: list[float] = entry.get(name, [])
    return trial


if __name__ == "__main__":
    sys.exit(main())
