"""The scripts that train for docs/claims.md alone, at their smallest."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import example_scripts
import matplotlib.pyplot as plt
import pytest

from numpy_rae.experiments import claim_rows, study


@pytest.fixture
def thread(tmp_path, monkeypatch):
    """A thread for the processes, and a data folder of the test's own."""

    @contextmanager
    def pool(workers):
        with ThreadPoolExecutor(1) as executor:
            yield executor

    monkeypatch.setattr(study, "local_pool", pool)
    monkeypatch.setenv("NUMPY_RAE_DATA", str(tmp_path / "data"))
    yield
    plt.close("all")


def table_of(main, command: list[str], capsys) -> list[str]:
    """The lines of the table that a script prints."""
    assert main(command) == 0
    return [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]


def test_protocol_checks_trains_with_and_without_the_offset(thread, tmp_path, capsys):
    script = example_scripts.load("protocol_checks")
    command = ["--preset", "tiny", "--out", str(tmp_path)]
    printed = table_of(script.main, command, capsys)
    assert sum("| without |" in line for line in printed) == 5 and sum("| with " in line for line in printed) == 10
    assert sorted(table_of(script.main, [*command, "--plot-only"], capsys)) == sorted(printed)
    rows = claim_rows.load_rows(tmp_path, ["protocol_checks-tiny"])
    assert {row["std_offset"] for row in rows} == {0.0, 0.1}


def test_theory_in_training_prints_again_what_it_stored(thread, tmp_path, capsys):
    script = example_scripts.load("theory_in_training")
    command = ["--preset", "tiny", "--out", str(tmp_path)]
    printed = table_of(script.main, command, capsys)
    assert len(printed) == 2 + len(script.MODELS)
    assert table_of(script.main, [*command, "--plot-only"], capsys) == printed
    assert script.main(["--plot-only", "--out", str(tmp_path)]) == 2
    assert "holds no run" in capsys.readouterr().err
