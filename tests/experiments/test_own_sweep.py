"""`rae.sweep`: the user's data, models and activation, from a script, from stdin and in memory."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import matplotlib
import numpy as np
import pytest

import numpy_rae as rae
from numpy_rae import penalties
from numpy_rae.autoencoder import PenaltyGrad
from numpy_rae.data import own_array, prepared
from numpy_rae.data.folders import DataError
from numpy_rae.experiments import own_sweep, own_sweep_places, sweep_result
from numpy_rae.experiments.scheduler import RunsLost
from numpy_rae.experiments.sweep_result import SweepResult
from numpy_rae.objectives import AE, PAPER_OBJECTIVES, Penalised, ae
from numpy_rae.registry import named_objective

X = np.random.default_rng(0).standard_normal((60, 12)).astype(np.float32)
SMALL = {"hidden": 5, "epochs": 2, "batch_size": 20, "progress": False}

TEN_LINES = """
import numpy as np
import numpy_rae as rae
from numpy_rae.autoencoder import PenaltyGrad

class Mine:
    order = 2
    def value_and_grad(self, params, activation, fwd, rng=None):
        return float(fwd.jet.dh_da.mean(axis=0).sum()), PenaltyGrad(dR_da=fwd.jet.d2h_da2 / len(fwd.a))

def my_activation(a):
    return (a + np.sqrt(a * a + 1)) / 2

mine, X = Mine(), np.random.default_rng(0).standard_normal((60, 12))
result = rae.sweep(X, models=["AE", "SAE", mine], activation=my_activation, sigma2=[0, .01, .1, 1], seeds=range(3),
                   hidden=5, epochs=2, results="mine.jsonl", workers=2)
result.plot("mine.pdf")
print(len(result.records), *result.models, result.records[0]["activation"])
"""


@pytest.fixture(autouse=True)
def data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMPY_RAE_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def thread():
    with ThreadPoolExecutor(1) as executor:
        yield executor


class Slope:
    """A penalty: the mean of h'."""

    order = 2

    def value_and_grad(self, params, activation, fwd, rng=None):
        return float(fwd.jet.dh_da.mean(axis=0).sum()), PenaltyGrad(dR_da=fwd.jet.d2h_da2 / len(fwd.a))


# An old matplotlib with a new pyparsing warns about its own calls, as setup.cfg explains.
STRICT = ["-W", "error"] if matplotlib.__version_info__ >= (3, 10) else []


