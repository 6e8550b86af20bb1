"""`python -m numpy_rae reproduce` at a size of seconds: records, parts, resuming, pictures and refusals."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from made_runs import timeless

from numpy_rae import __main__
from numpy_rae.experiments import comparison, figure_script, protocol, reproduction_jobs
from numpy_rae.experiments.protocol import FIGURES, PROTOCOLS
from numpy_rae.experiments.record_stores import records_by_hash
from numpy_rae.storage import jsonl, model_file

# The fixture `whole` starts a new process, which draws.
pytestmark = pytest.mark.usefixtures("module_data_folder", "blank_pictures")

QUICK = ["--preset", "tiny", "--figures", "fig1_relu_mnist", "fig3_edae_mnist", "--sigma2", "0", "1", "--workers", "2"]
FILES = ("fig1_relu_mnist-tiny", "fig3_edae_mnist-tiny")
PICTURES = {f"{name}-tiny.{suffix}" for name in ("fig1", "fig3") for suffix in ("png", "pdf")}


class Counting(ThreadPoolExecutor):
    """A thread instead of processes, with a list of the runs that it trained."""

    def __init__(self):
        super().__init__(1)
        self.trained = []

    def submit(self, function, *given):
        self.trained.append(given[0].hash)
        return super().submit(function, *given)


@pytest.fixture
def pool(monkeypatch):
    """Use one thread for every pool."""
    with Counting() as executor:
        monkeypatch.setattr(figure_script, "local_pool", lambda workers: contextlib.nullcontext(executor))
        yield executor


@pytest.fixture
def short(monkeypatch):
    """Shorten the tiny runs to two epochs, for tests that do not depend on the length."""
    monkeypatch.setattr(protocol, "TINY", replace(protocol.TINY, epochs=2))


@pytest.fixture
def idle(monkeypatch):
    """Allow no training."""

    class Idle(Executor):
        def submit(self, *args, **kwargs):
            raise AssertionError("something was trained")

    monkeypatch.setattr(figure_script, "local_pool", lambda workers: contextlib.nullcontext(Idle()))


def start(out, *arguments) -> int:
    return __main__.main(["reproduce", *QUICK, "--out", str(out), *arguments])


def stored(out, name) -> dict:
    return records_by_hash(out / f"{name}.jsonl")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return (exit code, folder, stdout, stderr) of the command in a new process with worker processes."""
    out = tmp_path_factory.mktemp("whole")
    command = [sys.executable, "-m", "numpy_rae", "reproduce", *QUICK, "--out", out, "--save-models"]
    process = subprocess.run(command, capture_output=True, text=True, cwd=out)
    return process.returncode, out, process.stdout, process.stderr


def test_the_command_trains_draws_counts_and_compares(whole):
    code, out, printed, errors = whole
    assert code == 0, errors
    assert {path.name for path in out.iterdir()} == {*(f"{name}.jsonl" for name in FILES), *PICTURES, "models-tiny"}
    assert "2 results files list 7 runs; 6 of them are distinct" in printed
    assert "0 runs are stored, 6 to do, 1,200 updates" in printed
    assert re.search(r"^all +7 of +7 runs$", printed, re.MULTILINE)
    assert "fig1_relu_mnist: none of these runs is among the records that ship" in printed
    assert printed.count("picture: ") == 4 and "6/6 runs" in errors and "Traceback" not in errors
    for path in out.glob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 10_000


