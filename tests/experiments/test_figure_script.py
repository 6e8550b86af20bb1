"""Figure scripts from start to end, at a size of seconds: numbers, files, second starts, interrupts and bad input."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor
from pathlib import Path

import example_scripts
import numpy as np
import pytest
from example_scripts import EXAMPLES
from made_runs import one_thread, timeless

from numpy_rae import constraints
from numpy_rae.activations import PAPER_ACTIVATIONS
from numpy_rae.data import data_spec, fetch, folders, images
from numpy_rae.experiments import command_line, figure_script, progress, protocol_data, tables
from numpy_rae.experiments.figure_script import main
from numpy_rae.experiments.protocol import SIGMA2, Preset, Protocol
from numpy_rae.experiments.record_stores import records_by_hash
from numpy_rae.objectives import Objective
from numpy_rae.plotting import model_curves, training_report
from numpy_rae.registry import OBJECTIVES
from numpy_rae.storage import jsonl


def protocol_of(path: Path) -> Protocol | None:
    """Return the Protocol of a script, by importing it, or None if it has none."""
    if "PROTOCOLS[" not in path.read_text():
        return None
    module = example_scripts.load(path.stem)
    (found,) = (value for value in vars(module).values() if isinstance(value, Protocol))
    return found


SCRIPTS = {path: protocol for path in sorted(EXAMPLES.glob("*.py")) if (protocol := protocol_of(path))}
FIG1, FIG1_PATCHES = (SCRIPTS[EXAMPLES / f"fig1_relu_{data}.py"] for data in ("mnist", "cifar10"))
QUICK = ["--preset", "tiny", "--samples", "60", "--epochs", "2", "--hidden", "5", "--sigma2", "0", "0.1", "1"]


pytestmark = pytest.mark.usefixtures("module_data_folder")


@pytest.fixture
def threaded(monkeypatch):
    """Workers that are a thread: for what does not depend on processes."""
    monkeypatch.setattr(figure_script, "local_pool", one_thread)


class Idle(Executor):
    """An executor that must not get any work."""

    def submit(self, *args, **kwargs):
        raise AssertionError("something was trained")


@pytest.fixture
def idle(monkeypatch):
    """Allow pools, but no training."""
    monkeypatch.setattr(figure_script, "local_pool", lambda workers: contextlib.nullcontext(Idle()))


@pytest.fixture
def no_pool(monkeypatch):
    """Allow no pools."""

    def refuse(workers):
        raise AssertionError("a pool was opened")

    monkeypatch.setattr(figure_script, "local_pool", refuse)


@pytest.fixture
def pictures(monkeypatch):
    """Return the list of saved figures, which stay open."""
    saved, save = [], figure_script.save_picture
    monkeypatch.setattr(figure_script, "save_picture", lambda figure, path: (saved.append(figure), save(figure, path)))
    return saved


def records(out: Path, name="fig1_relu_mnist-tiny") -> list[dict]:
    """Return what a script has stored."""
    return jsonl.read(out / f"{name}.jsonl")


def is_picture(path: Path) -> bool:
    """Return whether the file is a PNG of some size."""
    return path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 10_000


# The default script, in a new process and in this one.


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """Return (process, folder) of `python examples/fig1_relu_mnist.py --preset tiny`."""
    out = tmp_path_factory.mktemp("script")
    command = [sys.executable, EXAMPLES / "fig1_relu_mnist.py", "--preset", "tiny", "--out", out, "--workers", "2"]
    return subprocess.run(command, capture_output=True, text=True, cwd=out), out


def test_the_script_ends_well_with_a_table_and_both_files(script):
    process, out = script
    assert process.returncode == 0, process.stderr
    assert is_picture(out / "fig1_relu_mnist-tiny.png")
    assert sorted(path.name for path in out.iterdir()) == ["fig1_relu_mnist-tiny.jsonl", "fig1_relu_mnist-tiny.png"]
    for name in ("picture: ", "results: "):
        assert f"{name}{out / 'fig1_relu_mnist-tiny'}" in process.stdout
    assert "13 runs to do of 200 updates on 500 embedded MNIST digits" in process.stdout
    assert "13/13" in process.stderr and "active 0." in process.stderr
    rows = [line.split() for line in process.stdout.splitlines() if re.match(r"[\d.]+ +\d", line)]
    assert [row[0] for row in rows] == ["0", "0.01", "0.25", "1"]
    assert rows[0][1:] == [rows[0][1]] * 4


def test_its_numbers_have_the_shape_of_figure_1(script):
    """CAE and mDAE are flat over the whole range, and DAE and SAE fall strictly."""
    lines = {
        model: [value for _, (value,) in model_curves.by_sigma2(records(script[1]), model, "activation_fraction")]
        for model in FIG1.models
    }
    assert {len(line) for line in lines.values()} == {4}
    for model in ("CAE", "mDAE"):
        assert max(lines[model]) - min(lines[model]) < 0.03
    for model in ("DAE", "SAE"):
        assert (np.diff(lines[model]) < 0).all()
        assert lines[model][0] - lines[model][-1] > 0.1


def test_its_records_are_whole(script):
    for entry in records(script[1]):
        assert entry["status"] == "ok" and entry["steps"] == 200 and len(entry["history"]) == 20
        assert entry["data"]["source"] == "digits" and entry["data"]["shape"] == [500, 784]
        assert entry["config"]["hidden"] == 64 and entry["config"]["dtype"] == "float32"
        assert entry["seconds"] > 0


def test_main_gives_the_same_numbers_from_one_worker(script, tmp_path):
    assert main(FIG1, ["--preset", "tiny", "--sigma2", "0", "1", "--out", str(tmp_path), "--workers", "1"]) == 0
    found = timeless(records(tmp_path))
    assert len(found) == 5 and found.items() <= timeless(records(script[1])).items()
    assert is_picture(tmp_path / "fig1_relu_mnist-tiny.png")


def test_a_second_start_trains_nothing(script, idle, capsys):
    _, out = script
    content = (out / "fig1_relu_mnist-tiny.jsonl").read_bytes()
    (out / "fig1_relu_mnist-tiny.png").unlink()
    assert main(FIG1, ["--preset", "tiny", "--out", str(out)]) == 0
    assert (out / "fig1_relu_mnist-tiny.jsonl").read_bytes() == content
    assert is_picture(out / "fig1_relu_mnist-tiny.png")
    assert "0 runs to do" in capsys.readouterr().out


def test_plot_only_needs_neither_training_nor_data(script, no_pool, monkeypatch, capsys, pictures):
    _, out = script
    content = (out / "fig1_relu_mnist-tiny.jsonl").read_bytes()
    (out / "fig1_relu_mnist-tiny.png").unlink()
    monkeypatch.setattr(protocol_data, "prepare", None)
    arguments = ["--preset", "tiny", "--out", str(out), "--plot-only"]
    assert main(FIG1, arguments) == 0
    assert is_picture(out / "fig1_relu_mnist-tiny.png")
    assert (out / "fig1_relu_mnist-tiny.jsonl").read_bytes() == content
    assert main(FIG1, [*arguments, "--models", "SAE", "--sigma2", "0", "1"]) == 0
    assert [len(line.get_xdata()) for line in pictures[0].axes[0].lines] == [4, 4, 4, 4]
    assert [line.get_xdata().tolist() for line in pictures[1].axes[0].lines] == [[0.0, 1.0]]
    assert pictures[0].get_suptitle() == "Fig. 1: ReLU, unit-length rows"
    assert pictures[0].axes[0].get_title() == "500 embedded MNIST digits"


def test_a_selection_does_not_replace_the_full_figure(script, no_pool, capsys):
    """A figure has its own name only if it leaves out a stored run of the protocol."""
    _, out = script
    arguments = ["--preset", "tiny", "--out", str(out), "--plot-only"]
    assert main(FIG1, arguments) == 0
    full = (out / "fig1_relu_mnist-tiny.png").read_bytes()
    for selection in (["--models", "SAE"], ["--sigma2", "0", "1"]):
        assert main(FIG1, [*arguments, *selection]) == 0
        assert (out / "fig1_relu_mnist-tiny.png").read_bytes() == full
        assert is_picture(out / "fig1_relu_mnist-tiny-selection.png")
        (out / "fig1_relu_mnist-tiny-selection.png").unlink()
        assert f"picture: {out / 'fig1_relu_mnist-tiny-selection.png'}" in capsys.readouterr().out
    assert main(FIG1, [*arguments, "--models", *FIG1.models, "--seeds", "0"]) == 0
    assert not (out / "fig1_relu_mnist-tiny-selection.png").exists()


def test_the_plain_autoencoder_is_shown_at_the_sigma2_of_a_selection(script, no_pool, capsys, pictures):
    """It is stored only at sigma^2 = 0, because it ignores sigma^2. The full figure must be kept."""
    _, out = script
    arguments = ["--preset", "tiny", "--out", str(out), "--plot-only"]
    assert main(FIG1, arguments) == 0
    full = (out / "fig1_relu_mnist-tiny.png").read_bytes()
    for models in (["AE"], ["DAE", "AE"], [*FIG1.models, "AE"]):
        assert main(FIG1, [*arguments, "--models", *models, "--sigma2", "0.01", "0.25"]) == 0
        lines = pictures[-1].axes[0].lines
        assert [line.get_label() for line in lines] == models
        assert all(line.get_xdata() == pytest.approx([0.1, 0.5]) for line in lines)
        assert np.isfinite([line.get_ydata() for line in lines]).all()
        assert (out / "fig1_relu_mnist-tiny.png").read_bytes() == full
        (out / "fig1_relu_mnist-tiny-selection.png").unlink()


@pytest.mark.parametrize(("suffix", "begins"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_the_picture_goes_where_the_option_says(script, no_pool, capsys, tmp_path, suffix, begins):
    _, out = script
    picture = tmp_path / "new" / f"mine.{suffix}"
    arguments = ["--preset", "tiny", "--out", str(out), "--plot-only", "--models", "SAE", "--picture", str(picture)]
    assert main(FIG1, arguments) == 0
    assert picture.read_bytes().startswith(begins)
    assert f"picture: {picture}" in capsys.readouterr().out
    assert not (out / "fig1_relu_mnist-tiny-selection.png").exists()


def test_a_picture_of_an_unknown_kind_is_refused_before_any_work(tmp_path, no_pool, capsys):
    with pytest.raises(SystemExit) as end:
        main(FIG1, ["--out", str(tmp_path), "--picture", "a.gif"])
    assert end.value.code == 2
    assert "picture is 'a.gif'; its name must end in .png, .pdf, .svg" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_plot_only_without_results_says_what_to_do(tmp_path, no_pool, capsys):
    assert main(FIG1, ["--preset", "tiny", "--out", str(tmp_path), "--plot-only"]) == 2
    assert "holds no run of this sweep; run it without --plot-only first" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


INTERRUPTIBLE = ["--preset", "tiny", "--epochs", "40", "--sigma2", "0.01", "1", "--models", "DAE", "SAE"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The folder of a sweep that nobody interrupts, trained in a thread."""
    out = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figure_script, "local_pool", one_thread)
        assert main(FIG1, [*INTERRUPTIBLE, "--out", str(out)]) == 0
    return out


