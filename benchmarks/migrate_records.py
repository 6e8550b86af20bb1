"""Add the identity and its hash to records of an older release. Nothing else in them changes.

    python benchmarks/migrate_records.py [FILE.jsonl ...]        # default: docs/records/*.jsonl

The package does the same each time it reads such a file, so this script is for files that you keep. A file without
older records does not change. A record of your own model or activation cannot be identified by its name. It does not
change either.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy_rae.__main__ import COLUMNS, rows_shown
from numpy_rae.experiments import certificate_runs, certificate_trials
from numpy_rae.experiments.command import command
from numpy_rae.identity import older_records
from numpy_rae.registry import find_activation
from numpy_rae.storage import jsonl

RECORDS = Path(__file__).resolve().parents[1] / "docs" / "records"


@command("migrate_records")
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 2 if a file cannot be read or written."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("files", nargs="*", type=Path, metavar="FILE.jsonl")
    for path in p.parse_args(argv).files or sorted(RECORDS.glob("*.jsonl")):
        print(f"{path.name}: {migrated(path)}")
    return 0


def migrated(path: Path) -> str:
    """Rewrite a file if one of its records is older, and return what was done. Raise StoreError for a broken file."""
    entries = read_existing(path)
    if not all(isinstance(entry.get("hash"), str) for entry in entries):
        return "it is not a results file and does not change"
    new = identified(entries)
    changed = sum(one != other for one, other in zip(entries, new, strict=True))
    unknown = sum("identity" not in entry for entry in new)
    if changed:
        with jsonl.exclusive_lock(path):  # the file is read again, because a sweep can have written to it since
            jsonl.rewrite(path, identified(jsonl.read(path)))
    return f"{changed} of {len(entries)} records changed" + (f", {unknown} cannot be identified" if unknown else "")


def read_existing(path: Path) -> list[dict[str, Any]]:
    """Return the records of a file. Raise StoreError if there is no file."""
    if not path.exists():
        raise jsonl.StoreError(f"results file {path} does not exist")
    return jsonl.read(path)


def identified(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the records, each with its identity if that can be known."""
    older = {trial.old_hash: trial for trial in known_trials(entries)}
    return [certificate_runs.with_identity(older_records.with_identity(entry), older) for entry in entries]


def known_trials(entries: list[dict[str, Any]]) -> list[certificate_trials.Trial]:
    """Return every trial of the validation of the certificates, in each preset, with the seeds of these records."""
    seeds = tuple(sorted({entry["seed"] for entry in entries if isinstance(entry.get("seed"), int)}))
    named = {entry["activation"] for entry in entries if str(entry.get("activation")).startswith("softplus(beta=")}
    activations = [find_activation(name) for name in sorted({*rows_shown(), *named} - {"maxout"})]
    return [
        trial
        for preset in certificate_trials.PRESETS.values()
        for tangent in (False, True)
        for trial in certificate_trials.all_trials(replace(preset, seeds=seeds), activations, list(COLUMNS), tangent)
    ]


if __name__ == "__main__":
    sys.exit(main())