def test_every_finished_run_has_one_line_of_log(whole):
    lines = [line for line in whole[2].splitlines() if re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  \d/6  ", line)]
    assert [int(line[21]) for line in lines] == [1, 2, 3, 4, 5, 6]
    assert all(re.search(r"sigma\^2=\d: active 0\.\d+, dead 0\.\d+, \d+\.\d s$", line) for line in lines)
    assert sum("fig1_relu_mnist, fig3_edae_mnist: AE sigma^2=0" in line for line in lines) == 1


def test_the_auto_encoder_that_two_figures_share_is_trained_once(whole):
    first, third = (stored(whole[1], name) for name in FILES)
    (shared,) = set(first) & set(third)
    assert first[shared] == third[shared] and first[shared]["model"] == "AE"
    assert [len(first), len(third)] == [5, 2]


def test_the_models_are_those_of_the_records(whole):
    entries = {**stored(whole[1], FILES[0]), **stored(whole[1], FILES[1])}
    models = [model_file.load(path) for path in (whole[1] / "models-tiny").iterdir()]
    assert {model.notes["hash"] for model in models} == set(entries)
    for model in models:
        entry = entries[model.notes["hash"]]
        assert (model.model, model.config.description()) == (entry["model"], entry["config"])
        assert model.params.W.shape == (64, 784) and np.allclose((model.params.W**2).sum(1), 1, atol=1e-5)


def test_a_second_start_trains_nothing(whole, idle, capsys):
    before = {path.name: path.read_bytes() for path in whole[1].glob("*.jsonl")}
    assert start(whole[1], "--save-models") == 0
    printed = capsys.readouterr().out
    assert "6 runs are stored, 0 to do" in printed and "the weights of the 6 stored runs are not saved" in printed
    assert {path.name: path.read_bytes() for path in whole[1].glob("*.jsonl")} == before


def test_the_figures_own_script_and_the_command_share_their_records(whole, idle, tmp_path):
    arguments = ["--preset", "tiny", "--sigma2", "0", "1", "--out", str(whole[1])]
    assert figure_script.main(PROTOCOLS["fig1_relu_mnist"], arguments) == 0
    (whole[1] / "fig1_relu_mnist-tiny.png").unlink()


def test_a_run_that_another_figure_has_is_not_trained_again(whole, pool, tmp_path):
    (tmp_path / f"{FILES[0]}.jsonl").write_bytes((whole[1] / f"{FILES[0]}.jsonl").read_bytes())
    assert start(tmp_path, "--figures", "fig3_edae_mnist", "fig1_relu_mnist") == 0
    assert [stored(tmp_path, FILES[1])[key]["model"] for key in pool.trained] == ["eDAE"]
    assert timeless(stored(tmp_path, FILES[1]).values()) == timeless(stored(whole[1], FILES[1]).values())


def test_parts_make_the_records_of_the_whole_and_the_command_merges_them(whole, pool, tmp_path, capsys):
    assert [start(tmp_path, "--part", f"{part}/3") for part in (3, 1, 2)] == [0, 0, 0]
    assert len(pool.trained) == len(set(pool.trained)) == 6
    names = {path.name for path in tmp_path.iterdir()}
    assert all(re.fullmatch(r"fig(1_relu|3_edae)_mnist-tiny\.part-[123]-of-3\.jsonl", name) for name in names)
    assert not list(tmp_path.glob("*.png")) and "part 2 of 3: " in capsys.readouterr().out
    assert start(tmp_path) == 0 and len(pool.trained) == 6
    assert PICTURES <= {path.name for path in tmp_path.iterdir()}
    for name in FILES:
        assert timeless(stored(tmp_path, name).values()) == timeless(stored(whole[1], name).values())


def test_parts_of_another_number_go_on_from_what_is_there(short, pool, tmp_path):
    assert start(tmp_path, "--part", "1/2") == 0
    trained = len(pool.trained)
    assert [start(tmp_path, "--part", f"{part}/3") for part in (1, 2, 3)] == [0, 0, 0]
    assert 0 < trained < 6 and len(pool.trained) == len(set(pool.trained)) == 6


def test_plot_only_draws_the_parts_without_writing_records(short, pool, tmp_path, capsys):
    assert start(tmp_path, "--part", "1/1") == 0
    before = {path: path.read_bytes() for path in tmp_path.glob("*.jsonl")}
    assert start(tmp_path, "--plot-only") == 0
    assert {path: path.read_bytes() for path in tmp_path.glob("*.jsonl")} == before
    assert PICTURES <= {path.name for path in tmp_path.iterdir()}
    assert re.search(r"^all +7 of +7 runs$", capsys.readouterr().out, re.MULTILINE)


@pytest.mark.parametrize("more", [[], ["--plot-only"]])
def test_parts_that_contradict_each_other_are_refused(whole, idle, tmp_path, capsys, more):
    entry = next(iter(stored(whole[1], FILES[0]).values()))
    jsonl.append(tmp_path / f"{FILES[0]}.part-1-of-2.jsonl", entry)
    jsonl.append(tmp_path / f"{FILES[0]}.part-2-of-2.jsonl", {**entry, "n_extrapolated": 1})
    assert start(tmp_path, *more) == 2
    errors = capsys.readouterr().err
    assert "hold different numbers (n_extrapolated) of the same run, " in errors and errors.count("\n") == 1
    assert not list(tmp_path.glob("*.png")) and not stored(tmp_path, FILES[0])


def test_a_part_that_is_at_work_is_not_merged(idle, tmp_path, capsys):
    path = tmp_path / f"{FILES[0]}.part-1-of-2.jsonl"
    path.write_text("")
    with jsonl.exclusive_lock(path):
        assert start(tmp_path) == 2
    assert f"{path} is in use by another sweep" in capsys.readouterr().err


def test_two_figures_with_different_numbers_of_a_shared_run_are_drawn_with_a_warning(whole, idle, tmp_path, caplog):
    for name in FILES:
        for entry in stored(whole[1], name).values():
            jsonl.append(tmp_path / f"{name}.jsonl", {**entry, "steps": 7} if name == FILES[1] else entry)
    assert start(tmp_path, "--plot-only") == 0
    assert "fig1_relu_mnist and fig3_edae_mnist share the run AE sigma^2=0, and have different numbers" in caplog.text


def test_records_of_older_numerics_are_kept_and_named(whole, idle, tmp_path, capsys):
    for name in FILES:
        for entry in stored(whole[1], name).values():
            jsonl.append(tmp_path / f"{name}.jsonl", {**entry, "versions": {}})
    assert start(tmp_path) == 0
    assert "6 of the stored runs were made with another version of the numerics" in capsys.readouterr().out


@pytest.mark.skipif(os.name != "posix", reason="needs signals to a group of processes")
def test_an_interrupted_command_goes_on_where_it_was(tmp_path, request, pool):
    otherwise = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, otherwise))
    command = [sys.executable, "-m", "numpy_rae", "reproduce", *QUICK, "--out", tmp_path]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    path = tmp_path / f"{FILES[0]}.jsonl"
    while not (path.exists() and path.read_bytes().count(b"\n")) and child.poll() is None:
        time.sleep(0.01)
    os.killpg(child.pid, signal.SIGTERM)
    errors = child.communicate(timeout=120)[1]
    assert child.returncode == 130 and "Traceback" not in errors, errors
    before = set(stored(tmp_path, FILES[0])) | set(stored(tmp_path, FILES[1]))
    assert 1 <= len(before) < 6
    assert start(tmp_path) == 0
    assert not before & set(pool.trained) and len(before) + len(pool.trained) == 6