@pytest.mark.skipif(os.name != "posix", reason="needs signals to a group of processes")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_a_picture_and_the_next_start_goes_on(undisturbed, tmp_path, threaded, number, request):
    """As a terminal or a scheduler does it: the signal goes to the workers too. The records are those of one piece."""
    # Background jobs ignore interrupts, and their children with them.
    otherwise = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, otherwise))
    path = tmp_path / "fig1_relu_mnist-tiny.jsonl"
    command = [sys.executable, EXAMPLES / "fig1_relu_mnist.py", *INTERRUPTIBLE, "--out", tmp_path, "--workers", "2"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not (path.exists() and path.read_bytes().count(b"\n") >= 1) and child.poll() is None:
        time.sleep(0.01)
    os.killpg(child.pid, number)
    printed, errors = child.communicate(timeout=120)
    assert child.returncode == figure_script.INTERRUPTED == 130, errors
    assert "Interrupted: the finished runs are stored" in printed and "Traceback" not in errors
    found, kept = records(tmp_path), {file.stem for file in (tmp_path / "fig1_relu_mnist-tiny.checkpoints").glob("*")}
    assert 1 <= len(timeless(found)) == len(found) < 4 and not kept & set(timeless(found))
    assert is_picture(path.with_suffix(".png"))
    assert main(FIG1, [*INTERRUPTIBLE, "--out", str(tmp_path)]) == 0
    assert timeless(records(tmp_path)) == timeless(records(undisturbed))
    assert {file.suffix for file in tmp_path.iterdir()} == {".jsonl", ".png"}


def test_a_sweep_that_gives_up_a_run_draws_the_others_and_says_so(tmp_path, threaded, monkeypatch, capsys):
    def hungry(params, activation, x, sigma2, rng):
        raise MemoryError

    monkeypatch.setitem(OBJECTIVES, "DAE", Objective("DAE", hungry))
    assert main(FIG1, [*QUICK, "--out", str(tmp_path), "--models", "DAE", "SAE"]) == figure_script.LOST == 1
    printed, errors = capsys.readouterr()
    assert "fig1_relu_mnist: given up after 3 deaths of their worker" in errors
    assert "DAE sigma^2=0.1 seed=0, DAE sigma^2=1 seed=0; all others are stored" in errors
    assert is_picture(tmp_path / "fig1_relu_mnist-tiny.png") and len(records(tmp_path)) == 3
    assert re.search(r"^0\.1 +- +0\.", printed, re.MULTILINE)


@pytest.mark.parametrize(("module", "where"), [(protocol_data, "prepare"), (progress, "announce")])
def test_an_interrupt_before_the_first_run_is_quiet_too(module, where, threaded, tmp_path, monkeypatch, capsys):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, where, interrupt)
    assert main(FIG1, [*QUICK, "--out", str(tmp_path)]) == 130
    assert "nterrupted" in "".join(capsys.readouterr())
    assert records(tmp_path) == [] and not list(tmp_path.glob("*.png"))


