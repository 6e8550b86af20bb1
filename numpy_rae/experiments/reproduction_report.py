"""The final output of `reproduce`: tables, coverage, pictures, and a comparison with the records in the repository."""

from __future__ import annotations

import argparse
import logging

from numpy_rae.experiments import comparison, coverage, figure_script, parts, record_checks, reproduced_figures, tables
from numpy_rae.experiments.protocol import PROTOCOLS, Protocol
from numpy_rae.experiments.records import Record
from numpy_rae.experiments.reproduction_jobs import results_path, script_options

LOG = logging.getLogger(__name__)


def report(args: argparse.Namespace, names: list[str]) -> int:
    """Print tables, coverage and comparison, and draw the pictures.

    Parameters
    ----------
    args : argparse.Namespace
        The command's options.
    names : list of str
        Names in `protocol.PROTOCOLS`.

    Returns
    -------
    int
        The exit code.

    Raises
    ------
    ValueError
        If nothing is stored.
    """
    entries = {name: _chosen(args, PROTOCOLS[name]) for name in names}
    _warn_of_differences(entries)
    if not any(entries.values()):
        raise ValueError(f"--out is {args.out}; this folder holds no run of these figures at preset {args.preset}")
    for name, found in entries.items():
        if found:
            print(f"\n{PROTOCOLS[name].title}, {reproduced_figures.data_label(found)}")
            print(tables.table(found, list(PROTOCOLS[name].models)))
    print(coverage.as_text(_count(args, entries)), end="\n\n")
    _compare(args, entries)
    return reproduced_figures.save(entries, args.pictures or args.out, args.preset)


def _chosen(args: argparse.Namespace, protocol: Protocol) -> list[Record]:
    """Return the stored records of a figure and its parts, for the seeds and sigma^2 that the options select."""
    path = results_path(args, protocol.name)
    paths = [path, *parts.part_paths(path)]
    for each in paths:
        record_checks.load_records(each)
    found = parts.collect(paths)
    wanted = argparse.Namespace(models=protocol.models, sigma2=args.sigma2, seeds=args.seeds)
    return tables.chosen([*found.values()], wanted)


def _warn_of_differences(entries: dict[str, list[Record]]) -> None:
    """Log a warning for each run that two figures share and that was trained twice with different numbers."""
    first: dict[str, tuple[str, Record]] = {}
    for name, found in entries.items():
        for entry in found:
            other_name, other = first.setdefault(entry["hash"], (name, entry))
            if parts.conflict(entry, other):
                LOG.warning(
                    "%s and %s share the run %s, and have different numbers of it: it was trained twice, on other "
                    "machines or with other versions", other_name, name, tables.one_line(entry).partition(":")[0],
                )  # fmt: skip


def _count(args: argparse.Namespace, entries: dict[str, list[Record]]) -> dict[str, tuple[int, int]]:
    """Count the chosen records and the runs that the protocols need."""
    counts = {}
    for name, found in entries.items():
        preset = figure_script.chosen_preset(PROTOCOLS[name], script_options(PROTOCOLS[name], args))
        needed = coverage.wanted(PROTOCOLS[name], preset, args.seeds or (0,))
        counts[name] = len(needed & {coverage.key(entry) for entry in found}), len(needed)
    return counts


def _compare(args: argparse.Namespace, entries: dict[str, list[Record]]) -> None:
    """Compare with the records in the repository: print one summary per figure, write one line per run to a file."""
    shipped = comparison.shipped_folder()
    if shipped is None:
        print("no records ship with an installed package; the repository has them in docs/records")
        return
    if shipped == args.out.resolve():
        print(f"{args.out} holds the records that ship; there is nothing to compare them with")
        return
    lines = []
    for name, found in entries.items():
        pairs = comparison.compare(found, shipped / f"{name}-{args.preset}.jsonl")
        print(f"{name}: {comparison.summary(pairs)}")
        lines += [f"{name} {comparison.line(*pair)}" for pair in pairs]
    if lines:
        path = args.out / f"comparison-{args.preset}.txt"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        print(f"comparison of every run: {path}")