# Comparison.


def test_differences_from_the_records_that_ship_are_told_run_by_run(whole, idle, tmp_path, monkeypatch, capsys):
    shipped, out = tmp_path / "shipped", tmp_path / "out"
    shipped.mkdir()
    out.mkdir()
    for name in FILES:
        for entry in stored(whole[1], name).values():
            metrics = {**entry["metrics"]}
            metrics["activation_fraction"] += 0.25 * (entry["model"] == "SAE")
            jsonl.append(shipped / f"{name}.jsonl", {**entry, "metrics": metrics})
            jsonl.append(out / f"{name}.jsonl", entry)
    monkeypatch.setattr(comparison, "shipped_folder", lambda: shipped)
    assert start(out, "--plot-only") == 0
    printed = capsys.readouterr().out
    expected = "5 runs compared, 4 equal in every digit; largest difference of the activation fraction -0.250000 (SAE"
    assert f"fig1_relu_mnist: {expected}" in printed and "fig3_edae_mnist: 2 runs compared, 2 equal" in printed
    lines = (out / "comparison-tiny.txt").read_text().splitlines()
    assert len(lines) == 7 and sum("active -0.250000" in line for line in lines) == 1
    monkeypatch.setattr(comparison, "shipped_folder", lambda: None)
    assert start(out, "--plot-only") == 0
    assert "no records ship with an installed package" in capsys.readouterr().out


