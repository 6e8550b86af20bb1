"""What a sweep is made of: one training run, described and hashed; coinciding runs are one."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from numpy_rae.activations import Activation
from numpy_rae.datasets import DataRef
from numpy_rae.objectives import AE, Model
from numpy_rae.training import TrainConfig


@dataclass(frozen=True)
class Run:
    """One training run: what is trained, on what, with which numbers."""

    model: Model
    activation: Activation
    data: DataRef
    config: TrainConfig

    def canonical(self) -> "Run":
        """The run itself, or the plain auto-encoder with which every model coincides at sigma^2 = 0."""
        return replace(self, model=AE) if self.config.sigma2 == 0 else self

    def description(self) -> dict:
        """The whole configuration as JSON values."""
        return {
            "model": self.model.name,
            "activation": self.activation.name,
            "data": self.data.description(),
            "config": self.config.description(),
        }

    @property
    def hash(self) -> str:
        """SHA-256 of the description: the key under which the result is stored."""
        return hashlib.sha256(json.dumps(self.description(), sort_keys=True).encode()).hexdigest()


def distinct(runs: Iterable[Run]) -> dict[str, Run]:
    """The runs by hash; those that coincide stand once."""
    return {run.hash: run for run in map(Run.canonical, runs)}