@pytest.mark.usefixtures("blank_pictures")
def test_several_seeds_give_bands(threaded, tmp_path, pictures):
    assert main(FIG1, [*QUICK, "--out", str(tmp_path), "--seeds", "0", "1"]) == 0
    found = records(tmp_path)
    assert len(found) == 2 * 9
    for model in FIG1.models:
        points = list(model_curves.by_sigma2(found, model, "activation_fraction"))
        assert [(sigma2, len(values)) for sigma2, values in points] == [(0.0, 2), (0.1, 2), (1.0, 2)]
    top = pictures[0].axes[0]
    assert len(top.collections) == 4 and all(np.ptp(band.get_paths()[0].vertices[:, 1]) > 0 for band in top.collections)


@pytest.mark.usefixtures("blank_pictures")
def test_a_results_file_is_parsed_once_per_start(threaded, tmp_path, monkeypatch):
    read, seen = jsonl.read, []
    monkeypatch.setattr(jsonl, "read", lambda path: seen.append(path) or read(path))
    for more in ([], ["--sigma2", "0", "1"], ["--plot-only"]):
        assert main(FIG1, [*QUICK, "--out", str(tmp_path), *more]) == 0
        assert seen == [tmp_path / "fig1_relu_mnist-tiny.jsonl"]
        seen.clear()


