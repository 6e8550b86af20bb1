"""The stored runs of the paper's length: they are counted against the protocols, and one of them is repeated."""

import json
import os
import random
from pathlib import Path

import pytest

from numpy_rae.activations import PAPER_ACTIVATIONS
from numpy_rae.data import folders
from numpy_rae.data.data_spec import DataSpec, recorded_label
from numpy_rae.data.prepared import prepare
from numpy_rae.experiments import comparison, coverage, provenance
from numpy_rae.experiments.protocol import FIGURES, PROTOCOLS
from numpy_rae.experiments.record_checks import load_records
from numpy_rae.experiments.run import Run
from numpy_rae.experiments.worker import train_run
from numpy_rae.registry import ACTIVATIONS, OBJECTIVES
from numpy_rae.training import NUMERICS, TrainConfig

RECORDS = Path(__file__).resolve().parents[2] / "docs" / "records"
NAMES = [protocol.name for protocols in FIGURES.values() for protocol in protocols]
EXACT = ("status", "metrics", "history", "steps", "first_objective", "peak_objective", "last_finite_objective")


def entries(name):
    return load_records(RECORDS / f"{name}-paper.jsonl")


def test_the_protocols_list_474_runs():
    wanted = {name: coverage.wanted(PROTOCOLS[name], PROTOCOLS[name].presets()["paper"]) for name in NAMES}
    assert sum(map(len, wanted.values())) == 474
    assert {name: len(runs) for name, runs in wanted.items() if len(runs) != 45} == {
        "fig3_edae_mnist": 12, "fig3_edae_cifar10": 12,
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_the_stored_runs_are_counted_against_the_protocol(name, capsys):
    """The protocol must list every stored run, at the paper's length. Runs of the protocol can be missing."""
    protocol, found = PROTOCOLS[name], entries(name)
    preset, seeds = protocol.presets()["paper"], sorted({entry["config"]["seed"] for entry in found}) or [0]
    needed = coverage.wanted(protocol, preset, seeds)
    assert all(coverage.fits(entry, protocol, preset) for entry in found)
    assert {coverage.key(entry) for entry in found} <= needed
    counts = coverage.coverage(RECORDS, [name], seeds=seeds)
    assert counts == {name: (len({coverage.key(entry) for entry in found}), len(needed))}
    with capsys.disabled():
        print(f"\n{coverage.as_text(counts).splitlines()[0]}", end="")


def test_each_kept_run_of_numerics_1_has_a_successor():
    """docs/reproduce.md compares these pairs. The largest difference of the activation fraction is in its table."""
    paths = sorted((RECORDS / "numerics_1").glob("*.jsonl"))
    pairs = [pair for path in paths for pair in comparison.compare(load_records(path), RECORDS / path.name)]
    assert len(pairs) == sum(len(load_records(path)) for path in paths) == 8
    assert {(comparison.numerics(old), comparison.numerics(new)) for old, new in pairs} == {(1, 2)}
    gaps = {(old["activation"], comparison.difference(new, old)["activation_fraction"]) for old, new in pairs}
    assert round(max(gap for _, gap in gaps), 5) == 0.00138
    assert max(abs(gap) for activation, gap in gaps if activation == "sigmoid") < 3e-7


def seed(line):
    return json.loads(line)["config"]["seed"]


def test_the_count_tells_a_missing_run_and_a_foreign_one(tmp_path):
    name = "fig3_edae_cifar10"
    lines = [
        line for line in (RECORDS / f"{name}-paper.jsonl").read_text().splitlines(keepends=True) if seed(line) == 0
    ]
    path = tmp_path / f"{name}-paper.jsonl"
    path.write_text("".join(lines[1:]))
    assert coverage.coverage(tmp_path, [name]) == {name: (11, 12)}
    path.write_text("".join([*lines[1:], lines[0].replace('"epochs": 50', '"epochs": 49')]))
    assert coverage.coverage(tmp_path, [name]) == {name: (11, 12)}
    path.write_text("".join(lines))
    counts = coverage.coverage(tmp_path, [name, "fig3_edae_mnist"])
    assert counts == {name: (12, 12), "fig3_edae_mnist": (0, 12)}
    assert coverage.as_text(counts).splitlines()[-1].split() == ["all", "12", "of", "24", "runs"]
    assert coverage.coverage(tmp_path, [name], seeds=(0, 1)) == {name: (12, 24)}
    assert coverage.coverage(tmp_path, [name], seeds=(0, 1), sigma2=(0.0, 1.0)) == {name: (2, 4)}


def test_the_stored_runs_on_patches_are_named_by_their_images():
    labels = {recorded_label(entry["data"]) for name in NAMES if "cifar10" in name for entry in entries(name)}
    assert labels == {"50,000 CIFAR-10 patches (3,805 images)"}


def made_here(entry) -> bool:
    """Return whether a record was made with this version of the arithmetic, on a BLAS kernel like this machine's."""
    made = entry.get("made", {})
    return comparison.numerics(entry) == NUMERICS and made.get("blas") == provenance.blas()


def run_of(entry) -> Run:
    """Return the run of a record, with data prepared here. Skip the test if the images are missing or different."""
    data = entry["data"]
    path = os.environ.get("NUMPY_RAE_TEST_IMAGES") if data["source"] == "images" else None
    if data["source"] == "images" and path is None:
        pytest.skip("NUMPY_RAE_TEST_IMAGES does not name images_3805.npy")
    try:
        ref = prepare(DataSpec(data["source"], data["count"], data["std_offset"], data["seed"], path))
    except folders.DataError as error:
        pytest.skip(str(error))
    return Run(OBJECTIVES[entry["model"]], ACTIVATIONS[entry["activation"]], ref, TrainConfig(**entry["config"]))


@pytest.mark.slow
def test_a_random_run_of_the_papers_length_is_reproduced_bit_for_bit():
    """The run is chosen at random. NUMPY_RAE_TEST_SEED repeats a choice."""
    stored = [(name, entry) for name in NAMES for entry in entries(name) if made_here(entry)]
    if not stored:
        pytest.skip("no paper-length run was stored with this version of the numerics and this BLAS kernel")
    seed = os.environ.get("NUMPY_RAE_TEST_SEED") or str(random.SystemRandom().randrange(10**6))
    name, entry = random.Random(seed).choice(stored)
    again = train_run(run_of(entry))
    for field in EXACT:
        assert again[field] == entry[field], f"{name}, {entry['hash'][:16]}, NUMPY_RAE_TEST_SEED={seed}: {field}"


def test_the_protocols_use_the_papers_activations():
    assert {PROTOCOLS[name].activation for name in NAMES} == {"relu", "sigmoid", "softplus"} <= set(PAPER_ACTIVATIONS)
