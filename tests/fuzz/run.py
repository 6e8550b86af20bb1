"""Fuzz the file readers with atheris (`pip install -e ".[fuzz]"`), with limits on time and memory.

    python tests/fuzz/run.py [--seconds 60] [--readers NAME ...] [--keep FOLDER]

A reader fails if it raises an exception that is not the documented one, if an input takes more than 10 s, or if it uses
more than 1 GB. The folder then holds the input that failed, beside the corpus. The script prints a Markdown table and
exits with code 1 if a reader failed.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from readers import READERS  # noqa: E402

MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None
LIMITS = ("-timeout=10", "-rss_limit_mb=1024", "-max_len=65536")


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seconds", type=int, default=60, metavar="S", help="seconds for each reader (default: 60)")
    p.add_argument("--readers", nargs="+", default=list(READERS), choices=READERS, metavar="NAME")
    p.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="folder of the corpus and the failures (default: a temporary one)"
    )
    args = p.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        failures, folder = 0, (args.keep or Path(temporary)).resolve()
        print("| reader | executions | seconds | verdict |\n|---|---|---|---|")
        for name in args.readers:
            runs, seconds, verdict = fuzz(name, folder / name, args.seconds)
            failures += verdict != "ok"
            print(f"| `{name}` | {runs} | {seconds} | {verdict} |", flush=True)
    return 1 if failures else 0


def fuzz(name: str, folder: Path, seconds: int) -> tuple[str, str, str]:
    """Fuzz one reader. Return the number of executions, the seconds, and "ok" or the folder of the failure."""
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(READERS[name].whole):
        (corpus / f"whole-{number}").write_bytes(content)
    command = [sys.executable, Path(__file__).with_name("harness.py"), name, *LIMITS, f"-max_total_time={seconds}"]
    command += [f"-artifact_prefix={folder}/", corpus]
    with tempfile.TemporaryDirectory(dir=MEMORY) as scratch:
        env = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "TMPDIR": scratch}
        output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
        done = subprocess.run(command, env=env, **output)
    (folder / "log").write_text(done.stdout)
    end = re.search(r"Done (\d+) runs in (\d+) second", done.stdout)
    if done.returncode == 0 and end:
        return end[1], end[2], "ok"
    print(done.stdout[-3000:], file=sys.stderr)
    return "-", "-", f"FAILED, see {folder}"


if __name__ == "__main__":
    sys.exit(main())
