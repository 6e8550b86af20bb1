"""Estimate which of two runs takes longer, before any of them is trained."""

from numpy_rae.objectives import Objective
from numpy_rae.train_config import TrainConfig

# Duration of a step, divided by the duration for the plain auto-encoder. It was measured with ReLU, 784 inputs, 1,000
# hidden units and batches of 50. Values close to 1 are set to 1, so that these models start in the given order.
STEP_COSTS = {
    "CAE+H": 1.2,
    "smoothed-mDAE": 1.3,
    "expected-DAE": 1.4,
    "antithetic": 1.5,
    "2-copies": 1.5,
    "eDAE": 1.5,
    "8-copies": 6.0,
    "taylor_dae": 6.0,
    "expected-DAE+cov": 8.0,
    "32-copies": 30.0,
}


def relative_cost(model: Objective, config: TrainConfig, samples: int, features: int) -> float:
    """Return a number that is about proportional to the duration of a run. It is used to compare runs.

    Parameters
    ----------
    model : Objective
        Objective. A model that is not in `STEP_COSTS` has the step cost of the plain auto-encoder.
    config : TrainConfig
        Its configuration.
    samples, features : int
        Shape of the data.

    Returns
    -------
    float
        Samples per epoch, times epochs, times the number of weights, times the step cost of the model.
    """
    return config.epochs * samples * config.hidden * features * STEP_COSTS.get(model.name, 1.0)
