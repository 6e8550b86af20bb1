"""Split one sweep into several independent jobs by estimated time, and merge their results files.

Every job computes the same split, because the split depends only on the list of runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from numpy_rae import _validation
from numpy_rae.experiments.record_stores import records_by_hash
from numpy_rae.experiments.records import Record
from numpy_rae.experiments.run import Run
from numpy_rae.storage import jsonl

# Relative duration of a step by activation, from the seconds of the records in docs/records. The durations are fixed,
# because every job of an array must compute the same split. Measured times would differ between the jobs.
ACTIVATION_COST = {"relu": 1.0}
OTHER_ACTIVATION = 1.7
# The quantities that must be equal in two records of one run. Duration, date and versions can differ.
NUMBERS = (
    "status", "metrics", "history", "steps", "diverged_at_step", "first_objective", "peak_objective", "peak_step",
    "last_finite_objective", "n_extrapolated",
)  # fmt: skip


def parse_part(text: str) -> tuple[int, int]:
    """Return I and N of "I/N".

    Parameters
    ----------
    text : str
        Part I of N, with I from 1 to N.

    Returns
    -------
    tuple of int
        I and N.

    Raises
    ------
    ValueError
        If the text does not have this form.
    """
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text, re.ASCII)
    part, parts = map(int, found.groups()) if found else (0, 0)
    if not 1 <= part <= parts:
        raise ValueError(f"--part is {text!r}; it must be I/N with two whole numbers, 1 <= I <= N")
    return part, parts


@_validation.tiny_is_zero
def cost(run: Run) -> float:
    """Return the relative duration of a run.

    Parameters
    ----------
    run : Run
        The run.

    Returns
    -------
    float
        `Run.cost` times a factor for the activation.
    """
    return run.cost * ACTIVATION_COST.get(run.activation.name, OTHER_ACTIVATION)


def split(runs: Mapping[str, Run], parts: int) -> list[dict[str, Run]]:
    """Split runs into parts of about equal duration.

    The runs are assigned in the order of their duration, the longest first. Each goes to the part whose total duration
    is the smallest so far.

    Parameters
    ----------
    runs : mapping of str to Run
        The distinct runs by hash (`run.deduplicate`).
    parts : int
        Number of parts.

    Returns
    -------
    list of dict
        The runs of each part by hash, in the order of `runs`.
    """
    loads = [0.0] * parts
    shares: list[set[str]] = [set() for _ in range(parts)]
    for key in sorted(runs, key=lambda key: (-cost(runs[key]), key)):
        least = loads.index(min(loads))
        loads[least] += cost(runs[key])
        shares[least].add(key)
    return [{key: run for key, run in runs.items() if key in share} for share in shares]


def part_path(results: Path, part: int, parts: int) -> Path:
    """Return the file of one part of a results file.

    Parameters
    ----------
    results : pathlib.Path
        The file of all runs.
    part, parts : int
        Part `part` of `parts`, from 1.

    Returns
    -------
    pathlib.Path
        <results>.part-I-of-N.jsonl.
    """
    return results.with_name(f"{results.stem}.part-{part}-of-{parts}.jsonl")


def part_paths(results: Path) -> list[Path]:
    """Return all existing files of parts of a results file, for any number of parts, in order.

    Parameters
    ----------
    results : pathlib.Path
        The file of all runs.

    Returns
    -------
    list of pathlib.Path
        The files that exist.
    """
    pattern = re.compile(re.escape(results.stem) + r"\.part-(\d+)-of-(\d+)\.jsonl")
    found = ((pattern.fullmatch(path.name), path) for path in results.parent.glob("*.part-*-of-*.jsonl"))
    return [path for _, path in sorted(((int(m[2]), int(m[1])), path) for m, path in found if m)]


def collect(paths: Iterable[Path]) -> dict[str, Record]:
    """Return the records of a results file and its parts by hash.

    Parameters
    ----------
    paths : iterable of pathlib.Path
        Results files. A file that does not exist counts as empty.

    Returns
    -------
    dict
        The first record of each run.

    Raises
    ------
    jsonl.StoreError
        If two records of one run have different numbers, or a file cannot be read.
    """
    found: dict[str, tuple[Record, Path]] = {}
    for path in paths:
        for key, entry in records_by_hash(path).items():
            other, where = found.setdefault(key, (entry, path))
            if different := conflict(entry, other):
                config = entry["config"]
                raise jsonl.StoreError(
                    f"results files {where} and {path} hold different numbers ({different}) of the same run, "
                    f"{entry['model']} sigma^2={config['sigma2']:g} seed={config['seed']} ({key[:16]}); remove the "
                    "record that you do not trust"
                )
    return {key: entry for key, (entry, _) in found.items()}


def conflict(one: Record, other: Record) -> str | None:
    """Return the name of the first number in which two records of one run differ, or None if they agree.

    Parameters
    ----------
    one, other : dict
        The records.

    Returns
    -------
    str or None
        One of NUMBERS.
    """
    return next((name for name in NUMBERS if one.get(name) != other.get(name)), None)


def merge(results: Path, found: Mapping[str, Record]) -> int:
    """Append the missing records to a results file.

    Parameters
    ----------
    results : pathlib.Path
        The file.
    found : mapping
        Records by hash (`collect`).

    Returns
    -------
    int
        Number of records that were appended.

    Raises
    ------
    jsonl.StoreError
        If the file is in use or cannot be written.
    """
    with jsonl.exclusive_lock(results):
        stored = records_by_hash(results)
        missing = [entry for key, entry in found.items() if key not in stored]
        for entry in missing:
            jsonl.append(results, entry)
    return len(missing)


def refuse_running(paths: Iterable[Path]) -> None:
    """Raise StoreError if a running sweep uses one of the files.

    Parameters
    ----------
    paths : iterable of pathlib.Path
        Results files.

    Raises
    ------
    jsonl.StoreError
        If one of them is in use.
    """
    for path in paths:
        with jsonl.exclusive_lock(path):
            pass
