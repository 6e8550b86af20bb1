"""Two results files of the same runs, from two environments or releases: how far apart their numbers are.

    python benchmarks/versions.py ONE.jsonl OTHER.jsonl [--same]

Runs are matched by identity, without the hash of the prepared data, in any order; older records are identified as the
package does it. With --same the exit code is 1 unless all numbers are the same: what a record holds beside its hash,
its configuration, "seconds", "versions" and "made". `.ci/oldest` and `.ci/wheel` make such files.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from migrate_records import identified

from numpy_rae.identity.fingerprint import digest
from numpy_rae.storage import jsonl

NUMBERS = ("activation_fraction", "dead_fraction", "mean_preactivation", "loss")
TRIAL_NUMBERS = ("fraction", "dead", "mean_a", "loss")
# What says which run it is, where and how long.
APART = {"hash", "identity", "data", "config", "seconds", "versions", "made"}


def main(argv: list[str] | None = None) -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("files", nargs=2, type=Path, metavar="FILE.jsonl")
    p.add_argument("--same", action="store_true", help="require the same numbers")
    args = p.parse_args(argv)
    try:
        one, other = map(by_run, args.files)
    except jsonl.StoreError as error:
        print(f"versions: {error}", file=sys.stderr)
        return 2
    if one.keys() != other.keys() or not one:
        print(f"the two files do not hold the same runs: {unlike(one, other)}", file=sys.stderr)
        return 2
    same = sum(numbers(one[key]) == numbers(other[key]) for key in one)
    print(*(f"{path}: {environment(runs)}" for path, runs in zip(args.files, (one, other), strict=True)), sep="\n")
    print(f"{same} of {len(one)} records have the same numbers")
    print(*table([(one[key], other[key]) for key in one]), sep="\n")
    return int(args.same and same < len(one))


def by_run(path: Path) -> dict[str, dict]:
    """The records by identity without the data's hash, which may differ. Raises StoreError for no results file."""
    found = {}
    for entry in identified(jsonl.read(path)):
        if "identity" not in entry:
            raise jsonl.StoreError(f"results file {path} holds a record whose run is not known")
        key = digest(without_data_hash(entry["identity"]))
        if key in found and numbers(found[key]) != numbers(entry):
            raise jsonl.StoreError(f"results file {path} holds two records of one run with other numbers")
        found[key] = entry
    return found


def without_data_hash(identity: dict) -> dict:
    """The identity, the data by what they are and not by their bits."""
    if not isinstance(identity["data"], dict):
        return identity
    return {**identity, "data": {name: value for name, value in identity["data"].items() if name != "sha256"}}


def numbers(entry: dict) -> dict:
    """What a record says of how the run went."""
    return {name: value for name, value in entry.items() if name not in APART}


def unlike(one: dict, other: dict) -> str:
    """How many runs stand in one of the files only, and one of them."""
    apart = [runs[key] for runs, rest in ((one, other), (other, one)) for key in runs if key not in rest]
    return f"{len(apart)} of them are in one file only, such as {apart[0]['identity']}" if apart else "both are empty"


def environment(runs: dict[str, dict]) -> str:
    """What the first record says of where it was made; the certificates' trials say nothing."""
    first = next(iter(runs.values()))
    said = ", ".join(f"{name} {version}" for name, version in first.get("versions", {}).items())
    return f"{said}; data {first['data']['sha256'][:12]}" if said else f"{len(runs)} trials"


def table(pairs: list[tuple[dict, dict]]) -> Iterator[str]:
    """A row of the largest differences for each model."""
    names = NUMBERS if "config" in pairs[0][0] else TRIAL_NUMBERS
    yield f"largest difference{'':<10}" + "".join(f"{name:>21}" for name in names)
    for model in sorted({one["model"] for one, _ in pairs}):
        mine = [pair for pair in pairs if pair[0]["model"] == model]
        yield f"{model:<17}{len(mine):>3} runs   " + "".join(f"{largest(mine, name):>21}" for name in names)


def largest(pairs: list[tuple[dict, dict]], name: str) -> str:
    """The largest difference of a figure over the pairs of runs; the loss's is relative."""
    if any(a["status"] != b["status"] for a, b in pairs):
        return "one diverged"
    values = [each for a, b in pairs for each in zip(figures(a, name), figures(b, name), strict=True)]
    if name == "loss":
        return f"{max((abs(b - a) / abs(a) if a else abs(b) for a, b in values), default=0):.1e} of it"
    return f"{max((abs(b - a) for a, b in values), default=0):.1e}"


def figures(entry: dict, name: str) -> list[float]:
    """A figure of a run: a sweep's has one, a trial's one for each length, a diverged one none."""
    if "config" in entry:
        return [entry["metrics"][name]] if entry["metrics"] else []
    return entry.get(name, [])


if __name__ == "__main__":
    sys.exit(main())
