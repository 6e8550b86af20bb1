"""Certificates put to the test: every activation and penalty of the table is trained over lambda, on two data sets.

Prints what was predicted beside what happened. The rule that names the outcome is in `numpy_rae.outcome`, the sizes are
in `numpy_rae.trials`; Maxout's row is structural, and nothing of it is trained here.
"""

import sys
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from numpy_rae import options, outcome_report, report, store, trials, validation
from numpy_rae.__main__ import COLUMNS, certificate, find, rows_shown
from numpy_rae.command import command
from numpy_rae.pool import local_pool
from numpy_rae.trials import stored

TRAINED = [name for name in rows_shown() if name != "maxout"]


def parser():
    p = options.picture_parser("certificate_validation", __doc__, trials.PRESETS)
    p.add_argument("--activations", nargs="+", default=TRAINED, metavar="S", help="rows of the table")
    p.add_argument("--penalties", nargs="+", default=list(COLUMNS), metavar="R", help="columns of the table")
    p.add_argument("--seeds", nargs="+", type=int, metavar="K", help="at least two; default: the preset's")
    p.add_argument("--tangent", action="store_true", help="project the gradient on the unit rows' tangent")
    p.add_argument("--workers", type=int, default=options.cores(), metavar="N", help="processes, one BLAS thread each")
    p.add_argument("--plot-only", action="store_true", help="tables and picture from the stored runs, train nothing")
    return p


@command("certificate_validation")
def main(argv=None):
    args = parser().parse_args(argv)
    return run(args)


def run(args) -> int:
    """Train what is not stored, then print and draw. Raises ValueError for an option outside its range."""
    wanted = planned(args)
    name = f"certificate_validation-{args.preset}" + ("-tangent" if args.tangent else "")
    results = args.out / f"{name}.jsonl"
    if not args.plot_only:
        store.check_writable(results)
        done = stored(results, wanted)
        left = [trial for trial in wanted if trial.hash not in done]
        with local_pool(args.workers) as pool:
            for _ in tqdm(trials.run(left, pool, results), total=len(left), unit="run"):
                pass
    rows = judged(args, results)
    print(outcome_report.lengths(rows), outcome_report.table(rows), outcome_report.tally(rows), sep="\n\n")
    return report.save(outcome_report.picture(rows), args.out, f"{name}.png")


def judged(args, results: Path) -> list[outcome_report.Row]:
    """What the stored runs say. Raises ValueError if one is missing."""
    wanted = planned(args)
    found = stored(results, wanted)
    missing = sum(trial.hash not in found for trial in wanted)
    if missing:
        raise ValueError(f"results file {results} lacks {missing} of {len(wanted)} runs; run it without --plot-only")
    certificates = [certificate(s, r) for s in args.activations for r in args.penalties]
    records = [found[trial.hash] for trial in wanted]
    return outcome_report.rows(records, [find(s) for s in args.activations], certificates)


def planned(args) -> list[trials.Trial]:
    for penalty in args.penalties:
        validation.one_of("--penalties", penalty, COLUMNS)
    for activation in args.activations:
        validation.one_of("--activations", activation, TRAINED)
    validation.whole("--workers", args.workers)
    preset = trials.PRESETS[args.preset]
    preset = replace(preset, seeds=tuple(dict.fromkeys(args.seeds or preset.seeds)))
    validation.whole("number of --seeds", len(preset.seeds), low=2)
    return trials.trials(preset, [find(name) for name in args.activations], args.penalties, args.tangent)


if __name__ == "__main__":
    sys.exit(main())