@pytest.mark.usefixtures("blank_pictures")
def test_a_narrower_sweep_draws_only_what_it_asks_for(threaded, tmp_path, pictures):
    out = ["--out", str(tmp_path)]
    assert main(FIG1, [*QUICK, *out]) == 0
    assert main(FIG1, [*QUICK, *out, "--models", "DAE", "--sigma2", "0", "1"]) == 0
    assert [line.get_xdata().tolist() for line in pictures[1].axes[0].lines] == [[0.0, 1.0]]
    assert len(records(tmp_path)) == 9


def test_reports_are_drawn_of_the_runs_trained_now(threaded, tmp_path, monkeypatch):
    """There is one picture for every run that is trained, with the numbers of the run, and none for stored runs."""
    drawn, draw = [], training_report.training_report
    monkeypatch.setattr(training_report, "training_report", lambda *given: drawn.append(given) or draw(*given))
    arguments = [*QUICK, "--out", str(tmp_path), "--models", "SAE", "--report", "--sigma2"]
    assert main(FIG1, [*arguments, "0", "1"]) == 0
    folder = tmp_path / "fig1_relu_mnist-tiny.reports"
    assert {path.name for path in folder.iterdir()} == {"AE-0-0.png", "SAE-1-0.png"}
    assert all(map(is_picture, folder.iterdir()))
    by_sigma2 = {entry["config"]["sigma2"]: entry for entry in records(tmp_path)}
    for history, _, seen, shape, text, title in drawn:
        entry = by_sigma2[float(re.search(r"sigma\^2 = ([\d.]+),", title)[1])]
        assert history == entry["history"] and shape == (28, 28)
        assert seen.density.mean() == pytest.approx(entry["metrics"]["activation_fraction"])
        assert f"last batch objective  {entry['last_finite_objective']:>12.4g}" in text
    assert main(FIG1, [*arguments, "1"]) == 0 and len(drawn) == 2


