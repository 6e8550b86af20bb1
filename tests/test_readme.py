"""The README proves itself: its ten lines run and give what it says, and its links lead somewhere."""

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize(("document", "least"), [("README.md", 10), ("docs/your_own.md", 20)])
def test_what_the_documents_run(document, least):
    if document == "docs/your_own.md":
        pytest.importorskip("pandas", reason="the extra [pandas] is not installed")
    result = doctest.testfile(str(ROOT / document), module_relative=False)
    assert result.attempted >= least and result.failed == 0


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_relative_link_exists(document):
    prose = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)#]+)\)", prose)
    missing = [link for link in links if "://" not in link and not (document.parent / link).exists()]
    assert not missing
