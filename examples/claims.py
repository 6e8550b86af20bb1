"""The paper's empirical claims, decided by rules from the stored runs: the tables of docs/claims.md.

Prints one table per claim, after a summary. Every number is a difference of activation fractions between two runs with
the same seed, or a share of units, read from the records in --out. Nothing is trained. `python tests/claims_page.py`
writes the tables into the page. The claims are listed in paper_claims/claim_list.py; the other modules there hold their
rules.

The main rules of decision are below. docs/claims.md lists all of them. A difference is "clear" if it is larger in size than
0.01 and than three standard deviations over the seeds.

- "flat" (unaffected by sigma^2): the mean difference from AE is at most 0.01 in size at every sigma^2.
- "falls" (sparser with sigma^2): the mean difference at the largest sigma^2 is negative and clear, and the curve never
  rises by more than 0.01. If it does rise, the verdict is "in part".
- "moves" (the opposite of flat): some mean difference is clear.
- A claim about a range of learning rates must hold at each of them. The table shows the one with the worst verdict.
- A curve leaves out every sigma^2 at which a run broke down. If AE itself broke down, the verdict is "no verdict".
- "not run" means that there is no record.
- With one seed there is no deviation, and the verdict is about that seed.
"""

import sys

from paper_claims.claim_list import CLAIMS
from paper_claims.stored_runs import RECORDS
from paper_claims.tables import heading, tables

from numpy_rae.experiments import command_line
from numpy_rae.experiments.command import command


@command("claims")
def main(argv=None):
    parser = command_line.text_parser("claims", __doc__, out="folder of the records (default: docs/records)")
    folder = parser.parse_args(argv).out or RECORDS
    found = tables(folder)
    print(f"{found['summary']}\n\nstored runs of the figures\n\n{found['coverage']}")
    for claim in CLAIMS:
        print(f"\n### {heading(claim)}\n\n{found[claim.key]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
