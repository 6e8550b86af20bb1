"""A worker's BLAS has one thread, and the user's own environment comes back."""

import os

from numpy_rae import blas


def test_one_thread_meanwhile_and_the_user_s_own_afterwards(monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    before = dict(os.environ)
    with blas.one_thread():
        assert {os.environ[name] for name in blas.ONE_THREAD} == {"1"}
    assert dict(os.environ) == before
