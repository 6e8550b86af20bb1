"""A worker's BLAS: one thread, the kernels the processor can run, and the user's own choice respected."""

import os

import pytest

from numpy_rae import blas


def test_one_thread_whatever_the_user_had(monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    with blas.environment():
        assert {os.environ[name] for name in blas.THREADS} == {"1"}
    assert os.environ["OPENBLAS_NUM_THREADS"] == "7"


@pytest.mark.parametrize(("flags", "expected"), [(blas.AVX512 | {"sse"}, "SkylakeX"), ({"avx512f", "avx2"}, None)])
def test_kernels_follow_the_instructions(monkeypatch, flags, expected):
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    monkeypatch.setattr(blas, "cpu_flags", lambda: flags)
    assert blas.worker_environment().get("OPENBLAS_CORETYPE") == expected
    with blas.environment():
        assert os.environ.get("OPENBLAS_CORETYPE") == expected
    assert "OPENBLAS_CORETYPE" not in os.environ


def test_a_choice_of_the_user_s_is_left_alone(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setattr(blas, "cpu_flags", lambda: blas.AVX512)
    assert blas.worker_environment()["OPENBLAS_CORETYPE"] == "Haswell"


def test_flags_are_read_from_linux_s_list(monkeypatch, tmp_path):
    (tmp_path / "cpuinfo").write_text("processor : 0\nflags\t\t: fpu sse avx512f\nflags : other\n")
    monkeypatch.setattr(blas, "Path", lambda name: tmp_path / "cpuinfo")
    assert blas.cpu_flags() == {"fpu", "sse", "avx512f"}
    monkeypatch.setattr(blas, "Path", lambda name: tmp_path / "missing")
    assert blas.cpu_flags() == set()
