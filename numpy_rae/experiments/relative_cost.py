"""Which of two runs takes longer, known before any of them is trained."""

from numpy_rae.objectives import Objective
from numpy_rae.train_config import TrainConfig

# Duration of a step over that of the plain auto-encoder, measured with ReLU, 784 inputs, 1,000 hidden units and batches
# of 50. Models that are close to 1 count as 1, so that they start in the order in which they are listed.
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
    """Return about how long a run takes, in units that only a comparison with other runs gives a meaning.

    Parameters
    ----------
    model : Objective
        What is minimised. The step of a model that is not in `STEP_COSTS` counts like the plain auto-encoder's.
    config : TrainConfig
        Its configuration.
    samples, features : int
        Shape of the data.

    Returns
    -------
    float
        Number of samples trained on, times the size of W, times the cost of the model's step.
    """
    return config.epochs * samples * config.hidden * features * STEP_COSTS.get(model.name, 1.0)
