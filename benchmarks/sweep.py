"""Time a whole sweep: updates per second, parallel efficiency, start-up, memory, and the growth of the cost.

    python benchmarks/sweep.py [--out results] [--quick]

The runs are those of the default preset of Figure 1. Efficiency compares one worker with all workers on the same runs,
in the order one, all, one. Memory is the private memory of a worker (USS, which needs psutil) while it trains on
50,000 x 784 float32 values that are mapped from a file.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from numpy_rae.activations import RELU
from numpy_rae.autoencoder import init_params
from numpy_rae.data import data_spec, prepared, preprocessing
from numpy_rae.experiments import command_line, protocol, sweep
from numpy_rae.experiments.local_pool import local_pool
from numpy_rae.experiments.run import Run
from numpy_rae.optimizer import zero_velocity
from numpy_rae.registry import OBJECTIVES
from numpy_rae.train_config import TrainConfig
from numpy_rae.training import train, update

PAPER_ROWS = 50_000
LADDERS = {"n": (98, 196, 392, 784, 1568), "m": (250, 500, 1000, 2000, 4000), "batch": (25, 50, 100, 200, 400)}
WARM_UP = 200
BASE = {"n": 784, "m": 1000, "batch": 50}


def figure_1(quick):
    """Return the runs of the default preset."""
    data = prepared.prepare(data_spec.DataSpec("digits", protocol.EMBEDDED, preprocessing.MNIST_STD_OFFSET))
    sigma2, epochs = (protocol.SIGMA2[::4], 2) if quick else (protocol.SIGMA2, 10)
    configs = [TrainConfig(s, epochs=epochs) for s in sigma2]
    return [Run(OBJECTIVES[name], RELU, data, c) for c in configs for name in ("DAE", "CAE", "mDAE", "SAE")]


def throughput(runs, workers):
    """Return updates per second and seconds of the runs on a new pool without its start-up, and its start-up time."""
    with tempfile.TemporaryDirectory() as folder, local_pool(workers) as pool:
        begin = time.perf_counter()
        list(pool.map(time.sleep, [0.2] * workers))
        started = time.perf_counter()
        records = list(sweep.sweep(runs, pool, Path(folder) / "r.jsonl"))
        seconds = time.perf_counter() - started
    return sum(r["steps"] for r in records) / seconds, seconds, started - begin - 0.2


def memory(workers):
    """Return the private memory of every worker at the paper's size, in MB."""
    x = np.random.default_rng(0).standard_normal((PAPER_ROWS, 784), dtype=np.float32)
    ref = prepared.store_array(x, data_spec.DataSpec("mnist", PAPER_ROWS))
    with local_pool(workers) as pool:
        return list(pool.map(own_memory, [ref] * workers))


def own_memory(ref):
    """Return the private memory of this worker in MB, after it has read the mapped data in random batches."""
    import psutil

    x = prepared.load(ref)
    order = np.random.default_rng(0).permutation(len(x))
    params = init_params(1000, x.shape[1], np.random.default_rng(0))
    velocity, config, rng = zero_velocity(params), TrainConfig(sigma2=0.25), np.random.default_rng(0)
    for start in range(0, len(x), 500):
        _, grad = OBJECTIVES["CAE"](params, RELU, x[order[start : start + 50]], 0.25, rng)
        update(params, velocity, grad, config)
    return psutil.Process().memory_full_info().uss / 1e6


def step_ms(n, m, batch, steps=60):
    """Return the median time of one CAE step at this size in milliseconds. It is called in a worker."""
    rng = np.random.default_rng(0)
    params = init_params(m, n, rng)
    velocity, config = zero_velocity(params), TrainConfig(sigma2=0.25)
    x, times = rng.standard_normal((batch, n), dtype=np.float32), []
    for _ in range(steps + WARM_UP):
        start = time.perf_counter()
        update(params, velocity, OBJECTIVES["CAE"](params, RELU, x, 0.25, rng)[1], config)
        times.append(time.perf_counter() - start)
    return 1e3 * float(np.median(times[WARM_UP:]))


def epoch_seconds(N):
    """Return the seconds per epoch over N samples. It is called in a worker."""
    x = np.random.default_rng(0).standard_normal((N, 196), dtype=np.float32)
    return train(x, OBJECTIVES["CAE"], RELU, TrainConfig(sigma2=0.25, hidden=250, epochs=1)).seconds


def runs_seconds(counts, workers):
    """Yield the time of a sweep for each number of equal runs in seconds, on one pool and without its start-up."""
    data = prepared.prepare(data_spec.DataSpec("digits", 1000, preprocessing.MNIST_STD_OFFSET))
    with tempfile.TemporaryDirectory() as folder, local_pool(workers) as pool:
        list(pool.map(time.sleep, [0.2] * workers))
        for count in counts:
            configs = [TrainConfig(0.25, seed, hidden=500, epochs=10) for seed in range(count)]
            begin = time.perf_counter()
            runs = (Run(OBJECTIVES["CAE"], RELU, data, config) for config in configs)
            list(sweep.sweep(runs, pool, Path(folder) / f"{count}.jsonl"))
            yield time.perf_counter() - begin


def growth(workers):
    """Return the log-log slope of the cost along each size. The other sizes are those of the paper."""
    with local_pool(1) as pool:
        lines = {
            name: (sizes, [pool.submit(step_ms, **{**BASE, name: size}).result() for size in sizes])
            for name, sizes in LADDERS.items()
        }
        N = (2000, 4000, 8000, 16000)
        counts = [workers * k for k in (2, 4, 8, 16)]
        lines["runs"] = (counts, [1e3 * seconds for seconds in runs_seconds(counts, workers)])
        lines["N (an epoch)"] = (N, [pool.submit(epoch_seconds, size).result() * 1e3 for size in N])
    return {
        name: (sizes, ms, float(np.polyfit(np.log(sizes), np.log(ms), 1)[0])) for name, (sizes, ms) in lines.items()
    }


def main():
    """Run the benchmark, print its numbers and write its record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=command_line.user_path, default=Path("results"))
    parser.add_argument("--quick", action="store_true", help="a quarter of the runs, a fifth of their length")
    args = parser.parse_args()
    workers, found = command_line.cores(), {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NUMPY_RAE_DATA"] = folder
        runs = figure_1(args.quick)
        for label, count in (("one worker", 1), ("all workers", workers), ("one worker again", 1)):
            rate, seconds, started = found[label] = throughput(runs, count)
            print(f"{label} ({count}): {rate:.0f} updates/s, {seconds:.1f} s, start-up {started:.2f} s", flush=True)
        one = (found["one worker"][0] + found["one worker again"][0]) / 2
        found["efficiency"] = found["all workers"][0] / one
        print(f"{workers} workers against one: {found['efficiency']:.2f}")
        found["uss_mb"] = memory(workers)
        print(
            f"private memory of each worker at {PAPER_ROWS:,} x 784 float32: {[round(v) for v in found['uss_mb']]} MB"
        )
        found["growth"] = growth(workers)
    for name, (sizes, ms, slope) in found["growth"].items():
        print(f"{name:14s} slope {slope:.2f}: " + ", ".join(f"{s}: {t:.2f} ms" for s, t in zip(sizes, ms, strict=True)))
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "sweep.json").write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    sys.exit(main())
