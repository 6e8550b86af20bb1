"""The tables of docs/claims.md, made from the stored runs by examples/claims.py.

`python tests/claims_page.py` writes them into that page; `test_claims.py` fails if the page differs.
"""

from functools import cache, reduce

import example_scripts
import generated_table

claims = example_scripts.load("claims")
PAGE = generated_table.page("claims")


@cache
def tables() -> dict[str, str]:
    """Return the tables of the stored runs, by the names of their comments."""
    return claims.tables(claims.RECORDS)


def with_tables(text: str) -> str:
    """Return the page's text with these tables."""
    return reduce(lambda page, item: generated_table.inserted(page, *item, kind="table"), tables().items(), text)


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
