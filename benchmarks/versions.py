"""Two results files of the same runs, from two environments: how far apart their numbers are, model by model.

    python benchmarks/versions.py ONE.jsonl OTHER.jsonl [--same]

With --same the exit code is 1 unless every record is the same in all but "seconds"; without it "versions" may differ,
too. `.ci/oldest` and `.ci/wheel` make such files.
"""

import argparse
import sys
from pathlib import Path

from numpy_rae import store

METRICS = ("activation_fraction", "dead_fraction", "mean_preactivation", "loss")


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("files", nargs=2, type=Path, metavar="FILE.jsonl")
    p.add_argument("--same", action="store_true", help="require the same records")
    args = p.parse_args()
    one, other = map(by_run, args.files)
    if one.keys() != other.keys() or not one:
        print("the two files do not hold the same runs", file=sys.stderr)
        return 2
    free = dict.fromkeys(("seconds",) if args.same else ("seconds", "versions"))
    same = sum(one[key] | free == other[key] | free for key in one)
    print(*(f"{path}: {environment(runs)}" for path, runs in zip(args.files, (one, other), strict=True)), sep="\n")
    print(f"{same} of {len(one)} records are the same in all but {' and '.join(free)}")
    print(f"largest difference{'':<10}" + "".join(f"{name:>21}" for name in METRICS))
    for model in sorted({model for model, _, _ in one}):
        pairs = [(one[key], other[key]) for key in one if key[0] == model]
        print(f"{model:<17}{len(pairs):>3} runs   " + "".join(f"{largest(pairs, name):>21}" for name in METRICS))
    return int(args.same and same < len(one))


def by_run(path: Path) -> dict[tuple, dict]:
    """The records by model, sigma^2 and seed: not by hash, which holds that of the data, and those may differ."""
    return {(r["model"], r["config"]["sigma2"], r["config"]["seed"]): r for r in store.read(path)}


def environment(runs: dict[tuple, dict]) -> str:
    """What the first record says of where it was made."""
    first = next(iter(runs.values()))
    return ", ".join(f"{name} {version}" for name, version in first["versions"].items()) + (
        f"; data {first['data']['sha256'][:12]}"
    )


def largest(pairs: list[tuple[dict, dict]], metric: str) -> str:
    """The largest difference of a metric over the pairs of runs; the loss's is relative."""
    if any(a["status"] != b["status"] for a, b in pairs):
        return "one diverged"
    values = [(a["metrics"][metric], b["metrics"][metric]) for a, b in pairs if a["metrics"]]
    if metric == "loss":
        return f"{max((abs(b / a - 1) for a, b in values), default=0):.1e} of it"
    return f"{max((abs(b - a) for a, b in values), default=0):.1e}"


if __name__ == "__main__":
    sys.exit(main())