def test_a_diverged_run_is_compared_by_its_outcome():
    config = {"sigma2": 1.0, "seed": 0}
    fine = {"model": "SAE", "config": config, "status": "ok", "metrics": {"loss": 1.0}, "history": []}
    gone = {**fine, "status": "diverged", "metrics": None}
    assert "diverged here, ok in the record that ships" in comparison.line(gone, fine)
    assert comparison.summary([(gone, fine)]) == "1 runs compared, 0 equal in every digit, 1 with another outcome"


# What the command refuses.


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--figures", "fig9"], "--figures is 'fig9'; it must be one of fig1, fig2"),
        (["--part", "3/2"], "--part is '3/2'; it must be I/N"),
        (["--part", "1/2", "--plot-only"], "--part is given with --plot-only; use one of them"),
        (["--part", "1/2", "--scheduler", "tcp://x:1"], "--part is given with --scheduler; use one of them"),
        (
            ["--save-models", "--scheduler", "tcp://x:1"],
            "--save-models is given with --scheduler; it needs runs on this",
        ),
        (["--workers", "0"], "--workers is 0; it must be a whole number of at least 1"),
        (["--sigma2", "-1"], "sigma2 is -1.0; it must be a number in [0, inf]"),
        (["--seeds", "-1"], "seed is -1; it must be a whole number of at least 0"),
        (["--save-every", "0"], "--save-every is 0.0"),
        (["--plot-only"], "this folder holds no run of these figures at preset tiny"),
    ],
)
def test_bad_options_are_one_sentence_before_any_work(arguments, sentence, idle, tmp_path, capsys):
    out = tmp_path / "out"
    assert start(out, *arguments) == 2
    errors = capsys.readouterr().err
    assert sentence in errors and errors.count("\n") == 1 and not out.exists()


def test_other_options_than_those_of_the_stored_runs_are_refused(whole, idle, tmp_path, capsys):
    (line, *_) = (whole[1] / f"{FILES[0]}.jsonl").read_text().splitlines()
    entry = json.loads(line)
    jsonl.append(tmp_path / f"{FILES[0]}.part-1-of-2.jsonl", {**entry, "config": {**entry["config"], "eta": 0.005}})
    assert start(tmp_path) == 2
    assert "part-1-of-2.jsonl holds runs with eta 0.005, this sweep has 0.001" in capsys.readouterr().err


def test_at_the_papers_length_nothing_stands_in_for_missing_data(idle, tmp_path, monkeypatch, capsys):
    from numpy_rae.data import fetch, folders

    def no_network(name):
        raise folders.DataError(f"no network for {name}")

    monkeypatch.setattr(fetch, "fetch", no_network)
    arguments = ["reproduce", "--figures", "fig3_edae_cifar10", "--out", str(tmp_path / "out"), "--workers", "1"]
    assert __main__.main(arguments) == 2
    assert capsys.readouterr().err == "numpy_rae: no network for cifar10\n"
    assert not list(tmp_path.rglob("*.jsonl"))


def test_figures_are_named_by_group_or_by_script():
    assert reproduction_jobs.names_of(FIGURES) == [each.name for group in FIGURES.values() for each in group]
    assert reproduction_jobs.names_of(["fig3", "fig1_relu_cifar10", "fig3"]) == [
        "fig1_relu_cifar10", "fig3_edae_mnist", "fig3_edae_cifar10",
    ]  # fmt: skip


def test_the_pictures_can_have_a_folder_of_their_own(whole, idle, tmp_path):
    before = sorted(path.name for path in whole[1].iterdir())
    assert start(whole[1], "--plot-only", "--pictures", str(tmp_path / "pictures")) == 0
    assert {path.name for path in (tmp_path / "pictures").iterdir()} == PICTURES
    assert sorted(path.name for path in whole[1].iterdir()) == before
