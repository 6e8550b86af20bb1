"""The tables of docs/claims.md are those that the stored runs give."""

from pathlib import Path

import claims_page
import generated_table
from paper_claims.claim_list import CLAIMS
from paper_claims.stored_runs import RECORDS
from paper_claims.tables import heading

from numpy_rae.experiments.claim_verdicts import NOT_RUN


def test_the_page_holds_the_tables_of_the_stored_runs():
    text = claims_page.PAGE.read_text(encoding="utf-8")
    stored = {
        name: generated_table.inserted(text, name, table, "table") == text
        for name, table in claims_page.tables().items()
    }
    assert not [name for name, same in stored.items() if not same], "run: python tests/claims_page.py"


def test_every_claim_has_a_section_in_the_order_of_the_summary_and_a_rule_that_the_page_states():
    text = claims_page.PAGE.read_text(encoding="utf-8")
    places = [text.index(f"\n### {heading(claim)}\n") for claim in CLAIMS]
    assert places == sorted(places)
    assert not {claim.rule for claim in CLAIMS if f"\n| {claim.rule} |" not in text}
    assert len({claim.key for claim in CLAIMS}) == len(CLAIMS)


def test_without_records_nothing_is_decided(tmp_path, capsys):
    assert claims_page.claims.main(["--out", str(tmp_path)]) == 0
    summary = capsys.readouterr().out.split("\n\n")[0].splitlines()[2:]
    assert len(summary) == len(CLAIMS)
    for line in summary:
        cells = [cell.strip() for cell in line.split("|")[3:-1]]
        assert set(cells) <= {NOT_RUN, "-", ""} and cells[-1] == NOT_RUN


def test_the_records_folder_is_that_of_the_repository():
    assert RECORDS == Path(__file__).resolve().parent.parent / "docs" / "records"
