"""The rows of the stored runs: every run once, under one name, with its length."""

from made_claims import RELU_UNIT, SHORT
from paper_claims.stored_runs import FILES, RECORDS

from numpy_rae.experiments import claim_differences, claim_rows


def test_every_run_is_read_once_and_sae_has_one_name():
    rows = claim_rows.load_rows(RECORDS, FILES)
    keys = [tuple(row[name] for name in claim_rows.ONE_RUN) for row in rows]
    assert len(keys) == len(set(keys)) > 1000
    usual = claim_differences.at(rows, "digits", SHORT, 0.001, **RELU_UNIT)
    assert len(claim_differences.cells(usual, "SAE")[0.25]) >= 3 and "SAE(eps=0.1)" not in {
        row["model"] for row in rows
    }
    assert {row["length"] for row in rows} == {"short", "long", None}


def test_digits_without_the_offset_are_no_short_run():
    rows = claim_rows.load_rows(RECORDS, ["protocol_checks-sample"])
    assert {row["std_offset"]: row["length"] for row in rows} == {0.0: None, 0.1: "short"}
