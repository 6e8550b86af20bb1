"""What a sweep is made of: one training run, described and identified; coinciding runs are one."""

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
    """One training run: what is trained, on what, with which numbers.

    Attributes
    ----------
    model : Objective
        What is minimised.
    activation : Activation
        Encoder activation s_e.
    data : DataRef
        The prepared data.
    config : TrainConfig
        The numbers.
    """

    model: Objective
    activation: Activation
    data: DataRef
    config: TrainConfig

    def canonical(self) -> Run:
        """Return the run that represents all runs that coincide with this one.

        Returns
        -------
        Run
            The run itself. At sigma^2 = 0 the plain auto-encoder, if the model coincides with it there. The plain
            auto-encoder does not depend on sigma^2, so its run at 0 stands for all of them.
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
        """Return what decides the run's numbers; a copy in another process keeps what was found here.

        Returns
        -------
        dict
            JSON values.
        """
        return self.identified({})

    def identified(self, memo: Memo) -> dict[str, Any]:
        """Return what decides the run's numbers as of now.

        Parameters
        ----------
        memo : dict
            Keeps the identities of models and activations that runs share.

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
        """Return what the run is called in messages.

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
            In the units of `relative_cost`.
        """
        return relative_cost(self.model, self.config, *self.data.shape)


def deduplicate(runs: Iterable[Run]) -> dict[str, Run]:
    """Return the runs by hash, those that coincide once.

    Parameters
    ----------
    runs : iterable of Run
        The runs. Their models and activations are identified anew in every call.

    Returns
    -------
    dict
        The `Run.canonical` ones by hash, in the given order.
    """
    memo: Memo = {}
    found: dict[str, Run] = {}
    for run in runs:
        fresh = replace(run.canonical())
        vars(fresh)["identity"] = fresh.identified(memo)
        found.setdefault(fresh.hash, fresh)
    return found
