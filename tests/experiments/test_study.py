"""The driver of studies, and the study scripts of examples/ with their tiny preset: tables, verdicts and pictures."""

from dataclasses import replace
from pathlib import Path

import example_scripts
import matplotlib.pyplot as plt
import numpy as np
import pytest
from made_runs import SMALL, lines, one_thread, reference_data

from numpy_rae import metrics
from numpy_rae.activations import RELU, SIGMOID
from numpy_rae.data import data_spec, fetch, prepared
from numpy_rae.experiments import command_line, progress, study, study_rows
from numpy_rae.experiments.record_stores import records_by_hash
from numpy_rae.experiments.run import Run
from numpy_rae.experiments.study import Size, Study
from numpy_rae.experiments.time_estimate import kind
from numpy_rae.experiments.worker import train_run
from numpy_rae.objectives import AE, PAPER_OBJECTIVES
from numpy_rae.storage import jsonl

RECORDS = Path(__file__).resolve().parents[2] / "docs" / "records"
SCRIPTS = ("continuation", "learning_rate", "bias_or_weights")
SIZE = Size(40, 6, {"digits": 1, "patches": 2}, (0, 1), fetch=False)


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    """Train in one thread instead of processes, and use an empty data folder."""
    monkeypatch.setattr(study, "local_pool", one_thread)
    monkeypatch.setenv("NUMPY_RAE_DATA", str(tmp_path / "data"))
    yield
    plt.close("all")


def made_runs(size, data):
    """Return 10 runs, 2 of which are equal to others: AE and DAE on both data sets, and DAE with other settings."""
    configs = [(name, study.config(size, name, seed, 0.0)) for name in data for seed in size.seeds]
    found = [
        Run(model, RELU, data[name], config) for name, config in configs for model in (AE, PAPER_OBJECTIVES["DAE"])
    ]
    name, config = configs[0]
    return found + [
        Run(PAPER_OBJECTIVES["DAE"], s, data[name], replace(config, sigma2=1.0, eta=eta))
        for s in (RELU, SIGMOID)
        for eta in (0.001, 0.002)
    ]


def made_study(seen):
    def table(rows):
        seen[:] = rows
        return "the table"

    return Study("made", "A made study.", {"sample": SIZE, "tiny": SIZE}, made_runs, table, lambda rows: plt.figure())


def test_a_study_trains_what_is_missing_once_and_shows_the_rows(tmp_path, capsys):
    """One file holds runs of different activations, learning rates and data. Equal runs are trained once."""
    seen, out = [], tmp_path / "made-tiny.jsonl"
    command = ["--preset", "tiny", "--out", str(tmp_path)]
    assert study.main(made_study(seen), command) == 0
    said = capsys.readouterr()
    assert "8 of 8 runs to do, 10 updates\nthe table" in said.out and "Continuing with other data" in said.err
    assert len(lines(out)) == len(seen) == 8 and (tmp_path / "made-tiny.png").exists()
    first = [dict(row) for row in seen]
    assert study.main(made_study(seen), command) == 0
    assert "0 of 8 runs to do, 0 updates" in capsys.readouterr().out and seen == first
    assert study.main(made_study(seen), [*command, "--plot-only"]) == 0
    assert sorted(map(str, seen)) == sorted(map(str, first))


def test_a_study_parses_its_results_file_once(tmp_path, monkeypatch):
    read, parsed = jsonl.read, []
    monkeypatch.setattr(jsonl, "read", lambda path: parsed.append(path) or read(path))
    for more in ([], ["--seeds", "0"], ["--plot-only"]):
        assert study.main(made_study([]), ["--preset", "tiny", "--out", str(tmp_path), *more]) == 0
        assert parsed == [tmp_path / "made-tiny.jsonl"]
        parsed.clear()


