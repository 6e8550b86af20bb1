"""What a record says about where and how it was made: date, processor, BLAS kernels, versions."""

import datetime
import re
import subprocess
import sys

import pytest
from made_runs import SMALL, strict

from numpy_rae.activations import RELU
from numpy_rae.experiments import provenance, sweep
from numpy_rae.experiments.run import Run
from numpy_rae.objectives import AE


def test_a_record_says_when_and_with_what_it_was_made(ref, thread, tmp_path):
    before = datetime.datetime.now(datetime.UTC).date()
    list(sweep.sweep([Run(AE, RELU, ref, SMALL)], thread, tmp_path / "r.jsonl"))
    after = datetime.datetime.now(datetime.UTC).date()
    (record,) = strict(tmp_path / "r.jsonl")
    assert list(record["made"]) == ["date", "processor", "blas"]
    assert before <= datetime.date.fromisoformat(record["made"]["date"]) <= after
    assert record["made"]["processor"] == provenance.processor() != ""
    assert record["made"]["blas"] == provenance.blas()


def test_the_blas_libraries_are_named_with_version_and_kernel(monkeypatch):
    libraries = [
        {"user_api": "blas", "internal_api": "openblas", "version": "0.3.30", "architecture": "SkylakeX"},
        {"user_api": "blas", "internal_api": "openblas", "version": "0.3.30", "architecture": "SkylakeX"},
        {"user_api": "blas", "internal_api": "mkl", "version": "2024.0"},
        {"user_api": "openmp", "internal_api": "openmp", "version": None},
    ]
    monkeypatch.setattr(provenance, "threadpool_info", lambda: libraries)
    assert provenance.blas.__wrapped__() == "mkl 2024.0, openblas 0.3.30 SkylakeX"
    monkeypatch.setattr(provenance, "threadpool_info", list)
    assert provenance.blas.__wrapped__() == "unknown"


def test_the_blas_libraries_do_not_depend_on_what_was_imported_before():
    """The slow test of test_coverage.py compares the text of a new process with that of a process that trained."""
    code = "from numpy_rae.experiments import provenance; print(provenance.blas())"
    texts = [
        subprocess.run([sys.executable, "-c", first + code], capture_output=True, text=True, check=True).stdout
        for first in ("", "import scipy.linalg; ")
    ]
    assert texts[0] == texts[1] == f"{provenance.blas()}\n"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("processor : 0\nmodel name\t: A Fast: One\nmodel name : A Fast: One\n", "A Fast: One"),
        ("processor : 0\n", "the system's word"),
        (None, "the system's word"),
    ],
)
def test_the_processor_is_named_as_the_system_names_it(monkeypatch, text, name):
    def read(path, **_):
        if text is None:
            raise FileNotFoundError
        return text

    monkeypatch.setattr(provenance.Path, "read_text", read)
    monkeypatch.setattr(provenance.platform, "processor", lambda: "the system's word")
    assert provenance.processor.__wrapped__() == name


def test_versions_are_those_of_what_determines_the_numbers():
    found = provenance.versions()
    assert list(found) == ["python", "numpy-rae", "numpy", "scipy", "numerics"]
    assert all(re.match(r"\d+\.\d+", found[name]) for name in ("python", "numpy-rae", "numpy", "scipy"))
