"""Time a step with dead units, whose velocities are 0 or subnormal.

    OPENBLAS_NUM_THREADS=1 python benchmarks/rest.py

Steps with subnormal velocities are slow on some processors. `optimizer.flush_subnormals` avoids them. The objective is
CAE, with 1,000 units, 192 inputs, float32 and a batch of 50.
"""

import time

import numpy as np

from numpy_rae.activations import RELU
from numpy_rae.autoencoder import Params, init_params
from numpy_rae.registry import OBJECTIVES
from numpy_rae.train_config import TrainConfig
from numpy_rae.training import update

STEPS, ROUNDS = 20, 5
CONFIG = TrainConfig(sigma2=0.25)
# The bias of every unit, and every entry of the velocity.
CASES = {"alive": (0.0, 0.0), "dead, at rest": (-100.0, 0.0), "dead, subnormal": (-100.0, 4e-45)}


def milliseconds(bias: float, entry: float) -> float:
    """Return the mean time of a step."""
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
    print(f"{name:16} {np.median(values):6.2f} ms per step, {np.median(values) / first:.2f} of alive")
