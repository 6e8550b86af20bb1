"""The origin of a record: date, processor, BLAS kernel, versions."""

import datetime
import importlib
import importlib.metadata
import platform
from functools import cache
from pathlib import Path

from threadpoolctl import threadpool_info

from numpy_rae.training import NUMERICS


def versions() -> dict[str, str | int]:
    """Return the versions of the software that determines the numbers.

    Returns
    -------
    dict
        "python", "numpy-rae", "numpy", "scipy" and "numerics". The last is the version of the arithmetic of a training
        step. Records without "numerics" were made with version 1.
    """
    found = {name: importlib.metadata.version(name) for name in ("numpy-rae", "numpy", "scipy")}
    return {"python": platform.python_version(), **found, "numerics": NUMERICS}


def made() -> dict[str, str]:
    """Return today's date (UTC), the processor's name and the BLAS kernels in use.

    Returns
    -------
    dict
        "date" as YYYY-MM-DD, "processor", and "blas", such as "openblas 0.3.30 SkylakeX".
    """
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return {"date": today, "processor": processor(), "blas": blas()}


@cache
def processor() -> str:
    """Return the processor's name from the operating system.

    Returns
    -------
    str
        The name, or the machine's architecture if there is no name.
    """
    return _cpuinfo("model name") or platform.processor() or platform.machine()


@cache
def processor_flags() -> frozenset[str]:
    """Return the processor's instruction sets with the names of Linux.

    Returns
    -------
    frozenset of str
        Names such as "avx2". Empty on systems other than Linux.
    """
    return frozenset(_cpuinfo("flags").split())


@cache
def blas() -> str:
    """Return the BLAS libraries of NumPy and SciPy, with their kernels.

    Returns
    -------
    str
        Name, version and kernel of each library, without duplicates.
    """
    importlib.import_module("scipy.linalg")  # loads SciPy's library, so that the text never depends on earlier imports
    found = (
        " ".join(str(info[key]) for key in ("internal_api", "version", "architecture") if info.get(key))
        for info in threadpool_info()
        if info["user_api"] == "blas"
    )
    return ", ".join(sorted(set(found))) or "unknown"


def _cpuinfo(name: str) -> str:
    """Return the first value with this name in /proc/cpuinfo, or "" if no line has the name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), "")
