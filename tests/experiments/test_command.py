"""Commands under bad conditions: closed and broken streams, signals, a user's matplotlibrc, pictures that fail."""

import errno
import io
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor
from pathlib import Path

import numpy as np
import pytest
from example_scripts import EXAMPLES
from made_runs import one_thread

from numpy_rae import _blas
from numpy_rae.experiments import command, figure_script, output_streams
from numpy_rae.experiments.protocol import PROTOCOLS
from numpy_rae.storage import jsonl

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs a shell and signals")

ROOT = Path(__file__).resolve().parents[1]
FIG1 = str(EXAMPLES / "fig1_relu_mnist.py")
QUICK = ["--preset", "tiny", "--epochs", "1", "--sigma2", "0", "1", "--models", "CAE", "--workers", "1"]
CERTIFY = ["-m", "numpy_rae", "certify", "--table"]
FILTERS = [str(EXAMPLES / "theorem_3_remainder.py"), "--preset", "tiny"]


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Return an environment with a new data folder."""
    data = str(tmp_path_factory.mktemp("data"))
    path = os.pathsep.join([str(ROOT), *sys.path])
    return {**os.environ, **_blas.ONE_THREAD, "NUMPY_RAE_DATA": data, "PYTHONPATH": path}


def shell(script: str, words: list[str], environment: dict, **more) -> subprocess.CompletedProcess:
    """Run `script`, in which "$@" is Python with `words`. The option pipefail is set."""
    line = ["bash", "-o", "pipefail", "-c", script, "bash", sys.executable, *words]
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=120, **more)


def stored_in(out: Path) -> int:
    return len(jsonl.read(out / "fig1_relu_mnist-tiny.jsonl"))


# Streams.


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_a_sweep_runs_with_closed_streams(environment, tmp_path, closed):
    done = shell(f'"$@" {closed}', [FIG1, *QUICK, "--out", str(tmp_path)], environment)
    assert done.returncode == 0 and "Traceback" not in done.stderr
    assert stored_in(tmp_path) == 2 and (tmp_path / "fig1_relu_mnist-tiny.png").stat().st_size > 10_000
    text = (tmp_path / "fig1_relu_mnist-tiny.jsonl").read_bytes()
    assert text.count(b"\n") == 2 and text.startswith(b"{")


@pytest.mark.parametrize("words", [[FIG1, *QUICK], CERTIFY, FILTERS, [FIG1, "--help"]])
def test_a_reader_that_goes_away_is_no_error(environment, tmp_path, words):
    """The command finishes its work, and its exit code is that of the work."""
    out = [] if words == CERTIFY else ["--out", str(tmp_path)]
    done = shell('"$@" | head -n 1 >&2', [*words, *out], environment)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr and "BrokenPipe" not in done.stderr and "Exception ignored" not in done.stderr
    if words[0] == FIG1 and "--help" not in words:
        assert stored_in(tmp_path) == 2 and (tmp_path / "fig1_relu_mnist-tiny.png").exists()


def test_progress_that_nobody_reads_is_no_error(environment, tmp_path):
    done = shell('"$@" 2>&1 | true', [FIG1, *QUICK, "--out", str(tmp_path)], environment)
    assert (done.returncode, stored_in(tmp_path)) == (0, 2)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("words", [[FIG1, *QUICK], CERTIFY])
def test_output_that_cannot_be_written_is_one_sentence(environment, tmp_path, words):
    out = [] if words == CERTIFY else ["--out", str(tmp_path)]
    done = shell('"$@" > /dev/full', [*words, *out], environment)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith(": standard output cannot be written: No space left on device")
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr
    assert words == CERTIFY or stored_in(tmp_path) == 2


@pytest.fixture(scope="module")
def ascii_start(environment, tmp_path_factory):
    """Return the process and the folder, which has an accent, of a figure script with an ASCII terminal."""
    out = tmp_path_factory.mktemp("ascii") / "Aé"
    narrow = {**environment, "PYTHONIOENCODING": "ascii"}
    return shell('"$@"', [FIG1, *QUICK, "--out", str(out)], narrow), out


def test_an_ascii_terminal_can_show_every_name(ascii_start):
    done, out = ascii_start
    assert done.returncode == 0 and r"A\xe9" in done.stdout and stored_in(out) == 2


def test_streams_that_are_none_are_restored(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    with output_streams.dropping():
        print("dropped", file=sys.stderr)
    assert sys.stderr is None


class Broken(io.StringIO):
    """A stream whose reader has ended."""

    def write(self, text):
        raise OSError(errno.EPIPE, "Broken pipe")


def test_the_first_error_of_a_stream_is_kept():
    out = output_streams.Output(Broken())
    assert out.write("abc") == 3 and out.error.errno == errno.EPIPE


# Errors.


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ValueError("x is 1; it must be 2"), 2, "c: x is 1; it must be 2"),
        (jsonl.StoreError("results file r cannot be read"), 2, "c: results file r cannot be read"),
        (OSError(errno.ENOSPC, "No space left on device", "/a"), 2, "c: No space left on device: /a"),
        (OSError("odd"), 2, "c: odd"),
        (MemoryError(), 1, "c: out of memory"),
        (BrokenExecutor("a worker process died"), 1, "c: a worker process died"),
        (KeyboardInterrupt(), 130, "c: interrupted"),
    ],
)
def test_each_error_has_its_sentence_and_its_code(error, code, said, capsys):
    @command.command("c")
    def body():
        raise error

    assert body() == code
    assert capsys.readouterr().err == said + "\n"


def test_a_programming_error_keeps_its_traceback():
    @command.command("c")
    def body():
        raise TypeError("a bug")

    with pytest.raises(TypeError, match="a bug"):
        body()


# Signals.


def test_hangup_and_termination_end_in_order_unless_ignored(request):
    before = signal.getsignal(signal.SIGHUP)
    request.addfinalizer(lambda: signal.signal(signal.SIGHUP, before))
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signal.SIGHUP, lambda *_: None)
        assert command.command("c")(lambda number=number: signal.raise_signal(number))() == 130
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    assert command.command("c")(lambda: signal.raise_signal(signal.SIGHUP) or 0)() == 0
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN


def test_a_terminal_that_goes_away_leaves_what_is_needed_to_go_on(environment, tmp_path):
    """The kernel sends SIGHUP to every process of the terminal. Runs in progress must be saved."""
    words = [FIG1, "--preset", "tiny", "--epochs", "3000", "--sigma2", "1", "--models", "DAE", "SAE", "--workers", "2"]
    words += ["--save-every", "0.5", "--out", str(tmp_path)]
    process, terminal = pty.fork()
    if process == 0:
        os.execve(sys.executable, [sys.executable, *words], environment)
    kept, end = tmp_path / "fig1_relu_mnist-tiny.checkpoints", time.monotonic() + 60
    while len(list(kept.glob("*.npz"))) < 2 and time.monotonic() < end:
        time.sleep(0.01)
    gone = time.time()
    os.close(terminal)
    _, status = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(status) == 130
    assert len(list(kept.glob("*.npz"))) == 2
    assert all(path.stat().st_mtime >= gone for path in kept.glob("*.npz"))


# Pictures.

HOSTILE = "text.usetex: True\nsavefig.format: pdf\naxes.facecolor: black\nfigure.dpi: 13\nfont.size: 40\n"


def test_pictures_do_not_depend_on_the_users_settings(ascii_start, environment, tmp_path):
    """Byte for byte; without LaTeX, `text.usetex` would be an error. A backend for a display that is not there is too.

    The start with an ASCII terminal trained the runs. This one draws them with the settings.
    """
    _, usual = ascii_start
    (tmp_path / "matplotlibrc").write_text(HOSTILE)
    hostile = {"MATPLOTLIBRC": str(tmp_path / "matplotlibrc"), "MPLBACKEND": "QtAgg"}
    shutil.copy(usual / "fig1_relu_mnist-tiny.jsonl", tmp_path)
    done = shell('"$@"', [FIG1, *QUICK, "--plot-only", "--out", str(tmp_path)], {**environment, **hostile})
    assert done.returncode == 0, done.stderr
    name = "fig1_relu_mnist-tiny.png"
    assert (tmp_path / name).read_bytes() == (usual / name).read_bytes()


@pytest.mark.parametrize("words", [[FIG1, *QUICK], FILTERS])
def test_a_picture_that_cannot_be_drawn_is_one_sentence_after_the_results(environment, tmp_path, words):
    done = shell('"$@"', [*words, "--out", str(tmp_path)], {**environment, "MPLBACKEND": "bogus"})
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "cannot be drawn: " in done.stderr.splitlines()[-1]
    if words[0] == FIG1:
        assert re.search(r"^1 +0\.", done.stdout, re.MULTILINE) and "results: " in done.stdout
        assert stored_in(tmp_path) == 2


def test_a_dollar_in_a_files_name_is_no_formula(tmp_path, monkeypatch):
    monkeypatch.setattr(figure_script, "local_pool", one_thread)
    monkeypatch.setenv("NUMPY_RAE_DATA", str(tmp_path / "data"))
    np.save(tmp_path / "a$_^$.npy", np.random.default_rng(0).integers(0, 256, (2, 12, 12), np.uint8))
    words = [*QUICK, "--sigma2", "1", "--samples", "30", "--report", "--images", str(tmp_path / "a$_^$.npy")]
    assert figure_script.main(PROTOCOLS["fig1_relu_cifar10"], [*words, "--out", str(tmp_path)]) == 0
    assert len(list((tmp_path / "fig1_relu_cifar10-tiny.reports").glob("*.png"))) == 1


def test_matplotlib_is_loaded_for_pictures_only(environment):
    modules = "numpy_rae.experiments.figure_script, numpy_rae.experiments.worker, numpy_rae.__main__, numpy_rae.plotting.training_report, numpy_rae.experiments.certificate_tables"
    done = shell('"$@"', ["-c", f"import sys, {modules}; sys.exit('matplotlib' in sys.modules)"], environment)
    assert done.returncode == 0, done.stderr


def test_starting_a_figure_script_loads_no_part_of_scipy(environment):
    """Only the workers need these parts, and their import is slow."""
    parts = "{'scipy.linalg', 'scipy.special', 'scipy.stats', 'scipy.optimize'}"
    code = f"import sys, numpy_rae.experiments.figure_script; sys.exit(sorted({parts} & set(sys.modules)) or 0)"
    done = shell('"$@"', ["-c", code], environment)
    assert done.returncode == 0, done.stderr


def test_every_script_is_a_command():
    """Each example passes its errors, signals and streams to `command`."""
    for path in sorted(EXAMPLES.glob("*.py")):
        named = rf'@command\("{path.stem}"\)|name="{path.stem}"|PROTOCOLS\["{path.stem}"\]|Study\(\s*"{path.stem}"'
        assert re.search(named, path.read_text()), path.name
