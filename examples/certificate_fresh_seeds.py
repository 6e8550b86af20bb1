"""Test the certificates with fresh seeds, by a rule that was frozen before the runs.

The rule is in `numpy_rae.certificates.paired_outcome`: paired differences within each seed, their confidence interval,
and an equivalence margin. `numpy_rae.experiments.fresh_seed_trials` has the pairs, sizes and seeds. The script prints
the outcome of each pair, the numbers of outcomes, and how much a prediction adds to the base rate.
"""

import sys

from numpy_rae import _validation
from numpy_rae.__main__ import certificate
from numpy_rae.experiments import (
    certificate_runs,
    command_line,
    fresh_seed_tables,
    fresh_seed_trials,
    picture_script,
    progress,
)
from numpy_rae.experiments.command import command
from numpy_rae.experiments.local_pool import local_pool
from numpy_rae.plotting import paired_figure
from numpy_rae.storage import jsonl


def parser():
    p = command_line.picture_parser("certificate_fresh_seeds", __doc__, fresh_seed_trials.SIZES)
    p.add_argument(
        "--workers", type=int, default=command_line.cores(), metavar="N", help="processes, one BLAS thread each"
    )
    p.add_argument("--plot-only", action="store_true", help="tables and picture from the stored runs, train nothing")
    return p


@command("certificate_fresh_seeds")
def main(argv=None):
    args = parser().parse_args(argv)
    _validation.integer("--workers", args.workers)
    name = f"certificate_fresh_seeds-{args.preset}"
    results, records = judged(args, args.out / f"{name}.jsonl")
    print(*fresh_seed_tables.all_tables(results, records), sep="\n\n")
    return picture_script.save(paired_figure.picture(results), args, f"{name}.png")


def judged(args, path):
    """Train the runs that are not stored. Return the result of each pair, and the records."""
    wanted = fresh_seed_trials.trials(args.preset)
    found = collected(args, path, wanted)
    missing = sum(trial.hash not in found for trial in wanted)
    if missing:
        raise ValueError(f"results file {path} lacks {missing} of {len(wanted)} runs; run it without --plot-only")
    pairs = {(pair.activation, pair.penalty) for pair in fresh_seed_trials.pairs(args.preset)}
    certificates = {pair: certificate(*pair) for pair in pairs}
    results = fresh_seed_trials.results(args.preset, wanted, found, certificates)
    return results, [found[trial.hash] for trial in wanted]


def collected(args, path, wanted):
    """Return the records by hash. Train the missing runs first, unless --plot-only is given."""
    if args.plot_only:
        return certificate_runs.stored(path, wanted).by_hash
    jsonl.check_writable(path)
    found = certificate_runs.stored(path, wanted)
    left = [trial for trial in wanted if trial.hash not in found.by_hash]
    with local_pool(args.workers) as pool:
        trained = certificate_runs.run(left, pool, found, args.workers)
        return found.by_hash | progress.show_progress(trained, len(left), certificate_runs.one_line)


if __name__ == "__main__":
    sys.exit(main())
