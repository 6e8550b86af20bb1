"""A long job prints a note if a variable forces narrower BLAS kernels than the processor has."""

import os
import subprocess
import sys
import time

import pytest
from example_scripts import EXAMPLES

from numpy_rae.experiments import blas_kernels, progress, provenance
from numpy_rae.experiments.blas_kernels import narrow_kernels_note

WIDE, NARROW = frozenset({"sse2", "avx", "avx2", "avx512f"}), frozenset({"sse2"})


def library(kernel, api="openblas"):
    return {"user_api": "blas", "internal_api": api, "version": "1.2", "architecture": kernel}


@pytest.fixture
def machine(monkeypatch):
    """Set the processor's flags and the loaded libraries."""

    def set_to(flags, *libraries, architecture="x86_64"):
        monkeypatch.setattr(blas_kernels.platform, "machine", lambda: architecture)
        monkeypatch.setattr(blas_kernels, "processor_flags", lambda: flags)
        monkeypatch.setattr(blas_kernels, "threadpool_info", lambda: list(libraries))
        monkeypatch.setattr(blas_kernels, "blas", lambda: "the kernel in use")

    return set_to


@pytest.mark.parametrize(
    ("variable", "libraries", "bits"),
    [
        ("OPENBLAS_CORETYPE=Haswell", [library("Haswell")], 256),
        ("OPENBLAS_CORETYPE=Prescott", [library("Katmai")], 128),
        ("OPENBLAS_CORETYPE=Haswell", [library("SkylakeX"), library("Haswell")], 256),
        ("BLIS_ARCH_TYPE=haswell", [library("haswell", "blis")], 256),
        ("MKL_ENABLE_INSTRUCTIONS=SSE4_2", [library(None, "mkl")], 128),
        ("MKL_DEBUG_CPU_TYPE=5", [library(None, "mkl")], 256),
    ],
)
def test_narrow_kernels_are_told_with_the_variable(machine, variable, libraries, bits):
    machine(WIDE, *libraries)
    said = narrow_kernels_note(dict([variable.split("=")]))
    assert said == (
        f"{variable} makes BLAS use {bits}-bit kernels (the kernel in use), but the processor has 512-bit vectors; "
        "without this variable the runs are faster"
    )


@pytest.mark.parametrize(
    ("environ", "flags", "kernel"),
    [
        ({}, WIDE, "Haswell"),  # nothing is forced, so OpenBLAS has chosen
        ({"OPENBLAS_CORETYPE": ""}, WIDE, "Haswell"),
        ({"OPENBLAS_CORETYPE": "SkylakeX"}, WIDE, "SkylakeX"),
        ({"OPENBLAS_CORETYPE": "Prescott"}, NARROW, "Prescott"),
        ({"OPENBLAS_CORETYPE": "Haswell"}, frozenset(), "Haswell"),  # the system does not report the flags
        ({"OPENBLAS_CORETYPE": "Haswell"}, WIDE, None),
        ({"OMP_NUM_THREADS": "1"}, WIDE, "Haswell"),
    ],
)
def test_nothing_is_said_otherwise(machine, environ, flags, kernel):
    machine(flags, library(kernel))
    assert narrow_kernels_note(environ) is None


def test_nothing_is_said_of_other_processors(machine):
    machine(WIDE, library("NEOVERSEN1"), architecture="aarch64")
    assert narrow_kernels_note({"OPENBLAS_CORETYPE": "ARMV8"}) is None


@pytest.mark.skipif("avx2" not in provenance.processor_flags(), reason="needs a processor with more than 128 bits")
def test_the_real_library_is_told():
    """A new process uses the kernels that every x86 processor has."""
    program = "import numpy; from numpy_rae.experiments.blas_kernels import narrow_kernels_note as f; print(f())"
    path = os.pathsep.join(sys.path)
    environment = {**os.environ, "PYTHONPATH": path, "OPENBLAS_CORETYPE": "Prescott"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("OPENBLAS_CORETYPE=Prescott makes BLAS use 128-bit kernels (openblas "), done
    assert done.stdout.count("\n") == 1


def entries(seconds):
    """Return one record that takes some seconds."""
    time.sleep(seconds)
    yield {"hash": "0"}


@pytest.mark.parametrize(
    ("seconds", "note", "said"), [(0.3, "a note", "a note\n"), (0.0, "a note", ""), (0.3, None, "")]
)
def test_only_a_long_job_says_so_in_one_line(monkeypatch, capsys, seconds, note, said):
    monkeypatch.setattr(progress, "LONG_JOB_SECONDS", 0.1)
    monkeypatch.setattr(progress, "narrow_kernels_note", lambda: note)
    assert progress.show_progress(entries(seconds), 1, str, disable=True) == {"0": {"hash": "0"}}
    assert capsys.readouterr().err == said


def test_a_figure_script_says_so(tmp_path):
    """This tests the whole path: a script, its environment, its stderr."""
    if "avx512f" not in provenance.processor_flags():
        pytest.skip("needs a processor with more than 256 bits")
    program = (
        "import runpy, sys; from numpy_rae.experiments import progress; progress.LONG_JOB_SECONDS = 0.0\n"
        "sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    words = [
        str(EXAMPLES / "fig1_relu_mnist.py"),
        "--preset",
        "tiny",
        "--epochs",
        "1",
        "--sigma2",
        "1",
        "--models",
        "DAE",
    ]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_CORETYPE": "Haswell"}
    environment["NUMPY_RAE_DATA"] = str(tmp_path / "data")
    command = [sys.executable, "-c", program, *words, "--out", str(tmp_path), "--workers", "1"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr.count("OPENBLAS_CORETYPE=Haswell makes BLAS use 256-bit kernels (openblas") == 1