def test_a_study_continues_after_runs_were_lost_from_its_file(tmp_path):
    seen, out = [], tmp_path / "made-tiny.jsonl"
    command = ["--preset", "tiny", "--out", str(tmp_path)]
    study.main(made_study(seen), command)
    first = [dict(row, seconds=0) for row in seen]
    kept = out.read_text().splitlines(keepends=True)
    out.write_text("".join(kept[::2]) + "{torn")
    assert study.main(made_study(seen), command) == 0
    assert len(lines(out)) == 8 and [dict(row, seconds=0) for row in seen] == first


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--workers", "0"], "--workers is 0; it must be a whole number of at least 1"),
        (["--seeds", "-1"], "--seeds is -1; it must be a whole number of at least 0"),
        (["--plot-only"], "holds no run of these seeds; run it without --plot-only first"),
        (["--images", "/nowhere.npy"], "nowhere.npy"),
    ],
)
def test_bad_options_are_refused_in_one_sentence(more, message, tmp_path, capsys):
    code = study.main(made_study([]), ["--preset", "tiny", "--out", str(tmp_path), *more])
    said = capsys.readouterr().err.splitlines()
    assert code == 2 and len(said) == 1 and message in said[0]


def test_the_command_line_chooses_the_seeds(tmp_path):
    seen = []
    command = ["--preset", "tiny", "--out", str(tmp_path), "--seeds", "3", "3"]
    assert study.main(made_study(seen), command) == 0 and {row["seed"] for row in seen} == {3}
    assert study.main(made_study(seen), [*command[:-3], "--seeds", "5", "--plot-only"]) == 2


