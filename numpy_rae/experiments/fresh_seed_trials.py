"""The trials with fresh seeds that test the certificates by the frozen rule of `certificates.paired_outcome`.

A setting is a data set with a number of hidden units m. Two settings are those of the first validation: digits with 50
units (n = 196) and white data with 40 (n = 20). Two are overcomplete by a factor of at least four: coarse digits with
200 units (n = 49) and white data with 100. In all trials the rows are scaled to unit length after each step. TANGENT
lists the activations that are trained with tangent gradients as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from numpy_rae.certificates.certificate import Certificate
from numpy_rae.certificates.paired_outcome import PairResult
from numpy_rae.certificates.training_outcome import collect_sweep
from numpy_rae.experiments.certificate_trials import ETA, Preset, Trial, all_trials
from numpy_rae.experiments.records import Record
from numpy_rae.registry import find_activation

SEEDS = (20, 21, 22, 23, 24)
ACTIVATIONS = ("relu", "leaky_relu", "hard_sigmoid", "softplus", "sigmoid", "gelu")
TANGENT = ("relu", "leaky_relu", "softplus")
PENALTIES = ("CAE", "mDAE", "SAE")
SIZES: dict[str, tuple[Preset, ...]] = {
    "sample": (
        Preset(2000, {"digits": 50, "white": 40}, (0.0, 1.0), SEEDS, (50, 100)),
        Preset(2000, {"white": 100}, (0.0, 1.0), SEEDS, (50, 100)),
        Preset(2000, {"coarse digits": 200}, (0.0, 1.0), SEEDS, (25, 50)),
    ),
    "tiny": (
        Preset(100, {"digits": 6, "white": 8}, (0.0, 1.0), (0, 1), (1, 2)),
        Preset(100, {"white": 24}, (0.0, 1.0), (0, 1), (1, 2)),
        Preset(100, {"coarse digits": 24}, (0.0, 1.0), (0, 1), (1, 2)),
    ),
}


class Pair(NamedTuple):
    """Name one pair in one setting.

    Attributes
    ----------
    tangent : bool
        Whether the gradient is projected on the tangent of the unit rows.
    data : str
        A name in `certificate_data.FEATURES`.
    hidden : int
        Number of hidden units.
    activation : str
        Name of the activation.
    penalty : str
        Name of the penalty.
    """

    tangent: bool
    data: str
    hidden: int
    activation: str
    penalty: str

    @property
    def setting(self) -> str:
        """Return the name of the setting.

        Returns
        -------
        str
            The data set and the number of hidden units.
        """
        return f"{self.data}, m = {self.hidden}"


def trials(preset: str) -> list[Trial]:
    """List the trials.

    Parameters
    ----------
    preset : str
        A name in SIZES.

    Returns
    -------
    list of Trial
        The trials of all settings, first with the projection after the step, then with tangent gradients.
    """
    return [
        trial
        for tangent, size in product((False, True), SIZES[preset])
        for trial in all_trials(size, [*map(find_activation, TANGENT if tangent else ACTIVATIONS)], PENALTIES, tangent)
    ]


def pairs(preset: str) -> list[Pair]:
    """List the pairs of all settings.

    Parameters
    ----------
    preset : str
        A name in SIZES.

    Returns
    -------
    list of Pair
        The pairs in the order of the tables.
    """
    return [
        Pair(tangent, data, size.hidden[data], activation, penalty)
        for tangent, data, size in product((False, True), ETA, SIZES[preset])
        if data in size.hidden
        for activation, penalty in product(TANGENT if tangent else ACTIVATIONS, PENALTIES)
    ]


def results(
    preset: str,
    wanted: Sequence[Trial],
    found: Mapping[str, Record],
    certificates: Mapping[tuple[str, str], Certificate],
) -> list[PairResult]:
    """Collect the runs of each pair.

    Parameters
    ----------
    preset : str
        A name in SIZES.
    wanted : sequence of Trial
        Result of `trials`.
    found : mapping
        The records by hash.
    certificates : mapping
        The certificates by activation and penalty.

    Returns
    -------
    list of PairResult
        One result for each of `pairs`.
    """
    by_pair: dict[tuple[Any, ...], list[Record]] = {}
    for trial in wanted:
        config = trial.config
        key = (config.tangent, trial.data, config.hidden, trial.activation.name, trial.model.name)
        by_pair.setdefault(key, []).append(found[trial.hash])
    return [_result(pair, by_pair, certificates[pair.activation, pair.penalty]) for pair in pairs(preset)]


def _result(pair: Pair, by_pair: dict[tuple[Any, ...], list[Record]], certificate: Certificate) -> PairResult:
    """Return the result of one pair. The runs at lambda = 0 are those of the plain auto-encoder."""
    plain, penalised = by_pair[*pair[:4], "AE"], by_pair[tuple(pair)]
    same = _count_same_params(plain, penalised)
    return PairResult(certificate, pair.setting, pair.tangent, collect_sweep([*plain, *penalised]), same)


def _count_same_params(plain: Sequence[Record], penalised: Sequence[Record]) -> int:
    """Return the number of seeds whose parameters are equal in both runs at every length."""
    digests = {entry["seed"]: entry["params"] for entry in plain if entry["status"] == "ok"}
    return sum(entry.get("params") == digests.get(entry["seed"], ()) for entry in penalised)
