"""Where and with what a record was made: date, processor, BLAS kernel, versions."""

import datetime
import importlib.metadata
import platform
from functools import cache
from pathlib import Path

from threadpoolctl import threadpool_info

from numpy_rae.training import NUMERICS


def versions() -> dict[str, str | int]:
    """Return the versions of what determines the numbers.

    Returns
    -------
    dict
        "python", "numpy-rae", "numpy", "scipy" and "numerics", the version of the training step's arithmetic. Records
        without "numerics" were made with version 1 of it.
    """
    found = {name: importlib.metadata.version(name) for name in ("numpy-rae", "numpy", "scipy")}
    return {"python": platform.python_version(), **found, "numerics": NUMERICS}


def made() -> dict[str, str]:
    """Return the date of today (UTC), the processor's name and the BLAS kernels in use.

    Returns
    -------
    dict
        "date" as YYYY-MM-DD, "processor", and "blas", such as "openblas 0.3.30 SkylakeX".
    """
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return {"date": today, "processor": processor(), "blas": blas()}


@cache
def processor() -> str:
    """Return the processor's name as the operating system tells it.

    Returns
    -------
    str
        The name, or the machine's architecture if it has none.
    """
    return _cpuinfo("model name") or platform.processor() or platform.machine()


@cache
def processor_flags() -> frozenset[str]:
    """Return the processor's instruction sets as Linux names them.

    Returns
    -------
    frozenset of str
        Such as "avx2". Empty on systems other than Linux.
    """
    return frozenset(_cpuinfo("flags").split())


@cache
def blas() -> str:
    """Return the BLAS libraries that NumPy and SciPy have loaded, with their kernels.

    Returns
    -------
    str
        Name, version and kernel of each, once.
    """
    found = (
        " ".join(str(info[key]) for key in ("internal_api", "version", "architecture") if info.get(key))
        for info in threadpool_info()
        if info["user_api"] == "blas"
    )
    return ", ".join(sorted(set(found))) or "unknown"


def _cpuinfo(name: str) -> str:
    """Return the first value of this name in /proc/cpuinfo, "" if there is none."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), "")