@pytest.mark.parametrize("how", ["script", "stdin"])
def test_the_ten_lines_run_without_a_main_guard(how, tmp_path):
    (tmp_path / "mine.py").write_text(TEN_LINES)
    command = [sys.executable, *STRICT, "mine.py" if how == "script" else "-"]
    code = None if how == "script" else TEN_LINES
    done = subprocess.run(command, input=code, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "21 AE SAE Mine my_activation\n"
    assert (tmp_path / "mine.pdf").read_bytes().startswith(b"%PDF")
    assert len((tmp_path / "mine.jsonl").read_text().splitlines()) == 21
    assert list((tmp_path / "data" / "prepared").iterdir()) == []


def test_every_record_is_what_train_gives(thread):
    result = rae.sweep(
        X, ["SAE", "DAE"], "softplus", [0.1, 1.0], [0, 4], executor=thread, eta=0.002, constraint="free", **SMALL
    )
    assert len(result.records) == 8 and result.missing == 0
    for entry in result.records:
        sigma2, seed = entry["config"]["sigma2"], entry["config"]["seed"]
        config = rae.TrainConfig(sigma2, seed, hidden=5, epochs=2, batch_size=20, eta=0.002, constraint="free")
        trained = rae.train(X, PAPER_OBJECTIVES[entry["model"]], rae.ACTIVATIONS["softplus"], config)
        assert entry["metrics"] == trained.metrics and entry["history"] == trained.history
    order = [(e["config"]["seed"], e["config"]["sigma2"], e["model"]) for e in result.records]
    assert order == [(seed, s, model) for seed in (0, 4) for s in (0.1, 1.0) for model in ("SAE", "DAE")]


def test_a_second_sweep_trains_only_what_is_new(tmp_path, thread, monkeypatch):
    given = {"executor": thread, "results": tmp_path / "r.jsonl", **SMALL}
    first = rae.sweep(X, ["SAE"], "relu", [0, 0.1], [0], **given)
    assert len(first.records) == 2
    more = rae.sweep(X, ["SAE", "CAE"], "relu", [0, 0.1], [0], **given)
    assert len((tmp_path / "r.jsonl").read_text().splitlines()) == 3
    assert [e["hash"] for e in first.records] == [e["hash"] for e in more.records[:2]]
    rae.sweep(2 * X, ["SAE"], "relu", [0.1], [0], **given)
    assert len((tmp_path / "r.jsonl").read_text().splitlines()) == 4
    for float64 in (X.astype(np.float64), X.tolist()):
        assert rae.sweep(float64, ["SAE"], "relu", [0.1], [0], **given).records[0]["hash"] == first.records[1]["hash"]
    assert len((tmp_path / "r.jsonl").read_text().splitlines()) == 4


def test_the_file_of_own_data_is_removed_also_after_a_failure(data_folder, thread):
    def failing(params, activation, x, sigma2, rng):
        assert list((data_folder / "prepared").glob("array-*/x.npy"))
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        rae.sweep(X, [("failing", failing)], "relu", [0.1], [0], executor=thread, **SMALL)
    assert list((data_folder / "prepared").iterdir()) == []


def test_own_data_are_known_by_their_hash_alone_and_mapped(data_folder):
    with own_array.temporary_file(X) as one, own_array.temporary_file(X) as two:
        assert one.file != two.file and one.description() == two.description()
        assert "file" not in one.description() and one.description()["source"] == "array"
        x = prepared.load(one)
        assert isinstance(x, np.memmap) and (x == X).all() and one.image_shape == (1, 12)
    with pytest.raises(DataError, match="^the matrix of this sweep is not on this machine; "):
        prepared.load(one)


KILLED = """
import os, signal, sys, numpy as np
from numpy_rae.data import own_array
with own_array.temporary_file(np.zeros((4, 2), np.float32)) as ref:
    print(ref.file, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_next_sweep_removes_the_files_of_a_killed_one_and_no_others(data_folder):
    pytest.importorskip("fcntl")
    done = subprocess.run([sys.executable, "-c", KILLED], capture_output=True, text=True, timeout=60)
    left = Path(done.stdout.strip())
    assert left.exists() and left.is_relative_to(data_folder)
    other = left.parent.with_name("array-another_machine-x")
    starting = left.parent.with_name(left.parent.name + "2")
    for folder in (other, starting):
        folder.mkdir()
    (other / "x.npy").touch()
    (starting / "x.npy").touch()
    with own_array.temporary_file(X) as running:
        assert not left.parent.exists() and other.exists() and starting.exists()
        os.utime(starting, (0, 0))
        with own_array.temporary_file(X):
            assert Path(running.file).exists() and not starting.exists()


def test_standardise_makes_each_feature_standard(thread):
    raw = 3 * X + 100
    with pytest.warns(UserWarning, match=r"^X is not centred: its mean has 100% of its mean square"):
        rae.sweep(raw, ["AE"], "relu", [0.0], [0], executor=thread, **SMALL)
    result = rae.sweep(raw, ["AE"], "relu", [0.0], [0], executor=thread, standardise=True, **SMALL)
    assert result.records[0]["mean_square"] == pytest.approx(12, rel=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_is_the_trainings(thread, dtype):
    result = rae.sweep(X, ["SAE"], "relu", 0.1, 0, executor=thread, dtype=dtype, keep_models=True, **SMALL)
    assert result.model("SAE", 0.1, 0).params.W.dtype == dtype


def test_models_are_names_objectives_penalties_functions_and_pairs():
    found = [
        named_objective(each)
        for each in ("SAE", AE, Slope(), Penalised(penalties.CAE), penalties.L1, ae, ("mine", Slope()))
    ]
    assert [model.name for model in found] == ["SAE", "AE", "Slope", "CAE", "L1", "ae", "mine"]
    assert named_objective(("other", "CAE")).objective == PAPER_OBJECTIVES["CAE"].objective


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"models": []}, "models is empty; it must have at least one model"),
        ({"models": ["SAE", "SAE"]}, "models has 'SAE' 2 times; give pairs (name, objective) with different names"),
        ({"models": ["XAE"]}, "model is 'XAE'; it must be one of "),
        ({"models": [3]}, "model is 3; it must be a function"),
        ({"models": [("a", "SAE", 3)]}, "model is ('a', 'SAE', 3); a pair must be (name, objective or penalty)"),
        ({"activation": "swish"}, "activation is 'swish'; it must be one of "),
        ({"sigma2": []}, "sigma2 is empty; it must have at least one number"),
        ({"sigma2": [-1.0]}, "sigma2 is -1.0; it must be a number in [0, inf]"),
        ({"seeds": [0.5]}, "seed is 0.5; it must be a whole number of at least 0"),
        ({"radios": 2}, "radios is no argument of sweep; settings must be fields of TrainConfig"),
        ({"X": X[0]}, "X has shape (12,); it must be (samples, features), both at least 1"),
        ({"X": X.astype(str)}, "X is <U"),
        ({"X": np.where(X > 2, np.nan, X)}, "X contains NaN or inf; every entry must be finite"),
        ({"X": X.astype(np.float64) * 1e300}, "X as float32 contains NaN or inf; every entry must be finite"),
        ({"dtype": "float16"}, "dtype is 'float16'; it must be one of float32, float64"),
        (
            {"image_shape": (3, 5)},
            "image_shape is (3, 5); it must be (height, width) or (3, height, width) with ",
        ),
        ({"workers": 0}, "workers is 0; it must be a whole number of at least 1"),
        ({"executor": 3}, "executor is a int; it must be a concurrent.futures.Executor"),
        (
            {"scheduler": "tcp://x:1", "executor": ThreadPoolExecutor(1)},
            "executor is given with scheduler; ",
        ),
        ({"scheduler": 3}, "scheduler is 3; it must be the address of a Dask scheduler, or None"),
        ({"results": 3}, "results is 3; it must be the path of a file, or None"),
    ],
)
def test_bad_arguments_are_one_sentence_before_any_work(monkeypatch, changed, sentence):
    monkeypatch.setattr(own_sweep_places, "local_pool", None)
    given = {"X": X, "models": ["SAE"], "activation": "relu", "sigma2": [0.1], "seeds": [0], **SMALL, **changed}
    with pytest.raises(ValueError) as error:
        rae.sweep(**given)
    assert str(error.value).startswith(sentence)


def interrupting(after):
    """A progress bar that is interrupted after some records."""

    def show(records, total, disable):
        for _ in range(after):
            next(records)
        records.close()
        raise KeyboardInterrupt

    return show


@pytest.mark.parametrize("results", [None, "r.jsonl"])
def test_an_interrupt_keeps_what_is_done(monkeypatch, tmp_path, results, thread):
    given = {"executor": thread, "workers": 1, "results": results and tmp_path / results, **SMALL}
    with monkeypatch.context() as patch:
        patch.setattr(own_sweep, "show_progress", interrupting(2))
        with pytest.warns(RuntimeWarning, match=r"^the sweep was interrupted; [23] of 4 runs are done: "):
            result = rae.sweep(X, ["SAE"], "relu", [0.1, 1], [0, 1], **given)
    assert 2 <= len(result.records) == 4 - result.missing
    assert f"{result.missing} missing" in repr(result) and "missing" in result._repr_markdown_()
    assert len(rae.sweep(X, ["SAE"], "relu", [0.1, 1], [0, 1], **given).records) == 4


def test_an_interrupt_before_the_first_record_is_an_interrupt(monkeypatch, thread):
    monkeypatch.setattr(own_sweep, "show_progress", interrupting(0))
    with pytest.raises(KeyboardInterrupt):
        rae.sweep(X, ["SAE"], "relu", [0.1], [0], executor=thread, workers=1, **SMALL)


def test_lost_runs_are_a_warning_beside_the_others(thread, monkeypatch):
    def dying(params, activation, x, sigma2, rng):
        if threading.current_thread() is threading.main_thread():
            return ae(params, activation, x)
        raise MemoryError

    with pytest.warns(RuntimeWarning, match=r"^given up after 3 deaths .*: dying sigma\^2=0.1 seed=0; .*1 of 2 runs"):
        result = rae.sweep(X, ["SAE", ("dying", dying)], "relu", [0.1], [0], executor=thread, **SMALL)
    assert [entry["model"] for entry in result.records] == ["SAE"] and result.missing == 1
    with pytest.raises(RunsLost):
        rae.sweep(X, [("dying", dying)], "relu", [0.1], [0], executor=thread, **SMALL)


@pytest.mark.parametrize("results", [None, "r.jsonl"])
def test_models_are_kept(tmp_path, thread, results):
    given = {"executor": thread, "results": results and tmp_path / results, **SMALL}
    models = ["SAE", ("mine", Slope())]
    result = rae.sweep(X, models, np.tanh, [0, 0.1], [0, 1], keep_models=True, image_shape=(3, 4), **given)
    mine = result.model("mine", 0.1, 1)
    config = rae.TrainConfig(0.1, 1, hidden=5, epochs=2, batch_size=20)
    assert mine.config == config and mine.activation.name == "tanh" and mine.model == "mine"
    assert (result.model("mine", 0, 0).params.W == result.model("SAE", 0, 0).params.W).all()
    figure = result.plot_filters("mine", 0.1, 1, X, tmp_path / "filters.svg")
    assert len(figure.axes[0].images) == 1
    folder = result.models_folder
    assert folder.exists()
    if results is None:
        del result
        assert not folder.exists()
        return
    assert (tmp_path / "filters.svg").exists()
    for call, sentence in [
        (lambda: result.model("CAE", 0.1, 1), "model is 'CAE'; it must be one of SAE, mine"),
        (lambda: result.model("SAE", 0.2, 1), r"\(sigma2, seed\) is \(0.2, 1\); SAE was trained with one of \["),
    ]:
        with pytest.raises(ValueError, match=f"^{sentence}"):
            call()


def test_models_that_were_not_kept_are_trained_again_on_demand(tmp_path, thread):
    given = {"executor": thread, "results": tmp_path / "r.jsonl", **SMALL}
    without = rae.sweep(X, ["SAE"], "relu", [0.1], [0], **given)
    with pytest.raises(ValueError, match="^keep_models was False in this sweep; call sweep again with "):
        without.model("SAE", 0.1, 0)
    with pytest.raises(ValueError, match="^image_shape was not given"):
        without.plot_filters("SAE", 0.1, 0, X)
    kept = rae.sweep(X, ["SAE"], "relu", [0.1], [0], keep_models=True, **given)
    assert kept.model("SAE", 0.1, 0).params.W.shape == (5, 12)
    assert kept.records[0]["metrics"] == without.records[0]["metrics"]


def test_the_frame_is_flat_and_spreads_the_plain_runs(thread):
    pandas = pytest.importorskip("pandas")
    frame = rae.sweep(X, ["SAE", "CAE"], "relu", [0, 0.1], [0, 1], executor=thread, **SMALL).to_frame()
    first = ["model", "activation", "sigma2", "seed", "status", "activation_fraction", "dead_fraction", "loss"]
    assert list(frame.columns[:8]) == first and {"hidden", "eta", "steps", "seconds"} <= set(frame.columns)
    assert len(frame) == 8 and not frame.map(lambda value: isinstance(value, (dict, list))).any(axis=None)
    assert isinstance(frame, pandas.DataFrame)
    wide = frame.pivot_table(index="sigma2", columns="model", values="activation_fraction")
    assert wide.shape == (2, 2) and wide.notna().all(axis=None) and wide.loc[0, "SAE"] == wide.loc[0, "CAE"]
    assert set(frame[frame.sigma2 == 0].trained_as) == {"AE"}


def test_the_plain_autoencoder_is_trained_once_and_shown_at_every_sigma2(tmp_path, thread):
    given = {"executor": thread, "results": tmp_path / "r.jsonl", "keep_models": True, **SMALL}
    result = rae.sweep(X, ["AE", "SAE"], "relu", [0, 0.1, 1], [0, 1], **given)
    assert [e["config"]["sigma2"] for e in result.records if e["model"] == "AE"] == [0, 0]
    assert len((tmp_path / "r.jsonl").read_text().splitlines()) == 6
    plain = [line.split()[1] for line in result.table().splitlines() if line[:1].isdigit()]
    assert len(plain) == 3 and len(set(plain)) == 1
    assert list(result.plot().axes[0].lines[0].get_xdata()) == pytest.approx([0, 0.1**0.5, 1])
    assert (result.model("AE", 0.1, 1).params.W == result.model("AE", 0, 1).params.W).all()
    alone = rae.sweep(X, ["AE"], "relu", [0.1, 1], 0, **given)
    assert len(alone.records) == 1
    assert [line.split()[0] for line in alone.table().splitlines() if line[:1].isdigit()] == ["0.1", "1"]


def test_a_missing_pandas_is_one_sentence(thread, monkeypatch):
    result = rae.sweep(X, ["SAE"], "relu", [0.1], [0], executor=thread, **SMALL)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r'^to_frame needs pandas; install it with: pip install "numpy-rae\[pan'):
        result.to_frame()


def test_the_table_and_the_figure_show_every_model(thread, tmp_path):
    result = rae.sweep(X, ["SAE", "CAE"], "relu", [0, 0.1], [0, 1], executor=thread, **SMALL)
    cells = [line.split() for line in result.table().splitlines() if line]
    assert cells[1] == ["sigma^2", "SAE", "CAE"] and [line[0] for line in cells[2:]] == ["0", "0.1"]
    assert "| sigma^2 | SAE | CAE |" in result._repr_markdown_() and result.table() in str(result)
    figure = result.plot(tmp_path / "new" / "figure.svg")
    assert (tmp_path / "new" / "figure.svg").read_bytes().startswith(b"<?xml")
    assert [line.get_label() for line in figure.axes[0].lines] == ["SAE", "CAE"]
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_a_figure_of_no_record_is_refused():
    with pytest.raises(ValueError, match="^records is empty; "):
        SweepResult([], ("SAE",)).plot()


def test_files_of_several_jobs_are_read_as_one_result(tmp_path, thread):
    files = [tmp_path / f"job-{seed}.jsonl" for seed in range(2)]
    for seed, file in enumerate(files):
        rae.sweep(X, ["SAE", "CAE"], "relu", [0, 0.1], [seed], executor=thread, results=file, **SMALL)
    both = SweepResult.read(*files)
    assert both.models == ("SAE", "CAE") and len(both.records) == 6
    assert len(list(sweep_result.flat_rows(both.records, both.models))) == 8
    with pytest.raises(ValueError, match="there is no such results file$"):
        SweepResult.read(tmp_path / "none.jsonl")
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(ValueError, match="these files hold no record of a sweep$"):
        SweepResult.read(tmp_path / "empty.jsonl")


@pytest.mark.parametrize("sigma2", [[0, 0.1], [0.1, 1]])
def test_a_file_lists_the_plain_autoencoder_if_its_sweep_was_called_with_it(tmp_path, thread, sigma2):
    """It is stored only at sigma^2 = 0, where all models are equal."""
    with_it, without = tmp_path / "with.jsonl", tmp_path / "without.jsonl"
    swept = rae.sweep(X, ["SAE", "AE"], "relu", sigma2, [0], executor=thread, results=with_it, **SMALL)
    rae.sweep(X, ["SAE"], "relu", sigma2, [0], executor=thread, results=without, **SMALL)
    read = SweepResult.read(with_it)
    assert read.models == swept.models == ("SAE", "AE")
    assert [e["config"]["sigma2"] for e in read._spread() if e["model"] == "AE"][-1] == sigma2[-1]
    assert SweepResult.read(without).models == ("SAE",)
    rae.sweep(X, ["AE", "CAE"], "relu", sigma2, [0], executor=thread, results=without, **SMALL)
    assert SweepResult.read(without).models == ("SAE", "AE", "CAE")


def test_the_models_of_a_file_can_be_chosen(tmp_path, thread):
    file = tmp_path / "r.jsonl"
    rae.sweep(X, ["SAE", "CAE"], "relu", [0, 0.1], [0], executor=thread, results=file, **SMALL)
    read = SweepResult.read(file, models=["AE", "SAE"])
    assert read.models == ("AE", "SAE") and len(read.records) == 2
    assert read.table().split()[6:9] == ["sigma^2", "AE", "SAE"]
    with pytest.raises(ValueError, match="^models is 'DAE'; "):
        SweepResult.read(file, models=["DAE"])
    with pytest.raises(ValueError, match="^models is empty; "):
        SweepResult.read(file, models=[])


def test_the_records_of_the_papers_figures_are_read(request):
    record = Path(__file__).parents[2] / "docs" / "records" / "fig1_relu_mnist-sample.jsonl"
    result = SweepResult.read(record)
    assert "AE" not in result.models and {"DAE", "CAE", "SAE"} <= set(result.models)
    assert SweepResult.read(record, models=["AE", "SAE"]).models == ("AE", "SAE")


PRIVATE = """
import sys, threading, psutil, numpy as np, numpy_rae as rae
peak, me, stop = [0], psutil.Process(), threading.Event()
def watch():
    while not stop.wait(0.02):
        for child in me.children(recursive=True):
            try:
                peak[0] = max(peak[0], child.memory_full_info().uss)
            except psutil.Error:
                pass
watcher = threading.Thread(target=watch)
watcher.start()
X = np.random.default_rng(0).standard_normal((10_000, 784), np.float32)
rae.sweep(X, ["SAE"], "relu", 0.1, 0, hidden=200, epochs=1, workers=1, progress=False)
stop.set()
watcher.join()
print(peak[0] / 1e6)
"""


def test_a_worker_maps_the_data_instead_of_copying_them():
    pytest.importorskip("psutil")
    done = subprocess.run([sys.executable, "-c", PRIVATE], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    print(f"peak private memory of the worker (USS): {float(done.stdout):.0f} MB")
    assert 10 < float(done.stdout) < 250