# Data that are unavailable.


def no_network(name, *args, **kwargs):
    raise folders.DataError(f"no network for {name}")


@pytest.mark.usefixtures("blank_pictures")
def test_offline_the_embedded_digits_stand_in_and_say_so(threaded, tmp_path, monkeypatch, capsys, pictures):
    monkeypatch.setattr(fetch, "fetch", no_network)
    few = ["--epochs", "1", "--hidden", "4", "--sigma2", "0", "1", "--models", "DAE", "--out", str(tmp_path)]
    assert main(FIG1, ["--samples", "6000", *few]) == 0
    errors = capsys.readouterr().err
    assert "no network for mnist" in errors and "Continuing with other data instead." in errors
    assert pictures[0].axes[0].get_title() == "5,000 embedded MNIST digits"
    assert {entry["data"]["source"] for entry in records(tmp_path, "fig1_relu_mnist-sample")} == {"digits"}


@pytest.mark.usefixtures("blank_pictures")
def test_without_cifar10_a_photograph_stands_in_under_its_own_name(threaded, tmp_path, monkeypatch, capsys, pictures):
    monkeypatch.setattr(fetch, "fetch", None)  # the tiny preset downloads nothing
    assert main(FIG1_PATCHES, [*QUICK, "--out", str(tmp_path), "--models", "SAE"]) == 0
    assert "Continuing with other data instead." in capsys.readouterr().err
    assert pictures[0].axes[0].get_title() == "60 patches of one photograph (not CIFAR-10)"


def test_missing_images_are_fetched_and_then_used(monkeypatch, capsys):
    fetched = []

    def load():
        if not fetched:
            raise folders.DataError("missing")
        return np.random.default_rng(0).integers(0, 256, (7000, 2, 2), np.uint8), None

    monkeypatch.setattr(fetch, "fetch", fetched.append)
    monkeypatch.setattr(images, "load_mnist", load)
    ref = protocol_data.training_data("mnist", 6000)
    assert fetched == ["mnist"] and ref.shape == (6000, 4) and ref.spec.source == "mnist"
    assert capsys.readouterr().err == ""
    protocol_data.prepared_or_fetched(ref.spec, download=True)
    assert fetched == ["mnist"]


@pytest.mark.usefixtures("blank_pictures")
def test_own_images_are_taken_when_given(threaded, tmp_path, pictures):
    np.save(tmp_path / "own.npy", np.random.default_rng(0).integers(0, 256, (2, 12, 12), np.uint8))
    arguments = [*QUICK, "--out", str(tmp_path / "out"), "--images", str(tmp_path / "own.npy"), "--models", "SAE"]
    assert main(FIG1_PATCHES, arguments) == 0
    assert pictures[0].axes[0].get_title() == "60 patches of own.npy"


# Bad input: one sentence, exit code 2, before any training.

