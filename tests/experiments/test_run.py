"""Runs and their hashes."""

import dataclasses
from dataclasses import replace

from made_runs import SMALL

from numpy_rae.activations import PAPER_ACTIVATIONS, RELU
from numpy_rae.experiments.run import Run
from numpy_rae.objectives import PAPER_OBJECTIVES
from numpy_rae.train_config import TrainConfig

OTHER = {
    "sigma2": 0.2, "seed": 1, "hidden": 8, "batch_size": 17, "epochs": 3, "eta": 0.002, "momentum": 0.8,
    "constraint": "free", "radius": 2.0, "tangent": True, "dtype": "float64", "velocity": "projected", "start": "unit",
}  # fmt: skip


def test_the_hash_changes_with_every_part_of_a_run(ref):
    assert set(OTHER) == {field.name for field in dataclasses.fields(TrainConfig)}
    run = Run(PAPER_OBJECTIVES["DAE"], RELU, ref, replace(SMALL, sigma2=0.1))
    others = [replace(run, config=replace(run.config, **{name: value})) for name, value in OTHER.items()]
    others += [replace(run, model=PAPER_OBJECTIVES["CAE"]), replace(run, activation=PAPER_ACTIVATIONS["tanh"])]
    others += [replace(run, data=replace(ref, sha256="0" * 64))]
    others += [replace(run, data=replace(ref, spec=replace(ref.spec, **part))) for part in ({"count": 9}, {"seed": 9})]
    hashes = [run.hash, *(other.hash for other in others)]
    assert len(set(hashes)) == len(hashes)
    assert Run(PAPER_OBJECTIVES["DAE"], RELU, ref, replace(SMALL, sigma2=0.1)).hash == run.hash


def test_later_fields_at_their_defaults_leave_the_description_of_earlier_records(ref):
    """Stored records were written without these fields. Their hashes must still be those of the same runs."""
    config = Run(PAPER_OBJECTIVES["DAE"], RELU, ref, SMALL).description()["config"]
    assert list(config) == [
        "sigma2", "seed", "hidden", "batch_size", "epochs", "eta", "momentum", "constraint", "radius", "tangent", "dtype",
    ]  # fmt: skip
    changed = replace(SMALL, velocity="no turn", start="unit")
    assert TrainConfig(**changed.description()) == changed
    assert set(changed.description()) - set(config) == {"velocity", "start"}