def test_an_interrupt_ends_with_its_exit_code(tmp_path, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(progress, "show_progress", interrupted)
    assert study.main(made_study([]), ["--preset", "tiny", "--out", str(tmp_path)]) == 130
    assert capsys.readouterr().err.endswith("made: interrupted\n")


def test_both_data_sets_have_the_lengths_of_the_figures_short_runs():
    """A short run has 1,000 updates on 5,000 digits, or 2,000 updates on 5,000 patches."""
    sample = study.presets(3)["sample"]
    assert sample == Size(5000, 1000, {"digits": 10, "patches": 20}, (0, 1, 2))
    assert study.config(sample, "patches", 2, 0.25, eta=0.002).epochs == 20
    paper = study.presets(3)["paper"]
    assert paper.samples * paper.epochs["digits"] // 50 == 50_000 and paper.seeds == (0, 1)


def test_a_row_is_flat_and_knows_what_the_record_does_not_name():
    ref = reference_data()
    run = Run(PAPER_OBJECTIVES["DAE"], RELU, ref, replace(SMALL, sigma2=0.1, velocity="no turn"))
    entry = train_run(run)
    found = study_rows.row(entry)
    assert (found["model"], found["data"], found["velocity"], found["start"]) == ("DAE", "digits", "no turn", "glorot")
    assert found["fraction"] == entry["metrics"]["activation_fraction"] and found["broken"] is False
    x = prepared.load(ref)
    assert (
        entry["mean_square"] == metrics.mean_square(x) == pytest.approx((np.float64(x) ** 2).sum() / len(x), rel=1e-5)
    )
    assert found["peak"] == entry["peak_objective"] / entry["mean_square"]


def test_rows_of_a_diverged_run_and_of_an_old_record():
    entry = next(
        e
        for e in records_by_hash(RECORDS / "fig2_relu_free_cifar10-sample-sae_eps_0.001.jsonl").values()
        if e["status"] == "diverged"
    )
    found = study_rows.row(entry)
    assert found["broken"] is True and found["fraction"] is None and found["peak"] is None
    old = next(e for e in records_by_hash(RECORDS / "fig1_relu_mnist-sample.jsonl").values())
    assert study_rows.row(old)["broken"] is None


def test_selecting_and_writing_rows():
    rows = [{"a": 2, "b": "y"}, {"a": 1, "b": "x"}, {"a": None, "b": "y"}]
    assert study_rows.select(rows, b="y") == [rows[0], rows[2]]
    assert study_rows.levels(rows, "b") == ["y", "x"] and study_rows.levels(rows[:2], "a") == [1, 2]
    assert study_rows.values(rows, "a").tolist() == [2, 1]
    assert [study_rows.mean_and_deviation(np.array(v)) for v in ([], [0.5], [1.0, 3.0])] == [
        "-",
        "0.5000",
        "2.0000 +- 1.4142",
    ]
    assert study_rows.text_table(("a", "bb"), [(1, 2)]) == "| a | bb |\n| - | -- |\n| 1 | 2  |"


def test_runs_of_one_kind_last_equally_long():
    run = Run(PAPER_OBJECTIVES["DAE"], RELU, reference_data(), SMALL)
    same = [replace(run, config=replace(SMALL, **part)) for part in ({"sigma2": 0.5}, {"seed": 3}, {"eta": 0.1})]
    other = [replace(run, model=PAPER_OBJECTIVES["CAE"]), replace(run, activation=SIGMOID), replace(run, config=replace(SMALL, hidden=9)),
             replace(run, config=replace(SMALL, tangent=True)), replace(run, config=replace(SMALL, epochs=9))]  # fmt: skip
    assert {kind(each) for each in same} == {kind(run)} and kind(run) not in {kind(each) for each in other}


# The scripts.


@pytest.fixture
def no_digits(monkeypatch):
    """Replace the data by 100 samples with 8 features, so that the hundreds of runs of a script are fast."""
    few = {name: data_spec.DataSpec(source, 100) for name, source in (("digits", "digits"), ("patches", "photograph"))}
    x = {name: np.random.default_rng(k).standard_normal((100, 8)).astype(np.float32) for k, name in enumerate(few)}
    monkeypatch.setattr(
        study,
        "prepare_data",
        lambda args, size, names: {name: prepared.store_array(x[name], few[name]) for name in names},
    )


@pytest.mark.parametrize(("name", "more"), [*((name, []) for name in SCRIPTS), ("learning_rate", ["--path"])])
def test_a_script_prints_its_table_and_draws(name, more, no_digits, tmp_path, capsys, request):
    """The script runs with fewer values of sigma^2 and eta than usual. The stored runs give the same table again."""
    module = example_scripts.load(name)
    module.SIGMA2, module.ETA, module.STARTS = (1.0,), (0.001, 0.005), (("unit", "glorot"), ("free", "glorot"))
    command = ["--preset", "tiny", "--out", str(tmp_path), *more]
    assert module.main(command) == 0
    first = capsys.readouterr().out.split("updates\n", 1)[1]
    stem = f"{name}_path-tiny" if more else f"{name}-tiny"
    assert (tmp_path / f"{stem}.png").read_bytes().startswith(b"\x89PNG")
    assert "| digits " in first and "| patches " in first
    request.getfixturevalue("blank_pictures")
    assert module.main([*command, "--plot-only"]) == 0
    assert sorted(capsys.readouterr().out.splitlines()) == sorted(first.splitlines())


def made_row(**values):
    usual = {"data": "digits", "activation": "relu", "sigma2": 1.0, "seed": 0, "eta": 0.001, "broken": False,
             "tangent": False, "velocity": "classical", "n_extrapolated": 0, "dead": 0.0, "peak": 1.0}  # fmt: skip
    return usual | values


def test_the_continuation_is_the_smallest_eps_without_a_broken_run():
    script = example_scripts.load("continuation")
    rows = [made_row(model=f"SAE(eps={eps:g})", broken=eps < 0.1) for eps in script.EPS]
    rows += [made_row(model="SAE", activation="sigmoid"), made_row(model="L1")]
    assert script.decision(rows).splitlines() == [
        "the rule chooses: eps = 0.1", "sigmoid with eps = 0.001: 0 pairs beyond 1 - eps in 1 runs",
    ]  # fmt: skip
    assert "no eps of this study" in script.decision([row | {"broken": True} for row in rows])


@pytest.mark.parametrize("figure", ["fig4", "fig5"])
@pytest.mark.parametrize("data", ["mnist", "cifar10"])
def test_sigmoid_s_records_never_use_the_continuation(figure, data):
    """With h < 1 the mean code does not reach 1 - EPS, so Eq. (13) itself was trained."""
    paths = sorted(RECORDS.glob(f"{figure}_sigmoid*_{data}-*.jsonl"))
    entries = [entry for path in paths for entry in records_by_hash(path).values() if entry["model"] == "SAE"]
    assert len(entries) > 10 and {entry["n_extrapolated"] for entry in entries} == {0}


def test_at_the_paper_s_length_three_learning_rates_with_and_without_a_tangent_gradient_are_trained():
    script = example_scripts.load("learning_rate")
    few = {"digits": data_spec.DataSpec("digits", 100), "patches": data_spec.DataSpec("photograph", 100)}
    data = {name: data_spec.DataRef(spec, "0" * 64, (100, 8)) for name, spec in few.items()}
    runs = script.rates(script.PRESETS["paper"], data)
    found = {
        (run.data.spec.source, run.config.eta, run.config.tangent, run.model.name, run.config.sigma2) for run in runs
    }
    models = {("AE", 0.0), *((model.name, sigma2) for model in script.SHOWN for sigma2 in (0.25, 1.0))}
    assert len(runs) == 108 and found == {
        (name, eta, tangent, *one)
        for name in ("digits", "photograph")
        for eta in (0.001, 0.002, 0.005)
        for tangent in (False, True)
        for one in models
    }
    assert {(run.config.seed, run.config.velocity, run.config.epochs) for run in runs} == {(0, "classical", 50)}


def test_the_stored_runs_at_the_paper_s_length_with_eta_001_are_those_of_fig_1():
    study_runs = records_by_hash(RECORDS / "learning_rate-paper.jsonl")
    for data in ("mnist", "cifar10"):
        figure_runs = records_by_hash(RECORDS / f"fig1_relu_{data}-paper.jsonl")
        shared = study_runs.keys() & figure_runs.keys()
        assert len(shared) == 9 and all(study_runs[key] == figure_runs[key] for key in shared)


@pytest.mark.parametrize("tangent", [True, False])
def test_with_tangent_gradients_alone_the_stored_runs_equal_those_of_ae_after_every_epoch(tangent):
    """The objective differs, because it contains the penalty."""
    found = {}
    for one in records_by_hash(RECORDS / "learning_rate-paper.jsonl").values():
        if one["config"]["tangent"] == tangent and one["model"] in ("AE", "CAE", "mDAE"):
            course = [{key: value for key, value in epoch.items() if key != "objective"} for epoch in one["history"]]
            found.setdefault((one["data"]["source"], one["config"]["eta"]), []).append(course)
    assert len(found) == 6 and {len(courses) for courses in found.values()} == {5}
    assert all((course == courses[0]) == tangent for courses in found.values() for course in courses[1:])


def test_the_learning_rate_s_verdict():
    script = example_scripts.load("learning_rate")
    usual, (tangent, velocity) = script.VARIANTS["projection after the step"], (False, "classical")
    assert usual == (tangent, velocity)

    def verdict(*fractions, broken=False):
        rows = [made_row(model="AE", sigma2=0.0, seed=seed, fraction=0.5) for seed in (0, 1)]
        rows += [
            made_row(model="CAE", sigma2=s, seed=seed, fraction=fraction, broken=broken)
            for s, fraction in zip(script.SIGMA2, fractions, strict=True)
            for seed in (0, 1)
        ]
        return script.verdict(rows, usual, "digits", 0.001, "CAE")

    assert verdict(0.5, 0.5) == "equal" and verdict(0.5, 0.491) == "unaffected -0.009"
    assert verdict(0.511, 0.5) == "affected +0.011"
    assert verdict(0.5, 0.5, broken=True) == "no verdict"


def test_the_verdict_names_the_part_that_carries_the_effect():
    script = example_scripts.load("bias_or_weights")
    key = ("digits", "relu", "DAE", 1.0)

    def verdict(full, weights, bias, broken=False):
        rows = []
        for seed, noise in enumerate((-0.001, 0.0, 0.001)):
            rows.append(made_row(model="AE", sigma2=0.0, seed=seed, fraction=0.7))
            for name, fall in (("DAE", full), ("DAE weights only", weights), ("DAE bias only", bias)):
                rows.append(made_row(model=name, seed=seed, fraction=0.7 - fall + noise, broken=broken))
        return script.verdict(rows, key)

    assert verdict(0.4, 0.02, 0.38) == "bias" and verdict(0.4, 0.3, 0.0) == "weights"
    assert verdict(0.4, 0.25, 0.25) == "both" and verdict(0.4, 0.1, 0.1) == "neither"
    assert verdict(0.009, 0.3, 0.3) == "no effect" and verdict(-0.4, 0, 0) == "no effect"
    assert verdict(0.4, 0.02, 0.38, broken=True) == "broken"


def test_the_table_of_bias_or_weights_is_sorted_and_counts_the_verdicts():
    script = example_scripts.load("bias_or_weights")
    rows = [made_row(model="AE", sigma2=0.0, fraction=0.7)]
    for model, sigma2, bias in (("eDAE", 1.0, 0.7), ("DAE", 1.0, 0.3), ("DAE", 0.25, 0.4)):
        fractions = {model: 0.2, f"{model} weights only": 0.9 - bias, f"{model} bias only": bias}
        rows += [made_row(model=name, sigma2=sigma2, fraction=fraction) for name, fraction in fractions.items()]
    assert [key[2:] for key in script.sets(rows)] == [("DAE", 0.25), ("DAE", 1.0), ("eDAE", 1.0)]
    shares = [[script.share(rows, key, part) for part in ("weights only", "bias only")] for key in script.sets(rows)]
    assert shares == [["0.40", "0.60"], ["0.20", "0.80"], ["1.00", "0.00"]]
    counts = [[cell.strip() for cell in line.split("|")[2:-1]] for line in script.counts(rows).splitlines()[4:]]
    assert counts == [
        ["DAE", "2", "", "", "", "", ""], ["eDAE", "", "1", "", "", "", ""], ["", "2", "1", "", "", "", ""],
    ]  # fmt: skip
    for row in rows:
        row["broken"] = True
    assert {script.share(rows, key, "bias only") for key in script.sets(rows)} == {"-"}


def test_what_bias_or_weights_runs_at_each_length():
    script = example_scripts.load("bias_or_weights")
    presets = script.study_presets()
    assert [len(script.plan(presets[name].part, "digits")) for name in ("sample", "late", "paper")] == [34, 4, 3]
    assert script.plan("paper", "patches") == []
    assert presets["late"].epochs["digits"] * presets["late"].samples // 50 == 15_000
    assert {m.name for _, m, _ in script.plan("all", "digits")} >= {
        "DAE",
        "SAE",
        "smoothed-mDAE",
    }


@pytest.mark.parametrize("name", SCRIPTS)
def test_help_names_every_option(name, capsys):
    with pytest.raises(SystemExit) as end:
        example_scripts.load(name).main(["--help"])
    said = capsys.readouterr().out
    assert end.value.code == 0
    for option in ("--preset", "--workers", "--out", "--plot-only", "--seeds", "--data-dir", "--images"):
        assert option in said


def test_the_options_of_a_study_have_the_defaults_of_the_figures():
    args = command_line.study_parser("x", "y", ("sample", "tiny")).parse_args([])
    assert (args.seeds, args.images, args.data_dir, args.plot_only) == (None, None, None, False)
    assert (args.preset, args.workers, str(args.out)) == ("sample", command_line.cores(), "results")


def test_no_download_at_the_tiny_size(monkeypatch, tmp_path, capsys):
    def refuse(*arguments, **more):
        raise AssertionError("a download")

    monkeypatch.setattr(fetch, "fetch", refuse)
    args = command_line.study_parser("x", "y", ("tiny",)).parse_args(["--preset", "tiny", "--data-dir", str(tmp_path)])
    data = study.prepare_data(args, study.presets(1)["tiny"])
    assert [ref.spec.source for ref in data.values()] == ["digits", "photograph"]
    assert list(study.prepare_data(args, study.presets(1)["tiny"], ("digits",))) == ["digits"]
