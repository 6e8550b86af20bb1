"""The trials that compare the certificates with training: every shipped activation and penalty, on small data sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from numpy_rae.activations import Activation
from numpy_rae.experiments.certificate_data import FEATURES
from numpy_rae.experiments.relative_cost import relative_cost
from numpy_rae.identity.fingerprint import digest
from numpy_rae.identity.older_records import CONFIG, old_hash
from numpy_rae.identity.run_identity import of_activation, of_config, of_model
from numpy_rae.objectives import AE, Objective
from numpy_rae.registry import OBJECTIVES
from numpy_rae.train_config import TrainConfig

BATCH = 50
# Both in the paper's range, (0.001, 0.005). Squared ReLU, whose slope has no bound, does not converge with them.
ETA = {"digits": 0.002, "coarse digits": 0.002, "white": 0.005}
SMALLER = {"squared_relu": 0.25}
DIGITS = 16


@dataclass(frozen=True)
class Preset:
    """Hold the size of the trials.

    Attributes
    ----------
    samples : int
        Number of samples.
    hidden : dict
        Number of hidden units by data set.
    lam : tuple of float
        The coefficients of the penalties.
    seeds : tuple of int
        The seeds.
    epochs : tuple of int
        The lengths in epochs at which a run is measured.
    """

    samples: int
    hidden: dict[str, int]
    lam: tuple[float, ...]
    seeds: tuple[int, ...]
    epochs: tuple[int, ...]


SAMPLE = Preset(2000, {"digits": 50, "white": 40}, (0.0, 0.1, 0.3, 1.0), (0, 1), (25, 50, 100, 200))
PRESETS = {
    "sample": SAMPLE,
    "long": replace(SAMPLE, epochs=(25, 50, 100, 200, 400, 800)),
    "tiny": Preset(100, {"digits": 6, "white": 8}, (0.0, 1.0), (0, 1), (1, 2, 4)),
}


@dataclass(frozen=True)
class Trial:
    """Hold what is trained in one run, and the lengths at which it is measured.

    Attributes
    ----------
    model : Objective
        What is minimised.
    activation : Activation
        Encoder activation s_e.
    data : str
        A name in `certificate_data.FEATURES`.
    samples : int
        Number of samples.
    epochs : tuple of int
        The lengths in epochs at which the run is measured.
    config : TrainConfig
        The configuration, with the largest of `epochs`.
    """

    model: Objective
    activation: Activation
    data: str
    samples: int
    epochs: tuple[int, ...]
    config: TrainConfig

    def description(self) -> dict[str, Any]:
        """Return the whole configuration.

        Returns
        -------
        dict
            JSON values.
        """
        names = {"data": self.data, "activation": self.activation.name, "model": self.model.name}
        return {**names, "samples": self.samples, "epochs": list(self.epochs), "config": self.config.description()}

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Return everything that the numbers depend on, see `run_identity`.

        Returns
        -------
        dict
            JSON values.
        """
        return {
            **self.description(),
            "activation": of_activation(self.activation),
            "model": of_model(self.model),
            "config": of_config(self.config),
        }

    @property
    def hash(self) -> str:
        """Return the key under which the result is stored.

        Returns
        -------
        str
            The first digits of the identity's SHA-256.
        """
        return digest(self.identity)[:DIGITS]

    @property
    def label(self) -> str:
        """Return the name of the trial in messages.

        Returns
        -------
        str
            Model, activation, data, lambda and seed.
        """
        what = f"{self.model.name} with {self.activation.name} on {self.data}"
        return f"{what} lambda={self.config.sigma2:g} seed={self.config.seed}"

    @property
    def cost(self) -> float:
        """Return the expected duration.

        Returns
        -------
        float
            In the units of `relative_cost`.
        """
        return relative_cost(self.model, self.config, self.samples, FEATURES[self.data])

    @property
    def is_first_version(self) -> bool:
        """Return whether the model and the activation are of their formulas' first version.

        Returns
        -------
        bool
            False if one of them has a later version.
        """
        return not any("formula" in self.identity[part] for part in ("model", "activation"))

    @property
    def old_hash(self) -> str:
        """Return the key in results files that are older than identities.

        Returns
        -------
        str
            The hash of the names and the configuration.
        """
        description = self.description()
        config = {name: description["config"][name] for name in CONFIG}
        return old_hash({**description, "config": config})[:DIGITS]


def all_trials(
    preset: Preset, activations: Sequence[Activation], penalties: Sequence[str], tangent: bool = False
) -> list[Trial]:
    """Return a trial of the plain auto-encoder and of each penalty, at every lambda with every seed.

    Parameters
    ----------
    preset : Preset
        The size.
    activations : sequence of Activation
        The activations.
    penalties : sequence of str
        Names of the penalties. KL is left out for activations that can be negative.
    tangent : bool, optional
        Whether the gradient is projected on the unit rows' tangent.

    Returns
    -------
    list of Trial
        The trials.
    """
    return [
        Trial(model, s_e, data, preset.samples, preset.epochs, config(preset, s_e, data, lam, seed, tangent))
        for seed in preset.seeds
        for data in preset.hidden
        for s_e in activations
        for model in (AE, *(OBJECTIVES[name] for name in penalties if _takes(name, s_e)))
        for lam in preset.lam
        if (lam == 0) == (model is AE)
    ]


def _takes(penalty: str, activation: Activation) -> bool:
    """Return whether the penalty is defined for the activation. KL is not defined where h can be negative."""
    return activation.non_negative or penalty != "KL"


def config(preset: Preset, activation: Activation, data: str, lam: float, seed: int, tangent: bool) -> TrainConfig:
    """Return the configuration of one trial.

    Parameters
    ----------
    preset : Preset
        The size.
    activation : Activation
        Decides the learning rate.
    data : str
        A name in `certificate_data.FEATURES`.
    lam : float
        Coefficient of the penalty.
    seed : int
        The seed.
    tangent : bool
        Whether the gradient is projected on the unit rows' tangent.

    Returns
    -------
    TrainConfig
        The configuration.
    """
    eta = ETA[data] * SMALLER.get(activation.name, 1)
    return TrainConfig(lam, seed, preset.hidden[data], BATCH, preset.epochs[-1], eta, tangent=tangent)
