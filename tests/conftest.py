"""Hypothesis profiles and fixtures for all tests.

- `fast` is the default.
- `ci` is the same, but derandomised.
- `deep` has more examples (--hypothesis-profile=deep).
- `mutation` is like `ci`, but a test ends at its first counter-example and does not search for a simpler one.
"""

import gc
import os

from numpy_rae._blas import ONE_THREAD

# This must be set before NumPy is imported. On a busy machine, two BLAS threads wait for each other in every small
# product.
os.environ.update(ONE_THREAD)

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import made_runs
import matplotlib
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from matplotlib.figure import Figure

matplotlib.use("Agg")

COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("fast", max_examples=25, **COMMON)
settings.register_profile("ci", max_examples=25, derandomize=True, **COMMON)
settings.register_profile("deep", max_examples=1000, **COMMON)
settings.register_profile(
    "mutation",
    max_examples=25,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    report_multiple_bugs=False,
    **COMMON,
)
settings.load_profile("ci" if os.environ.get("CI") else "fast")


def pytest_addoption(parser):
    parser.addoption("--seterr", choices=("raise", "warn"), help="numpy.seterr(all=...) in every test")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """Share the whole suite between the cores, if pytest-xdist is installed and the command line does not give -n."""
    whole = config.args_source is config.ArgsSource.TESTPATHS
    worker = hasattr(config, "workerinput")
    if whole and not worker and config.pluginmanager.hasplugin("xdist") and config.option.numprocesses is None:
        config.option.numprocesses = "logical"
        # A worker that is idle takes tests from the others. So the fixtures of a module can be made twice.
        config.option.dist = "worksteal"


def pytest_collection_finish():
    """Exempt the collected tests and the imported modules from garbage collection, which would visit them each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def float_errors(request):
    """Set NumPy's handling of floating-point errors as --seterr says, if it is given."""
    wanted = request.config.getoption("--seterr")
    with np.errstate(all=wanted):
        yield


@pytest.fixture(scope="module")
def module_data_folder(tmp_path_factory):
    """Give the tests of one module a new data folder. The scripts that they start use it, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NUMPY_RAE_DATA", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="module")
def ref(module_data_folder):
    """Give the reference to the matrix of `made_runs.reference_data`."""
    return made_runs.reference_data()


@pytest.fixture(scope="module")
def thread(ref):
    """Give an executor with one thread instead of processes, for tests that do not depend on processes."""
    with ThreadPoolExecutor(1) as executor:
        yield executor


@pytest.fixture
def blank_pictures(monkeypatch):
    """Write empty picture files. Tests that do not look at the picture are faster with them."""
    monkeypatch.setattr(Figure, "savefig", lambda figure, path, **more: Path(path).write_bytes(b""))


@pytest.fixture
def close_figures():
    """Close all figures after the test."""
    import matplotlib.pyplot as plt  # slow, and xdist imports this file in a process that runs no tests

    yield
    plt.close("all")
