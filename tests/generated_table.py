"""Tables that are made from the code or from the records and stored in a page of docs/, between two comments."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def inserted(page: str, name: str, table: str, kind: str = "part") -> str:
    """Return the page's text with the table between the comments of that name.

    The site makes a "part" again when it is built. It keeps a "table" as it is stored.
    """
    begin, end = f"<!-- {kind}: {name} -->", f"<!-- end: {name} -->"
    head, rest = page.split(begin)
    return f"{head}{begin}\n{table}\n{end}{rest.split(end)[1]}"


def page(name: str) -> Path:
    """Return the page of docs/ that holds the table."""
    return ROOT / "docs" / f"{name}.md"


def is_stored(name: str, table: str) -> bool:
    """Return whether the page holds this table."""
    text = page(name).read_text(encoding="utf-8")
    return inserted(text, name, table) == text


def store(name: str, table: str) -> None:
    """Write the table into its page."""
    text = page(name).read_text(encoding="utf-8")
    page(name).write_text(inserted(text, name, table), encoding="utf-8")
