"""Run a small sweep under bad conditions, then under good ones; its records must equal those of an undisturbed sweep.

    python tests/reliability/surroundings.py [--trials 10] [--seed 0] [--only NAME ...]

This needs Linux and root, because it mounts a small tmpfs. `jumping_clock` needs Debian's package faketime. The exit
code is 1 at the first broken promise.
"""

import argparse
import contextlib
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
from faults import EXAMPLES, INTERRUPTED, LOST, Broken, undisturbed, workers
from kill import SCRIPT, check

from numpy_rae.storage import jsonl

SWEEP = ["--preset", "tiny", "--epochs", "60", "--workers", "2", "--save-every", "0.1"]
RESULTS = f"{SCRIPT}-tiny.jsonl"
BAD_INPUT, LIMIT, WAIT = 2, 300, 40.0
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")


def start(out: Path, **options) -> subprocess.Popen:
    command = [sys.executable, str(EXAMPLES / f"{SCRIPT}.py"), *SWEEP, "--out", str(out)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def ended(process: subprocess.Popen, codes: set[int]) -> tuple[int, str]:
    """Return the exit code, which must be one of `codes`, and the text of stderr, which must have no traceback.

    Raises Broken.
    """
    said = process.communicate(timeout=LIMIT)[1]
    if process.returncode not in codes or "Traceback" in said:
        raise Broken(f"exit code {process.returncode}, expected {codes}; said: {said[-2000:]}")
    return process.returncode, said


@contextlib.contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Callable[[str], None]]:
    """Mount a tmpfs of `size` bytes at `folder`. Yield a function that mounts it again with other options."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True)
    try:
        yield lambda options: subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def wait_for_records(out: Path, count: int, process: subprocess.Popen) -> None:
    while process.poll() is None and len(jsonl.read(out / RESULTS)) < count:
        time.sleep(0.02)


def full_disk(out: Path, rng: random.Random, whole: Path) -> str:
    """The disk becomes full while a record, a checkpoint or the picture is written. Then it gets more space."""
    size = rng.randrange(4096, 500_000)
    with small_disk(out, size) as remount:
        code, said = ended(start(out), {0, BAD_INPUT})
        if code and "cannot be written: No space left on device" not in said:
            raise Broken(f"on a full disk: {said}")
        before = jsonl.read(out / RESULTS)
        remount("size=64M")
        ended(start(out), {0})
        check(out, whole)
        return f"{size} bytes: exit code {code}, {len(before)} of 13 records kept"


def read_only(out: Path, rng: random.Random, whole: Path) -> str:
    """The folder and the results file become immutable, also for root, while the sweep runs.

    Then they are writable again.
    """
    out.mkdir()
    process = start(out)
    wait_for_records(out, rng.randrange(1, 12), process)
    immutable = [str(out), str(out / RESULTS)]
    subprocess.run(["chattr", "+i", *immutable], check=True)
    try:
        code, said = ended(process, {0, BAD_INPUT})
        if code and "cannot be written: Operation not permitted" not in said:
            raise Broken(f"in a read-only folder: {said}")
        before = jsonl.read(out / RESULTS)
    finally:
        subprocess.run(["chattr", "-i", *immutable], check=True)
    ended(start(out), {0})
    check(out, whole)
    return f"exit code {code}, {len(before)} of 13 records kept"


def two_at_once(out: Path, rng: random.Random, whole: Path) -> str:
    """Two sweeps use one results file.

    One of them must do the work. The other must be refused, or find the work done.
    """
    out.mkdir()
    first = start(out)
    time.sleep(rng.random() * 3)
    second = start(out)
    codes = [ended(process, {0, BAD_INPUT}) for process in (first, second)]
    for code, said in codes:
        if code and "is in use by another sweep" not in said:
            raise Broken(said)
    if all(code for code, _ in codes):
        raise Broken("both were refused")
    check(out, whole)
    return f"exit codes {[code for code, _ in codes]}"


def little_memory(out: Path, rng: random.Random, whole: Path) -> str:
    """The workers' address space is limited to a random size near the size that they need. Then the limit is removed.

    OpenBLAS can wait for memory without end. So a sweep is interrupted if it has not ended after WAIT seconds.
    """
    out.mkdir()
    limit = rng.randrange(100, 450) << 20
    process = start(out, start_new_session=True)
    parent = psutil.Process(process.pid)
    reader = threading.Thread(target=process.communicate)
    reader.start()
    patience = time.monotonic() + WAIT
    while process.poll() is None:
        for worker in workers(parent):
            with contextlib.suppress(psutil.Error):
                worker.rlimit(psutil.RLIMIT_AS, (limit, limit))
        time.sleep(0.02)
        if time.monotonic() > patience:
            process.terminate()
            patience += WAIT
    reader.join()
    kept = len(jsonl.read(out / RESULTS))
    if process.returncode not in (0, LOST, INTERRUPTED) or (process.returncode == 0) != (kept == 13):
        raise Broken(f"{limit >> 20} MB: exit code {process.returncode}, {kept} records")
    ended(start(out), {0})
    check(out, whole)
    return f"{limit >> 20} MB: exit code {process.returncode}, {kept} of 13 records kept"


def jumping_clock(out: Path, rng: random.Random, whole: Path) -> str:
    """The wall clock jumps by up to a year, forwards or backwards, several times per second."""
    out.mkdir()
    moment = out.parent / "moment"
    moment.write_text("+0")
    fake = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(moment),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    process, jumps = start(out, env=os.environ | fake), 0
    while process.poll() is None:
        time.sleep(0.2)
        moment.write_text(f"{rng.choice('+-')}{rng.randrange(1, 365)}d")
        jumps += 1
    ended(process, {0})
    if any(not 0 <= entry["seconds"] < LIMIT for entry in jsonl.read(out / RESULTS)):
        raise Broken("a record's duration follows the wall clock")
    check(out, whole)
    return f"{jumps} jumps"


def cut_file(out: Path, rng: random.Random, whole: Path) -> str:
    """The results file is cut at every byte of its last line.

    Only that record may be lost, and it must be restored in place.
    """
    out.mkdir()
    content = b"".join((whole / RESULTS).read_bytes().splitlines(keepends=True)[-2:])
    begin, last = content.find(b"\n") + 1, jsonl.read(whole / RESULTS)[-1]
    for cut in range(begin, len(content)):
        (out / RESULTS).write_bytes(content[:cut])
        if len(jsonl.read(out / RESULTS)) != 1:
            raise Broken(f"cut at byte {cut} of {len(content)}: another record was lost")
        jsonl.append(out / RESULTS, last)
        if (out / RESULTS).read_bytes() != content:
            raise Broken(f"cut at byte {cut} of {len(content)}: not repaired")
    return f"{len(content) - begin} cuts"


TRIALS = {f.__name__: f for f in (full_disk, read_only, two_at_once, little_memory, jumping_clock, cut_file)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--trials", type=int, default=10, metavar="N", help="number of each kind (default: 10; cut_file: 1)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="K")
    parser.add_argument("--only", nargs="+", choices=TRIALS, default=list(TRIALS))
    args = parser.parse_args()
    rng = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole"
        undisturbed(SCRIPT, [*SWEEP, "--out", str(whole)])
        for name in args.only:
            for k in range(1 if name == "cut_file" else args.trials):
                try:
                    seen = TRIALS[name](Path(folder) / f"{name}{k}", rng, whole)
                except Broken as error:
                    sys.exit(f"{name}, trial {k + 1}: {error}")
                print(f"{name} {k + 1}: {seen}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
