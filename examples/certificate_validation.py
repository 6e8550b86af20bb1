"""Test the certificates: every activation is trained with every penalty, for several lambda, on two data sets.

Prints predictions and outcomes. `numpy_rae.certificates.training_outcome` has the rule for the outcome, and
`numpy_rae.experiments.certificate_trials` has the sizes. Maxout is not trained, because its row follows from its
definition.
"""

import sys
from dataclasses import replace
from pathlib import Path

from numpy_rae import _validation
from numpy_rae.__main__ import COLUMNS, certificate, rows_shown
from numpy_rae.certificates import training_outcome
from numpy_rae.experiments import (
    certificate_runs,
    certificate_tables,
    certificate_trials,
    command_line,
    picture_script,
    progress,
)
from numpy_rae.experiments.certificate_runs import stored
from numpy_rae.experiments.command import command
from numpy_rae.experiments.local_pool import local_pool
from numpy_rae.experiments.records import Record
from numpy_rae.plotting import certificate_grid
from numpy_rae.registry import find_activation
from numpy_rae.storage import jsonl

TRAINED = [name for name in rows_shown() if name != "maxout"]


def parser():
    p = command_line.picture_parser("certificate_validation", __doc__, certificate_trials.PRESETS)
    p.add_argument("--activations", nargs="+", default=TRAINED, metavar="S", help="rows of the table")
    p.add_argument("--penalties", nargs="+", default=list(COLUMNS), metavar="R", help="columns of the table")
    p.add_argument("--seeds", nargs="+", type=int, metavar="K", help="at least two; default: the preset's")
    p.add_argument("--tangent", action="store_true", help="project the gradient on the unit rows' tangent")
    p.add_argument(
        "--workers", type=int, default=command_line.cores(), metavar="N", help="processes, one BLAS thread each"
    )
    p.add_argument("--plot-only", action="store_true", help="tables and picture from the stored runs, train nothing")
    return p


@command("certificate_validation")
def main(argv=None):
    args = parser().parse_args(argv)
    return run(args)


def run(args) -> int:
    """Train the runs that are not stored, then print and draw. Raise ValueError for an option outside its range."""
    wanted = planned(args)
    name = f"certificate_validation-{args.preset}" + ("-tangent" if args.tangent else "")
    results = args.out / f"{name}.jsonl"
    if not args.plot_only:
        jsonl.check_writable(results)
    found = stored(results, wanted)
    by_hash = found.by_hash
    if not args.plot_only:
        left = [trial for trial in wanted if trial.hash not in by_hash]
        with local_pool(args.workers) as pool:
            trained = certificate_runs.run(left, pool, found, args.workers)
            by_hash = by_hash | progress.show_progress(trained, len(left), certificate_runs.one_line)
    rows = judged(args, wanted, by_hash, results)
    print(certificate_tables.lengths(rows), certificate_tables.table(rows), certificate_tables.tally(rows), sep="\n\n")
    return picture_script.save(certificate_grid.picture(rows), args, f"{name}.png")


def judged(
    args, wanted: list[certificate_trials.Trial], found: dict[str, Record], results: Path
) -> list[training_outcome.Row]:
    """Return the rows with the outcomes, from the records by hash. Raise ValueError if a record is missing."""
    missing = sum(trial.hash not in found for trial in wanted)
    if missing:
        raise ValueError(f"results file {results} lacks {missing} of {len(wanted)} runs; run it without --plot-only")
    certificates = [certificate(s, r) for s in args.activations for r in args.penalties]
    records = [found[trial.hash] for trial in wanted]
    return certificate_tables.rows(records, [find_activation(s) for s in args.activations], certificates)


def planned(args) -> list[certificate_trials.Trial]:
    for penalty in args.penalties:
        _validation.one_of("--penalties", penalty, COLUMNS)
    for activation in args.activations:
        _validation.one_of("--activations", activation, TRAINED)
    _validation.integer("--workers", args.workers)
    preset = certificate_trials.PRESETS[args.preset]
    preset = replace(preset, seeds=tuple(dict.fromkeys(args.seeds or preset.seeds)))
    _validation.integer("number of --seeds", len(preset.seeds), low=2)
    return certificate_trials.all_trials(
        preset, [find_activation(name) for name in args.activations], args.penalties, args.tangent
    )


if __name__ == "__main__":
    sys.exit(main())
