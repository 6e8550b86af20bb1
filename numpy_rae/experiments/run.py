"""One training run of a sweep, with its description and its hash. Runs that give the same result are trained once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from numpy_rae.activations import Activation
from numpy_rae.data.data_spec import DataRef
from numpy_rae.experiments.relative_cost import relative_cost
from numpy_rae.identity.fingerprint import digest
from numpy_rae.identity.run_identity import Memo, is_ours, is_plain_at_zero, of_activation, of_config, of_data, of_model
from numpy_rae.objectives import AE, Objective
from numpy_rae.train_config import TrainConfig


@dataclass(frozen=True)
class Run:
    """One training run: its model, activation, data and configuration.

    Attributes
    ----------
    model : Objective
        Objective that is minimised.
    activation : Activation
        Encoder activation s_e.
    data : DataRef
        The prepared data.
    config : TrainConfig
        The configuration.
    """

    model: Objective
    activation: Activation
    data: DataRef
    config: TrainConfig

    def canonical(self) -> Run:
        """Return the run that represents all runs that give the same result as this one.

        Returns
        -------
        Run
            At sigma^2 = 0, the run of the plain auto-encoder, if the model equals it there. The plain auto-encoder does
            not depend on sigma^2, so for any sigma^2 its run at 0 is returned. Otherwise the run itself.
        """
        if self.config.sigma2 == 0:
            return replace(self, model=AE) if is_plain_at_zero(self.model, self.activation) else self
        plain = self.model.name == AE.name and is_ours(self.model, "model")
        return replace(self, model=AE, config=replace(self.config, sigma2=0.0)) if plain else self

    def description(self) -> dict[str, Any]:
        """Return the whole configuration.

        Returns
        -------
        dict
            JSON values.
        """
        return {
            "model": self.model.name,
            "activation": self.activation.name,
            "data": self.data.description(),
            "config": self.config.description(),
        }

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Return the values that determine the run's numbers.

        A copy of the run in another process keeps the values that were found in this process.

        Returns
        -------
        dict
            JSON values.
        """
        return self.identified({})

    def identified(self, memo: Memo) -> dict[str, Any]:
        """Find the values that determine the run's numbers again, from the current state of the code.

        Parameters
        ----------
        memo : dict
            Cache of the identities of models and activations that several runs share.

        Returns
        -------
        dict
            JSON values.
        """
        return {
            "model": of_model(self.model, memo),
            "activation": of_activation(self.activation, memo),
            "data": of_data(self.data),
            "config": of_config(self.config),
        }

    @property
    def hash(self) -> str:
        """Return the key under which the result is stored.

        Returns
        -------
        str
            SHA-256 of the identity.
        """
        return digest(self.identity)

    @property
    def label(self) -> str:
        """Return the name of the run in messages.

        Returns
        -------
        str
            Model, sigma^2 and seed.
        """
        return f"{self.model.name} sigma^2={self.config.sigma2:g} seed={self.config.seed}"

    @property
    def cost(self) -> float:
        """Return the expected duration.

        Returns
        -------
        float
            The duration in the units of `relative_cost`.
        """
        return relative_cost(self.model, self.config, *self.data.shape)


def deduplicate(runs: Iterable[Run]) -> dict[str, Run]:
    """Return the runs by hash. Runs that give the same result are returned once.

    Parameters
    ----------
    runs : iterable of Run
        The runs. Their models and activations are identified again in every call.

    Returns
    -------
    dict
        The `Run.canonical` of each run by hash, in the given order.
    """
    memo: Memo = {}
    found: dict[str, Run] = {}
    for run in runs:
        fresh = replace(run.canonical())
        vars(fresh)["identity"] = fresh.identified(memo)
        found.setdefault(fresh.hash, fresh)
    return found
