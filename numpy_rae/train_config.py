"""The configuration of one training run: its numbers, with the defaults of Sec. 3."""

from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from numpy_rae import _validation, constraints, velocity_rules

DTYPES = ("float32", "float64")
STARTS = ("glorot", "unit")
# Fields that older records do not have. They are left out of a run's description if they have their default value.
LATER = ("velocity", "start")


@dataclass(frozen=True)
class TrainConfig:
    """Hold the numbers of one run, with the defaults of Sec. 3, and check each of them.

    Attributes
    ----------
    sigma2 : float
        Regularisation coefficient, at least 0: lambda for the penalised objectives, the variance of the noise for DAE
        and eDAE.
    seed : int
        Seed of the three random streams, at least 0.
    hidden : int
        Number of hidden units m.
    batch_size : int
        Samples per update.
    epochs : int
        Passes over the data.
    eta : float
        Learning rate, positive.
    momentum : float
        Momentum coefficient, in [0, 1].
    constraint : str
        Constraint on the rows of W after each update: "unit", "max-norm" or "free".
    radius : float
        Largest row length with the constraint "max-norm". The others do not use it.
    tangent : bool
        Whether the part of the gradient along each row of W is removed.
    dtype : str
        "float32" or "float64". The data must have this dtype.
    velocity : str
        Rule for the velocity's part along the rows, a name in `velocity_rules.VELOCITY_RULES`.
    start : str
        With "unit", the rows of the Glorot initialisation are scaled to length 1 before the first update. With
        "glorot", they are not scaled, and the constraint is first applied after the first update.

    Raises
    ------
    ValueError
        If a value is outside its range.
    """

    sigma2: float = 0.0
    seed: int = 0
    hidden: int = 1000
    batch_size: int = 50
    epochs: int = 50
    eta: float = 0.001
    momentum: float = 0.9
    constraint: str = "unit"
    radius: float = 1.0
    tangent: bool = False
    dtype: str = "float32"
    velocity: str = "classical"
    start: str = "glorot"

    def __post_init__(self) -> None:
        _validation.number("sigma2", self.sigma2)
        _validation.integer("seed", self.seed, low=0)
        for name in ("hidden", "batch_size", "epochs"):
            _validation.integer(name, getattr(self, name))
        _validation.number("eta", self.eta, open_low=True)
        _validation.number("momentum", self.momentum, high=1)
        _validation.one_of("constraint", self.constraint, constraints.CONSTRAINTS)
        _validation.number("radius", self.radius, open_low=True)
        _validation.one_of("dtype", self.dtype, DTYPES)
        _validation.one_of("velocity", self.velocity, velocity_rules.VELOCITY_RULES)
        _validation.one_of("start", self.start, STARTS)
        if not isinstance(self.tangent, (bool, np.bool_)):
            raise ValueError(f"tangent is {self.tangent!r}; it must be True or False")
        # A NumPy scalar would promote float32 arrays to float64.
        for name in ("sigma2", "eta", "momentum", "radius"):
            object.__setattr__(self, name, float(getattr(self, name)))

    def description(self) -> dict[str, Any]:
        """Return the configuration as JSON values. A field in `LATER` is left out if it has its default value.

        Returns
        -------
        dict
            Field names and values.
        """
        default = {name: getattr(TrainConfig, name) for name in LATER}
        values = asdict(self)
        return {name: value for name, value in values.items() if name not in LATER or value != default[name]}

    def scale_rows(self) -> constraints.Constraint | None:
        """Return the constraint as a function of the squared row lengths.

        Returns
        -------
        callable or None
            Maps squared row lengths to one factor per row. None leaves the rows free.
        """
        rule = constraints.CONSTRAINTS[self.constraint]
        return partial(rule, radius=self.radius) if rule and self.constraint == "max-norm" else rule
