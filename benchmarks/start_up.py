"""Time the start of a job: from the command to the first gradient in a worker.

    python benchmarks/start_up.py [--rounds 9]

The job is `python examples/fig1_relu_mnist.py` with two workers. Its data are prepared before the first round. In each
round a new process runs the code of the script, with a DAE that writes down the time at which it is called. Then the
process is stopped.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from numpy_rae.experiments import figure_script
from numpy_rae.experiments.protocol import PROTOCOLS
from numpy_rae.objectives import Objective, dae
from numpy_rae.registry import OBJECTIVES

PATIENCE = 60.0


def seconds(folder: Path) -> float:
    """Start a job and return the time until its first gradient."""
    stamp = folder / "first"
    start = time.time()
    command = [sys.executable, __file__, "--job", str(stamp)]
    job = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        while not (stamp.exists() and stamp.stat().st_size):
            if job.poll() is not None or time.time() > start + PATIENCE:
                sys.exit("the job ended, or hung, before its first gradient")
            time.sleep(0.005)
    finally:
        os.killpg(job.pid, signal.SIGKILL)
        job.wait()
    return float(stamp.read_text().split()[0]) - start


def job(stamp: Path) -> None:
    """Run the script with a DAE that appends the time of its first call to a file."""

    def stamped(*given):
        if not stamp.exists():
            with stamp.open("a") as file:
                file.write(f"{time.time()}\n")
        return dae(*given)

    # With a version, the main process does not call the objective to identify the run.
    OBJECTIVES["DAE"] = Objective("DAE", stamped, version=1)
    options = ["--workers", "2", "--models", "DAE", "--out", str(stamp.parent)]
    sys.exit(figure_script.main(PROTOCOLS["fig1_relu_mnist"], options))


def main() -> None:
    """Print the times of the rounds and their median."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--job", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.job:
        job(args.job)
    found = []
    for k in range(args.rounds + 1):
        with tempfile.TemporaryDirectory() as folder:
            found.append(seconds(Path(folder)))
        print(f"{'first start' if k == 0 else k}: {found[-1]:.2f} s", flush=True)
    print(f"median without the first start: {np.median(found[1:]):.2f} s, largest {max(found[1:]):.2f} s")


if __name__ == "__main__":
    main()
