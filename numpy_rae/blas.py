"""The environment that a worker's BLAS must find before NumPy is imported: it cannot be changed afterwards."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
AVX512 = {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}


def worker_environment() -> dict[str, str]:
    """One thread, so that results do not depend on the number of workers; and OpenBLAS's AVX-512 kernels.

    OpenBLAS chooses its kernels by the processor's name and falls back to AVX2 for names it does not know; the
    instructions themselves say what will run. A choice of the user's is left alone.
    """
    kernels = {"OPENBLAS_CORETYPE": "SkylakeX"} if cpu_flags() >= AVX512 else {}
    chosen = {name: os.environ[name] for name in kernels if name in os.environ}
    return dict.fromkeys(THREADS, "1") | kernels | chosen


def cpu_flags() -> set[str]:
    """Instruction sets of the processor, as Linux lists them; empty elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return set()
    return set(next((line.split(":")[1] for line in lines if line.startswith("flags")), "").split())


@contextmanager
def environment() -> Iterator[None]:
    """`worker_environment` in force for the processes started meanwhile."""
    wanted = worker_environment()
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
