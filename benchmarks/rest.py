"""What a step costs when units are dead: with their velocities at rest, and with subnormal ones (`optimizer.flush_subnormals`).

OPENBLAS_NUM_THREADS=1 python benchmarks/rest.py
"""

import time

import numpy as np

from numpy_rae.activations import RELU
from numpy_rae.autoencoder import Params, init_params
from numpy_rae.registry import OBJECTIVES
from numpy_rae.training import TrainConfig, update

STEPS, ROUNDS = 20, 5
CONFIG = TrainConfig(sigma2=0.25)
# Bias of every unit, and the entries of the velocity.
CASES = {"alive": (0.0, 0.0), "dead, at rest": (-100.0, 0.0), "dead, subnormal": (-100.0, 4e-45)}


def milliseconds(bias: float, entry: float) -> float:
    """A CAE step's, 1,000 units on 192 inputs in float32, batch 50."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((50, 192), dtype=np.float32)
    params = init_params(1000, 192, rng)
    params.b_e[:] = bias
    velocity = Params(np.full_like(params.W, entry), np.full_like(params.b_e, entry))
    start = time.perf_counter()
    for _ in range(STEPS):
        _, grad = OBJECTIVES["CAE"](params, RELU, x, CONFIG.sigma2, rng)
        update(params, velocity, grad, CONFIG)
    return (time.perf_counter() - start) / STEPS * 1e3


seen = {name: [] for name in CASES}
for _ in range(ROUNDS):
    for name, case in CASES.items():
        seen[name].append(milliseconds(*case))
first = np.median(seen["alive"])
for name, values in seen.items():
    print(f"{name:16} {np.median(values):6.2f} ms a step, {np.median(values) / first:.2f} of alive")
