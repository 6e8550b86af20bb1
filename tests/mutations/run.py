"""Plant the faults of `faults.py`, one at a time, in a scratch copy of the package, and show the test that turns red.

    python tests/mutations/run.py [--only NAME ...] [--part I/N]

`--part I/N`, I from 1 to N, takes every N-th fault from the I-th on: `--part $((10#$(date +%j) % 10 + 1))/10` is
another tenth each day. Exits 1 if a fault survives, breaks the import of its tests, or no longer fits the code.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faults import FAULTS, Fault

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("numpy_rae", "benchmarks", "data_fetch.py", "tests", "examples", "setup.cfg")
LINKED = ("docs", "README.md")
LIMIT, LIMIT_OF_ALL = 300, 3600  # seconds for the tests of one fault, and for all these tests together


def main() -> int:
    """Run the faults that the command line names; the exit code."""
    faults = chosen(arguments())
    with tempfile.TemporaryDirectory() as folder:
        scratch = copy_to(Path(folder).resolve())
        check_import(scratch)
        whole = sorted({test for fault in faults for test in fault.tests})
        if red := first_red(scratch, whole, LIMIT_OF_ALL):
            sys.exit(f"without any fault the tests are red already: {red}")
        start, failures = time.perf_counter(), 0
        for fault in faults:
            red = seen_by(scratch, fault)
            failures += not red.startswith("tests/")
            print(f"{fault.name:28} {fault.of:34} {red}", flush=True)
    print(f"{len(faults)} faults, {failures} not turned red, {time.perf_counter() - start:.0f} s")
    return 1 if failures else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=[fault.name for fault in FAULTS])
    parser.add_argument("--part", metavar="I/N", type=part, default=(1, 1))
    return parser.parse_args()


def part(text: str) -> tuple[int, int]:
    """'I/N' as numbers, 1 <= I <= N."""
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise argparse.ArgumentTypeError(f"part is {text!r}; it must be I/N with 1 <= I <= N")
    return int(match[1]), int(match[2])


def chosen(options: argparse.Namespace) -> list[Fault]:
    first, step = options.part
    return [fault for fault in FAULTS if not options.only or fault.name in options.only][first - 1 :: step]


def copy_to(scratch: Path) -> Path:
    """Copy what faults change, without caches, and link what tests read only: pages and records."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, scratch / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, scratch / name)
    for name in LINKED:
        (scratch / name).symlink_to(ROOT / name)
    return scratch


def python(scratch: Path, *arguments: str, limit: float = LIMIT) -> subprocess.CompletedProcess:
    """Run Python in the scratch copy, its package first on the path, for at most `limit` seconds."""
    # No bytecode: a fault that keeps a file's length and second would be run from the cache of the one before.
    env = os.environ | {"PYTHONPATH": str(scratch), "PYTHONDONTWRITEBYTECODE": "1", "CI": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=scratch, env=env, capture_output=True, text=True, timeout=limit)


def check_import(scratch: Path) -> None:
    """End with a message unless the package under test is the scratch copy, not an installed one."""
    done = python(scratch, "-c", "import numpy_rae; print(numpy_rae.__file__)")
    expected = scratch / "numpy_rae" / "__init__.py"
    if done.stdout.strip() != str(expected):
        sys.exit(f"the tests would import {done.stdout.strip() or done.stderr}, not the scratch copy {expected}")


def seen_by(scratch: Path, fault: Fault) -> str:
    """The first test that turns red, which begins with 'tests/', or what is wrong."""
    try:
        with planted(scratch / fault.file, fault):
            return first_red(scratch, fault.tests) or f"SURVIVED {' '.join(fault.tests)}"
    except ValueError as error:
        return f"MOVED ON {error}"
    except subprocess.TimeoutExpired:
        return f"NOT ENDED within {LIMIT} s"


@contextmanager
def planted(path: Path, fault: Fault) -> Iterator[None]:
    """The file with the fault in it, and as it was afterwards."""
    text = path.read_text(encoding="utf-8")
    path.write_text(fault.planted(text), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(text, encoding="utf-8")


def first_red(scratch: Path, tests: list[str] | tuple[str, ...], limit: float = LIMIT) -> str:
    """The first failing test among these files, '' if all pass, or pytest's complaint if they cannot be run."""
    files = [f"tests/{name}" for name in tests]
    done = python(scratch, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--tb=no", "-rfE", *files, limit=limit)
    if done.returncode == 0:
        return ""
    red = re.search(r"^FAILED (\S+)", done.stdout, re.MULTILINE)
    return red[1] if done.returncode == 1 and red else f"CANNOT BE RUN {(done.stdout + done.stderr).strip()[-500:]}"


if __name__ == "__main__":
    sys.exit(main())
