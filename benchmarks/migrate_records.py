"""Give records of an older release their identity and its hash; nothing else in them changes.

    python benchmarks/migrate_records.py [FILE.jsonl ...]        # default: docs/records/*.jsonl

The package does the same whenever it reads such a file, so this is for files that are kept. A file without older
records is left as it is. A record of your own model or activation cannot be identified by its name; it stays as it was.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from numpy_rae.__main__ import COLUMNS, rows_shown
from numpy_rae.experiments import certificate_runs
from numpy_rae.identity import older_records
from numpy_rae.registry import find_activation
from numpy_rae.storage import jsonl

RECORDS = Path(__file__).resolve().parents[1] / "docs" / "records"


def main(argv: Sequence[str] | None = None) -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("files", nargs="*", type=Path, metavar="FILE.jsonl")
    try:
        for path in p.parse_args(argv).files or sorted(RECORDS.glob("*.jsonl")):
            print(f"{path.name}: {migrated(path)}")
    except (jsonl.StoreError, OSError) as error:
        print(f"migrate_records: {error}", file=sys.stderr)
        return 2
    return 0


def migrated(path: Path) -> str:
    """Rewrite a file if a record of it is older, and say what was done. Raises StoreError for a broken file."""
    if not path.exists():
        raise jsonl.StoreError(f"results file {path} does not exist")
    entries = jsonl.read(path)
    if not all(isinstance(entry.get("hash"), str) for entry in entries):
        return "no results file, left as it is"
    new = identified(entries)
    changed = sum(one != other for one, other in zip(entries, new, strict=True))
    unknown = sum("identity" not in entry for entry in new)
    if changed:
        with jsonl.exclusive_lock(path):
            rewrite(path, new)
    return f"{changed} of {len(entries)} records changed" + (f", {unknown} cannot be identified" if unknown else "")


def identified(entries: list[dict]) -> list[dict]:
    """The records, each with its identity if it can be known."""
    older = {trial.old_hash: trial for trial in known_trials(entries)}
    return [certificate_runs.with_identity(older_records.with_identity(entry), older) for entry in entries]


def known_trials(entries: list[dict]) -> list[certificate_runs.Trial]:
    """Every trial of the certificates' validation, in each preset, with the seeds of these records."""
    seeds = tuple(sorted({entry["seed"] for entry in entries if isinstance(entry.get("seed"), int)}))
    named = {entry["activation"] for entry in entries if str(entry.get("activation")).startswith("softplus(beta=")}
    activations = [find_activation(name) for name in sorted({*rows_shown(), *named} - {"maxout"})]
    return [
        trial
        for preset in certificate_runs.PRESETS.values()
        for tangent in (False, True)
        for trial in certificate_runs.all_trials(replace(preset, seeds=seeds), activations, list(COLUMNS), tangent)
    ]


def rewrite(path: Path, entries: list[dict]) -> None:
    """Write all records to a file beside it, which then takes its place."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".tmp", delete=False) as file:
        file.writelines(json.dumps(entry, allow_nan=False) + "\n" for entry in entries)
    os.chmod(file.name, path.stat().st_mode)
    os.replace(file.name, path)


if __name__ == "__main__":
    sys.exit(main())
