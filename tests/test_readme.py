"""The examples in the documents run and give the printed results, and the links lead to existing files."""

import configparser
import doctest
import re
import textwrap
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from numpy_rae.experiments import own_sweep_places
from numpy_rae.experiments.local_pool import local_pool

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


@pytest.fixture(scope="module")
def two_workers(module_data_folder):
    """A pool of two processes for the sweeps of all documents."""
    with local_pool(2) as pool:
        yield pool


@pytest.fixture
def one_pool(two_workers, monkeypatch):
    """No sweep starts processes of its own."""
    monkeypatch.setattr(own_sweep_places, "local_pool", lambda workers: nullcontext(two_workers))


@pytest.mark.usefixtures("one_pool")
@pytest.mark.parametrize(("document", "least"), [("README.md", 10), ("docs/your_own.md", 30)])
def test_the_examples_of_the_documents_run(document, least, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the examples write into results/
    if document == "docs/your_own.md":
        pytest.importorskip("pandas", reason="the extra [pandas] is not installed")
    result = doctest.testfile(str(ROOT / document), module_relative=False)
    assert result.attempted >= least and result.failed == 0


def code_blocks(path):
    """Return the blocks of Python code in a document."""
    return re.findall(r"^```python\n(.*?)^```", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


# doctest runs the blocks with prompts above, in these documents.
DOCTESTS = ("README.md", "your_own.md")
BLOCKS = [(path.name, code) for path in DOCUMENTS for code in code_blocks(path)]


@pytest.mark.usefixtures("one_pool")
@pytest.mark.parametrize(("document", "code"), [block for block in BLOCKS if ">>>" not in block[1]])
def test_the_code_without_prompts_runs(document, code, tmp_path, monkeypatch):
    if "sklearn" in code:
        pytest.importorskip("sklearn", reason="the extra [sklearn] is not installed")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, document, "exec"), {})


def test_every_block_with_prompts_is_in_a_document_that_doctest_runs():
    assert {document for document, code in BLOCKS if ">>>" in code} == set(DOCTESTS)


JOBS = "    # each job\n"


@pytest.mark.usefixtures("one_pool")
def test_the_job_array_of_your_own_runs(tmp_path, monkeypatch):
    """The matrix is small. The two parts of the job script are one indented block of the page."""
    document = (ROOT / "docs" / "your_own.md").read_text(encoding="utf-8")
    block = textwrap.dedent(JOBS + re.split(r"\n(?=\S)", document.split(JOBS)[1])[0])
    job, afterwards = block.split("# afterwards\n")
    monkeypatch.chdir(tmp_path)
    np.save("X.npy", np.random.default_rng(0).standard_normal((50, 6)))
    for seed in range(2):
        monkeypatch.setenv("SLURM_ARRAY_TASK_ID", str(seed))
        exec(job, {})
    exec(afterwards, {})
    assert Path("all.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_relative_link_exists(document):
    prose = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)#]+)\)", prose)
    missing = [link for link in links if "://" not in link and not (document.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_script_and_module_that_is_named_exists(document):
    folders = (ROOT / name for name in ("numpy_rae", "tests", "examples", "benchmarks"))
    there = [*ROOT.glob("*.py"), *(path for folder in folders for path in folder.rglob("*.py"))]
    named = re.findall(r"(?:^|[\s`(\[])((?:\w+/)*\w+\.py)\b", document.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert not [name for name in named if not any(f"/{path.as_posix()}".endswith(f"/{name}") for path in there)]


def test_the_readme_is_short_and_leads_to_every_page():
    """The tables of the README are pages of their own. Pages that only the site has are reached through the site."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    only_on_the_site = {"index", "start", "gallery", "notebook", "contributing", "changelog"}
    pages = {path.stem for path in (ROOT / "docs").glob("*.md")} - only_on_the_site
    assert len(readme.splitlines()) <= 110
    assert not {page for page in pages if f"(docs/{page}.md" not in readme}


def test_the_first_example_uses_the_public_names_and_no_none():
    first = (ROOT / "README.md").read_text(encoding="utf-8").split("```python")[1].split("```")[0]
    assert "import numpy_rae as rae" in first and "from numpy_rae" not in first and "None" not in first


def test_the_package_index_s_description_has_no_relative_links():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    shown = (ROOT / config["metadata"]["long_description"].removeprefix("file: ")).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)]+)\)", shown)
    assert links and all(link.startswith("https://") for link in links)
    assert "CC BY-SA 3.0" in shown and "NumPy and SciPy, no automatic differentiation" in shown
