"""The notebook runs from top to bottom in a kernel, shows each result once, and is stored without outputs."""

from pathlib import Path

import pytest

nbclient = pytest.importorskip("nbclient", reason="the extra [notebook] is not installed")
pytest.importorskip("ipykernel", reason="the extra [notebook] is not installed")
nbformat = pytest.importorskip("nbformat")

NOTEBOOK = Path(__file__).resolve().parent.parent / "examples" / "own_idea.ipynb"


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """Give the notebook after its execution in an empty folder."""
    notebook, folder = nbformat.read(NOTEBOOK, as_version=4), tmp_path_factory.mktemp("notebook")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NUMPY_RAE_DATA", str(folder / "data"))
        patch.setenv("IPYTHONDIR", str(folder / "ipython"))
        patch.delenv("MPLBACKEND", raising=False)
        nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    return notebook


def shown(notebook, start):
    """Return the outputs of the cell that starts with these words."""
    (cell,) = (cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.startswith(start))
    return cell.outputs


def test_every_figure_is_shown_once(executed):
    for start in ("result.plot()", "result.plot_filters("):
        outputs = shown(executed, start)
        assert len(outputs) == 1 and "image/png" in outputs[0].data


@pytest.mark.parametrize(
    ("start", "part"),
    [
        ("from numpy_rae.registry", "| direction | analytic |"),
        ("rae.certify(", "**squareplus with"),
        ("X = rae.load_digits", "| sigma^2 | CAE | SAE | slope |"),
    ],
)
def test_checks_certificates_and_results_are_tables(executed, start, part):
    outputs = shown(executed, start)
    assert len(outputs) == 1 and part in outputs[0].data["text/markdown"]


def test_no_cell_prints_a_warning(executed):
    streams = [o for cell in executed.cells for o in cell.get("outputs", ()) if o.output_type in ("stream", "error")]
    assert streams == []


def test_the_stored_notebook_is_small_and_has_no_outputs():
    assert NOTEBOOK.stat().st_size < 10_000
    assert not any(cell.get("outputs") for cell in nbformat.read(NOTEBOOK, as_version=4).cells)