BAD = [
    (["--models", "DAE", "VAE"], "--models is 'VAE'; it must be one of AE, DAE, CAE, mDAE"),
    (["--preset", "huge"], "argument --preset: invalid choice: 'huge' (choose from"),
    (["--sigma2", "0", "-0.1"], "sigma2 is -0.1; it must be a number in [0, inf]"),
    (["--sigma2", "nan"], "sigma2 is nan; it must be a number in [0, inf]"),
    (["--sigma2", "inf"], "sigma2 is inf; it must be a number in [0, inf]"),
    (["--sigma2", "big"], "argument --sigma2: invalid float value: 'big'"),
    (["--eta", "0"], "eta is 0.0; it must be a number in (0, inf]"),
    (["--workers", "0"], "--workers is 0; it must be a whole number of at least 1"),
    (["--save-every", "0"], "--save-every is 0.0; it must be a number in (0, inf]"),
    (["--report", "--scheduler", "tcp://x:1"], "--report is given with --scheduler; it needs runs on this machine"),
    (["--workers", "-1"], "--workers is -1; it must be a whole number of at least 1"),
    (["--epochs", "0"], "epochs is 0; it must be a whole number of at least 1"),
    (["--hidden", "-3"], "hidden is -3; it must be a whole number of at least 1"),
    (["--samples", "0"], "--samples is 0; it must be a whole number of at least 1"),
    (["--seeds", "-1"], "seed is -1; it must be a whole number of at least 0"),
    (["--seed", "0", "--unknown"], "unrecognized arguments: --unknown"),
]


def refusal(arguments, capsys, protocol=FIG1) -> str:
    """Return the last line on stderr of a start with exit code 2. For errors of `main`, it must be the only line."""
    try:
        code, lines = main(protocol, arguments), capsys.readouterr().err.splitlines()
        assert len(lines) == 1
    except SystemExit as end:  # argparse prints the usage first
        code, lines = end.code, capsys.readouterr().err.splitlines()
    assert code == 2 and lines[-1].startswith(f"{protocol.name}")
    return lines[-1]


@pytest.mark.parametrize(("arguments", "sentence"), BAD)
def test_bad_options_are_refused_in_one_sentence(arguments, sentence, tmp_path, no_pool, capsys):
    out = tmp_path / "out"
    assert sentence in refusal(["--preset", "tiny", "--out", str(out), *arguments], capsys)
    assert not out.exists()


def test_a_results_file_that_cannot_be_made_is_refused(tmp_path, no_pool, capsys):
    (tmp_path / "fig1_relu_mnist-tiny.jsonl").symlink_to(tmp_path / "nowhere" / "r.jsonl")
    assert "cannot be written: No such file" in refusal([*QUICK, "--out", str(tmp_path)], capsys)


@pytest.mark.parametrize("more", [[], ["--plot-only"]])
def test_an_unwritable_folder_is_refused(more, tmp_path, no_pool, capsys):
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "deeper"):
        assert re.search(
            "results file .*fig1_relu_mnist-tiny.jsonl cannot be (read|written): ",
            refusal([*QUICK, "--out", str(out), *more], capsys),
        )


def test_a_data_folder_below_a_file_is_refused(tmp_path, no_pool, capsys, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NUMPY_RAE_DATA", "put back after --data-dir has replaced it")
    arguments = [*QUICK, "--out", str(tmp_path), "--data-dir", str(tmp_path / "file" / "data")]
    assert "cannot be written" in refusal(arguments, capsys)


def test_more_digits_than_there_are_is_refused(tmp_path, no_pool, capsys, monkeypatch):
    monkeypatch.setattr(images, "load_mnist", lambda: (np.zeros((60_000, 1, 1), np.uint8), None))
    arguments = [*QUICK, "--out", str(tmp_path), "--samples", "60001"]
    assert "count is 60001; it must be a number in [1, 60000]" in refusal(arguments, capsys)


def test_missing_images_are_refused(tmp_path, no_pool, capsys):
    arguments = [*QUICK, "--out", str(tmp_path), "--images", str(tmp_path / "none.npy")]
    assert "none.npy" in refusal(arguments, capsys, FIG1_PATCHES)


@pytest.fixture(scope="module")
def quick_sweep(tmp_path_factory):
    """Return the folder of a finished quick sweep of one model."""
    out = tmp_path_factory.mktemp("quick")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figure_script, "local_pool", one_thread)
        assert main(FIG1, [*QUICK, "--out", str(out), "--models", "SAE"]) == 0
    return out


@pytest.fixture
def finished(quick_sweep, tmp_path, threaded):
    """Return the results file in a copy of `quick_sweep`."""
    shutil.copytree(quick_sweep, tmp_path, dirs_exist_ok=True)
    return tmp_path / "fig1_relu_mnist-tiny.jsonl"


