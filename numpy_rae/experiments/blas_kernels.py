"""Detect an environment variable that makes BLAS use narrower vectors than the processor has."""

import os
import platform
from collections.abc import Mapping

from threadpoolctl import threadpool_info

from numpy_rae.experiments.provenance import blas, processor_flags

# The variables that choose the kernels of OpenBLAS, MKL (two) and BLIS.
VARIABLES = ("OPENBLAS_CORETYPE", "MKL_ENABLE_INSTRUCTIONS", "MKL_DEBUG_CPU_TYPE", "BLIS_ARCH_TYPE")
# Vector width in bits by instruction set, with the names of Linux.
PROCESSOR_BITS = {"avx512f": 512, "avx2": 256, "avx": 256, "sse2": 128}
# Vector width in bits by kernel, with the names of OpenBLAS and BLIS. Every other kernel for x86 has at most 128 bits.
KERNEL_BITS = {
    **dict.fromkeys(("skylakex", "cooperlake", "sapphirerapids", "skx", "knl", "zen4", "zen5"), 512),
    **dict.fromkeys(("haswell", "zen", "zen2", "zen3", "excavator", "sandybridge", "bulldozer", "piledriver"), 256),
    **dict.fromkeys(("steamroller",), 256),
}
# MKL does not report its kernel, so the width is taken from its variables.
MKL_BITS = {
    "MKL_ENABLE_INSTRUCTIONS": {"AVX512": 512, "AVX2": 256, "AVX": 256, "SSE4_2": 128},
    "MKL_DEBUG_CPU_TYPE": {"7": 512, "6": 512, "5": 256, "4": 256, "3": 128, "2": 128, "1": 128, "0": 128},
}


def narrow_kernels_note(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return a message if a variable forces narrower BLAS kernels than the processor supports.

    Parameters
    ----------
    environ : mapping, optional
        The environment variables.

    Returns
    -------
    str or None
        The variable, its value, the kernel in use, and what to do. None if no variable of `VARIABLES` is set, if the
        kernels are as wide as the processor's vectors, or if the widths are unknown.
    """
    given = [name for name in VARIABLES if environ.get(name)]
    offered = _offered_bits()
    used = _used_bits(environ) if given and offered else None
    if used is None or offered is None or used >= offered:
        return None
    setting = ", ".join(f"{name}={environ[name]}" for name in given)
    return (
        f"{setting} makes BLAS use {used}-bit kernels ({blas()}), but the processor has {offered}-bit vectors; "
        "without this variable the runs are faster"
    )


def _offered_bits() -> int | None:
    """Return the largest vector width of the processor. None if it is not an x86 or its flags cannot be read."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return None
    return max((PROCESSOR_BITS.get(flag, 0) for flag in processor_flags()), default=0) or None


def _used_bits(environ: Mapping[str, str]) -> int | None:
    """Return the vector width of the narrowest kernel in use. None if it is unknown for every library."""
    found = [_library_bits(info, environ) for info in threadpool_info() if info["user_api"] == "blas"]
    return min((bits for bits in found if bits is not None), default=None)


def _library_bits(info: Mapping[str, object], environ: Mapping[str, str]) -> int | None:
    """Return the vector width of one library's kernels."""
    if info["internal_api"] == "mkl":
        return next((bits[environ[name]] for name, bits in MKL_BITS.items() if environ.get(name) in bits), None)
    kernel = info.get("architecture")
    return KERNEL_BITS.get(str(kernel).lower(), 128) if kernel else None
