"""The report: table, notes, announcement."""

from dataclasses import replace

import pytest
from made_runs import SMALL

from numpy_rae.activations import RELU
from numpy_rae.experiments import command_line, progress, tables
from numpy_rae.experiments.protocol import Protocol
from numpy_rae.experiments.run import Run
from numpy_rae.objectives import AE

FIGURE = Protocol("figure", "A figure", "mnist", "relu", ("DAE", "CAE", "mDAE", "SAE"))


def made(model, sigma2, active=0.5, status="ok", steps=1000):
    """Return a record with the fields that the report reads."""
    return {
        "model": model,
        "config": {"sigma2": sigma2, "seed": 0},
        "status": status,
        "metrics": {"activation_fraction": active, "dead_fraction": 0.25} if status == "ok" else None,
        "steps": steps,
        "diverged_at_step": None if status == "ok" else 7,
        "last_finite_objective": 2e9,
    }


def test_the_table_tells_diverged_from_missing():
    entries = [made("AE", 0.0), made("DAE", 1.0, 0.2), made("DAE", 1.0, 0.4), made("SAE", 1.0, status="diverged")]
    rows = [line.split() for line in tables.table(entries, ["DAE", "SAE", "CAE"]).splitlines() if line][1:]
    assert rows == [
        ["sigma^2", "DAE", "SAE", "CAE"],
        ["0", "0.500/0.250", "0.500/0.250", "0.500/0.250"],
        ["1", "0.300/0.250", "diverged", "-"],
    ]


def test_a_failed_run_is_not_part_of_the_mean_and_has_a_mark():
    failed = {"mean_square": 1.0, "peak_objective": 1e9}
    broken = made("DAE", 1.0, 0.0) | failed
    broken["metrics"] = {**broken["metrics"], "loss": 1e9}
    entries = [made("DAE", 1.0, 0.2), broken, {**broken, "model": "CAE"}, made("SAE", 1.0, 0.4)]
    entries.append(made("SAE", 1.0, status="diverged"))
    models = ["DAE", "CAE", "SAE"]
    lines = tables.table(entries, models).splitlines()
    assert lines[-2].split() == ["1", "0.200/0.250!", "0.000/0.250!", "0.400/0.250!"]
    assert lines[-1].startswith("!: a run diverged or broke down") and lines[-1] in tables.markdown(entries, models)
    assert "!" not in tables.table(entries[:1], ["DAE"])


def test_a_record_in_a_few_words():
    assert tables.one_line(made("DAE", 0.25)) == "DAE sigma^2=0.25: active 0.500, dead 0.250"
    assert (
        tables.one_line(made("SAE", 1.0, status="diverged"))
        == "SAE sigma^2=1: diverged at step 7, last finite objective 2e+09"
    )


@pytest.mark.parametrize(
    ("steps", "note"),
    [
        (999, "999 updates per run; the paper has 50,000. TOO SHORT for the effect, which needs about 1,000"),
        (1000, "1,000 updates per run; the paper has 50,000"),
        (50_000, ""),
    ],
)
def test_the_figure_says_how_short_its_runs_were(steps, note):
    assert tables.length_note(FIGURE, [made("DAE", 1.0, steps=3), made("AE", 0.0, steps=steps)]) == note


def test_chosen_is_what_the_command_line_asks_to_see():
    entries = [made("AE", 0.0), made("AE", 1.0), made("DAE", 1.0), made("SAE", 1.0), made("DAE", 0.5)]
    entries.append({**made("DAE", 1.0), "config": {"sigma2": 1.0, "seed": 4}})

    def seen(*arguments):
        return [
            (entry["model"], entry["config"]["sigma2"], entry["config"]["seed"])
            for entry in tables.chosen(entries, command_line.parser(FIGURE).parse_args(arguments))
        ]

    assert seen("--models", "DAE") == [("AE", 0, 0), ("DAE", 1, 0), ("DAE", 0.5, 0), ("DAE", 1, 4)]
    assert seen("--models", "DAE", "--sigma2", "1", "--seeds", "0") == [("DAE", 1, 0)]
    assert seen("--models", "AE") == [("AE", 0, 0), ("AE", 1, 0)]
    assert seen("--models", "AE", "DAE", "--sigma2", "0.5") == [("AE", 0, 0), ("AE", 1, 0), ("DAE", 0.5, 0)]


def test_paired_differences_match_seed_with_seed():
    """With two seeds, gaps of .1 and .3 have mean .2 and deviation .1. A seed without a reference is not counted."""

    def entry(model, seed, fraction, status="ok"):
        metrics = {"activation_fraction": fraction} if status == "ok" else None
        return {"model": model, "config": {"sigma2": 0.25, "seed": seed}, "status": status, "metrics": metrics}

    entries = [entry("DAE", 0, 0.1), entry("DAE", 1, 0.2), entry("DAE", 2, None, "diverged")]
    entries += [entry("antithetic", 0, 0.2), entry("antithetic", 1, 0.5), entry("antithetic", 2, 0.9)]
    text = tables.paired(entries, ["DAE", "antithetic"], "DAE")
    assert text.splitlines()[1:] == ["      antithetic 0.25   +0.2000 +- 0.1000 (2)"]


def test_an_interrupt_while_the_bar_is_drawn_closes_the_sweep(monkeypatch):
    def interrupt(entry):
        raise KeyboardInterrupt

    monkeypatch.setattr(tables, "one_line", interrupt)
    sweep = (made("DAE", sigma2) for sigma2 in (0.5, 1.0))
    with pytest.raises(KeyboardInterrupt):
        progress.show_progress(sweep, 2)
    assert sweep.gi_frame is None


@pytest.mark.parametrize(("epochs", "said"), [(3, False), (4200, True)])
def test_the_papers_length_is_announced_with_its_duration(monkeypatch, capsys, ref, thread, epochs, said):
    run = Run(AE, RELU, ref, replace(SMALL, batch_size=7, epochs=epochs))
    monkeypatch.setattr(progress, "seconds_ahead", lambda todo, pool, workers: 3723.4 * len(todo))
    progress.announce({run.hash: run}, {}, thread, 2)
    printed = capsys.readouterr().out
    assert f"1 runs to do of {6 * epochs:,} updates on 40 embedded MNIST digits" in printed
    assert ("estimated duration with 2 workers: 1:02:03" in printed) == said