@pytest.mark.parametrize(
    ("changed", "name", "found", "wanted"),
    [
        (["--eta", "0.002"], "eta", "0.001", "0.002"),
        (["--hidden", "6"], "hidden", "5", "6"),
        (["--epochs", "3"], "epochs", "2", "3"),
        (["--samples", "50"], "data count", "60", "50"),
    ],
)
def test_results_of_another_configuration_are_refused(finished, changed, name, found, wanted, capsys, no_pool):
    content = finished.read_bytes()
    said = refusal([*QUICK, "--out", str(finished.parent), "--models", "SAE", *changed], capsys)
    assert f"results file {finished} holds runs with {name} {found}, this sweep has {wanted}; choose another" in said
    assert finished.read_bytes() == content


@pytest.mark.usefixtures("blank_pictures")
def test_other_models_noise_and_seeds_share_a_file(finished):
    more = ["--out", str(finished.parent), "--models", "DAE", "--sigma2", "0.5", "--seeds", "3"]
    assert main(FIG1, [*QUICK, *more]) == 0
    assert len(jsonl.read(finished)) == 4


@pytest.mark.usefixtures("blank_pictures")
def test_a_torn_last_line_costs_that_run_alone(finished):
    whole = jsonl.read(finished)
    content = finished.read_bytes()
    finished.write_bytes(content[:-10])
    assert main(FIG1, [*QUICK, "--out", str(finished.parent), "--models", "SAE"]) == 0
    assert finished.read_bytes().startswith(content[: content[:-1].rfind(b"\n") + 1])
    assert [entry["hash"] for entry in jsonl.read(finished)] == [entry["hash"] for entry in whole]
    assert timeless(jsonl.read(finished)) == timeless(whole)


@pytest.mark.parametrize("more", [[], ["--plot-only"]])
@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (b"{broken", "line 2 is not JSON"),
        (b"[]", "line 2 is not a record"),
        (b"{}", "a record without a hash"),
        (b'{"hash": [1]}', "a record without a hash"),
        (b'{"hash": "x"}', "a record that no sweep wrote, 'x'"),
        (b'{"hash": "x", "model": "CAE", "config": {"sigma2": 0.1, "seed": 0}}', "a record that no sweep wrote"),
        (b'{"hash": "x", "data": [], "config": 3}', "a record that no sweep wrote"),
    ],
)
def test_a_broken_results_file_is_refused(finished, line, sentence, more, no_pool, capsys):
    first, *others = finished.read_bytes().splitlines(keepends=True)
    finished.write_bytes(b"".join([first, line + b"\n", *others]))
    capsys.readouterr()
    said = refusal([*QUICK, "--out", str(finished.parent), "--models", "SAE", *more], capsys)
    assert f"results file {finished}" in said and sentence in said


def test_want_of_memory_is_one_sentence(tmp_path, capsys, monkeypatch):
    def hungry(*_):
        raise MemoryError

    monkeypatch.setattr(protocol_data, "prepare", hungry)
    assert main(FIG1, [*QUICK, "--out", str(tmp_path)]) == figure_script.LOST
    assert capsys.readouterr().err == "fig1_relu_mnist: out of memory\n"


@pytest.mark.usefixtures("blank_pictures")
def test_a_run_stored_twice_is_drawn_once(finished, pictures, idle):
    finished.write_bytes(finished.read_bytes() * 2)
    for more in ([], ["--plot-only"]):
        assert main(FIG1, [*QUICK, "--out", str(finished.parent), "--models", "SAE", *more]) == 0
    for picture in pictures:
        assert [len(line.get_xdata()) for line in picture.axes[0].lines] == [3]
    args = command_line.parser(FIG1).parse_args(["--models", "SAE"])
    assert len(tables.chosen(list(records_by_hash(finished).values()), args)) == 3


def test_a_picture_that_cannot_be_written_is_one_sentence(finished, capsys, no_pool):
    picture = finished.with_suffix(".png")
    picture.unlink()
    picture.mkdir()
    capsys.readouterr()
    said = refusal([*QUICK, "--out", str(finished.parent), "--plot-only"], capsys)
    assert f"picture {picture} cannot be written: Is a directory" in said


