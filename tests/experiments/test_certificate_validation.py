"""The script that compares certificates with training, and the document with its output."""

from pathlib import Path

import example_scripts
import made_runs
import pytest

from numpy_rae.experiments import certificate_tables

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "certificate.md"
RECORDS = ROOT / "docs" / "records"


@pytest.fixture
def script(monkeypatch):
    """Return the example, with a thread instead of processes."""
    module = example_scripts.load("certificate_validation")

    monkeypatch.setattr(module, "local_pool", made_runs.one_thread)
    return module


QUICK = ["--preset", "tiny", "--activations", "relu", "tanh", "--penalties", "L1", "KL"]


def test_the_example_prints_the_tables_and_draws(script, tmp_path, capsys):
    command = [*QUICK, "--out", str(tmp_path)]
    assert script.main(command) == 0
    first = capsys.readouterr().out
    assert first.count("\n| relu |") == 3 and first.count("\n| tanh |") == 3
    assert "| tanh | KL | undetermined | refused |" in first
    stored = (tmp_path / "certificate_validation-tiny.jsonl").read_bytes()
    assert (tmp_path / "certificate_validation-tiny.png").read_bytes().startswith(b"\x89PNG")
    assert script.main([*command, "--plot-only"]) == 0
    assert capsys.readouterr().out == first
    assert (tmp_path / "certificate_validation-tiny.jsonl").read_bytes() == stored


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--plot-only"], "lacks 20 of 20 runs; run it without --plot-only"),
        (["--seeds", "1", "1"], "number of --seeds is 1; it must be a whole number of at least 2"),
        (["--activations", "maxout"], "--activations is 'maxout'; it must be one of relu, "),
        (["--penalties", "decay"], "--penalties is 'decay'; it must be one of CAE, "),
        (["--workers", "0"], "--workers is 0"),
    ],
)
def test_the_example_refuses_with_one_sentence(script, tmp_path, capsys, options, message):
    assert script.main([*QUICK, "--out", str(tmp_path), *options]) == 2
    err = capsys.readouterr().err
    assert message in err and err.count("\n") == 1 and err.startswith("certificate_validation: ")


CONTROL = ["--tangent", "--activations", "relu", "leaky_relu", "hard_sigmoid", "--penalties", "CAE", "mDAE"]


@pytest.mark.parametrize(("name", "options"), [("sample", []), ("sample-tangent", CONTROL)])
def test_the_document_shows_what_the_stored_runs_say(script, name, options):
    args, results = script.parser().parse_args(options), RECORDS / f"certificate_validation-{name}.jsonl"
    wanted = script.planned(args)
    rows = script.judged(args, wanted, script.stored(results, wanted).by_hash, results)
    shown = DOCUMENT.read_text(encoding="utf-8")
    parts = [certificate_tables.lengths(rows), certificate_tables.table(rows), certificate_tables.tally(rows)]
    for part in parts if name == "sample" else parts[:2]:
        assert part in shown, "run: python examples/certificate_validation.py --plot-only --out docs/records"
    assert " ".join(["python examples/certificate_validation.py", *options]) in shown
