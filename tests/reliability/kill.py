"""Kill a small sweep again and again at random times; its records must equal those of an undisturbed sweep.

    python tests/reliability/kill.py [--faults 200] [--seed 0]

This needs `pip install -e ".[faults]"`. Each round uses a new folder. It ends when the sweep has ended by itself. The
exit code is 1 at the first broken promise.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from faults import FAULTS, Broken, Disturbed, undisturbed

from numpy_rae.storage import jsonl

SCRIPT = "fig1_relu_mnist"
SMALL = ["--preset", "tiny", "--epochs", "150", "--workers", "2", "--save-every", "0.1"]
PAUSE = 20.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=200, metavar="N", help="number of faults (default: 200)")
    parser.add_argument("--seed", type=int, default=0, metavar="K")
    args = parser.parse_args()
    rng, total, rounds, starts, begin = random.Random(args.seed), Counter(), 0, 0, time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole"
        undisturbed(SCRIPT, [*SMALL, "--out", str(whole)])
        while total.total() < args.faults:
            rounds += 1
            sweep = one_round(Path(folder) / f"round{rounds}", rng)
            try:
                check(Path(sweep.options[-1]), whole)
            except Broken as error:
                sys.exit(f"round {rounds}, after {dict(sweep.done)}: {error}\n{sweep.log.read_text()[-3000:]}")
            total += sweep.done
            starts += sweep.starts
            print(f"round {rounds}: {sweep.done.total()} faults, {sweep.starts} starts, records equal", flush=True)
    for name in FAULTS:
        print(f"{name:20} {total[name]:5}")
    print(f"{total.total()} faults, {rounds} sweeps, {starts} starts, {time.monotonic() - begin:.0f} s: "
          "no record lost, doubled or different")  # fmt: skip
    return 0


def one_round(out: Path, rng: random.Random) -> Disturbed:
    """Run one sweep under faults until it ends by itself."""
    out.mkdir()
    sweep = Disturbed(SCRIPT, [*SMALL, "--out", str(out)], out / "log", rng, PAUSE)
    try:
        sweep.run()
    except Broken as error:
        sys.exit(f"after {dict(sweep.done)}: {error}\n{sweep.log.read_text()[-3000:]}")
    return sweep


def check(out: Path, whole: Path) -> None:
    """Check that each record is there once, with the expected content, and that no other file is left.

    Raises Broken.
    """
    name = f"{SCRIPT}-tiny.jsonl"
    found, expected = jsonl.read(out / name), jsonl.read(whole / name)
    if len(found) != len({entry["hash"] for entry in found}):
        raise Broken("a run is stored twice")
    if timeless(found) != timeless(expected):
        raise Broken("the records are not those of an undisturbed sweep")
    left = {path.name for path in out.iterdir()} - {name, f"{SCRIPT}-tiny.png", "log"}
    if left:
        raise Broken(f"left behind: {', '.join(sorted(left))}")


def timeless(records: list[dict]) -> dict[str, dict]:
    """Return records by hash, without their duration and without the place and time at which they were made."""
    return {entry["hash"]: {**entry, "seconds": None, "made": None} for entry in records}


if __name__ == "__main__":
    sys.exit(main())