# The scripts and their options.


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_is_named_for_its_protocol_and_does_nothing_when_imported(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    protocol = protocol_of(path)
    assert protocol.name == path.stem
    assert protocol.activation in PAPER_ACTIVATIONS and set(protocol.models) <= set(OBJECTIVES)
    assert protocol.constraint in constraints.CONSTRAINTS and protocol.source in ("mnist", "cifar10")
    assert list(tmp_path.iterdir()) == [] and "".join(capsys.readouterr()) == ""


def test_the_scripts_are_the_papers_figures_on_both_data_sets():
    """Sec. 3: activation, row lengths and models of each figure."""
    paper = {
        "Fig. 1": ("relu", "unit", "DAE CAE mDAE SAE"),
        "Fig. 2": ("relu", "free", "DAE CAE mDAE SAE"),
        "Fig. 3": ("relu", "unit", "eDAE"),
        "Fig. 4": ("sigmoid", "unit", "DAE CAE mDAE SAE"),
        "Fig. 5": ("sigmoid", "free", "DAE CAE mDAE SAE"),
        "Fn. 4": ("softplus", "unit", "DAE CAE mDAE SAE"),
    }
    of_paper = {path: protocol for path, protocol in SCRIPTS.items() if "noise_origin" not in path.stem}
    found = [(protocol.title.split(":")[0], protocol.source) for protocol in of_paper.values()]
    assert sorted(found) == sorted((figure, source) for figure in paper for source in ("mnist", "cifar10"))
    for path, protocol in of_paper.items():
        figure = protocol.title.split(":")[0]
        activation, constraint, models = paper[figure]
        assert path.stem.startswith(figure.lower().replace(". ", ""))
        assert (protocol.activation, protocol.constraint) == (activation, constraint)
        assert " ".join(protocol.models) == models


@pytest.mark.parametrize("protocol", SCRIPTS.values(), ids=lambda protocol: protocol.name)
def test_help_explains_each_option_with_its_default(protocol, capsys):
    with pytest.raises(SystemExit) as end:
        main(protocol, ["--help"])
    text = " ".join(capsys.readouterr().out.split("what is run:")[1].split())
    parts = re.split(r"(?:^| )(--[a-z0-9-]+)(?= )", text)
    explained = dict(zip(parts[1::2], parts[2::2], strict=True))
    listed = {name for action in command_line.parser(protocol)._actions for name in action.option_strings}
    assert end.value.code == 0 and set(explained) == listed - {"-h", "--help"}
    for option, said in explained.items():
        assert re.search(r"[a-z]{4}.*\(default: .+\)", said) and "None" not in said, option
    assert f"(default: {' '.join(protocol.models)})" in explained["--models"]
    assert ("--images" in explained) == (protocol.source == "cifar10")


def test_the_paper_preset_is_the_papers_protocol():
    args = command_line.parser(FIG1).parse_args(["--preset", "paper"])
    preset = figure_script.chosen_preset(FIG1, args)
    configs = figure_script.run_configs(FIG1, args, preset)
    assert SIGMA2 == (0, 0.001, 0.01, 0.04, 0.09, 0.16, 0.25, 0.36, 0.49, 0.64, 0.81, 1)
    assert [config.sigma2 for config in configs] == list(SIGMA2)
    for config in configs:
        assert (config.hidden, config.batch_size, config.epochs, config.momentum) == (1000, 50, 50, 0.9)
        assert (config.constraint, config.radius, config.tangent, config.dtype) == ("unit", 1.0, False, "float32")
    assert protocol_data.data_spec(FIG1.source, preset.samples, args.images) == data_spec.DataSpec("mnist", 50_000, 0.1)
    assert protocol_data.data_spec(FIG1_PATCHES.source, preset.samples, args.images) == data_spec.DataSpec(
        "cifar10", 50_000, 0.0
    )


def test_the_command_line_overrides_the_preset():
    preset = figure_script.chosen_preset(FIG1, command_line.parser(FIG1).parse_args(QUICK))
    assert preset == Preset(60, 2, hidden=5, sigma2=[0.0, 0.1, 1.0], fetch=False)
