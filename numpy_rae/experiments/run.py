"""What a sweep is made of: one training run, described and identified; coinciding runs are one."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from numpy_rae.activations import Activation
from numpy_rae.data.prepared import DataRef
from numpy_rae.identity.run_identity import Memo, digest, is_plain_at_zero, of_activation, of_config, of_data, of_model
from numpy_rae.objectives import AE, Objective
from numpy_rae.train_config import TrainConfig


@dataclass(frozen=True)
class Run:
    """One training run: what is trained, on what, with which numbers."""

    model: Objective
    activation: Activation
    data: DataRef
    config: TrainConfig

    def canonical(self) -> "Run":
        """The run itself; at sigma^2 = 0 the plain auto-encoder, if the model coincides with it there."""
        plain = self.config.sigma2 == 0 and is_plain_at_zero(self.model, self.activation)
        return replace(self, model=AE) if plain else self

    def description(self) -> dict:
        """The whole configuration as JSON values."""
        return {
            "model": self.model.name,
            "activation": self.activation.name,
            "data": self.data.description(),
            "config": self.config.description(),
        }

    @cached_property
    def identity(self) -> dict:
        """What decides the run's numbers, as JSON values; a copy in another process keeps what was found here."""
        return self.identified({})

    def identified(self, memo: Memo) -> dict:
        """The identity as of now; `memo` keeps those of models and activations that runs share."""
        return {
            "model": of_model(self.model, memo),
            "activation": of_activation(self.activation, memo),
            "data": of_data(self.data),
            "config": of_config(self.config),
        }

    @property
    def hash(self) -> str:
        """SHA-256 of the identity: the key under which the result is stored."""
        return digest(self.identity)


def deduplicate(runs: Iterable[Run]) -> dict[str, Run]:
    """The runs by hash; those that coincide stand once. Models and activations are looked at anew in every call."""
    memo, found = {}, {}
    for run in runs:
        fresh = replace(run.canonical())
        vars(fresh)["identity"] = fresh.identified(memo)
        found.setdefault(fresh.hash, fresh)
    return found
