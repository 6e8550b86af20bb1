"""Records are complete and plain JSON, and those from which no figure could be drawn are refused."""

import hashlib
import json
import math
from dataclasses import replace

import pytest
from made_runs import SMALL, grid, strict

from numpy_rae.activations import RELU, SIGMOID
from numpy_rae.experiments import sweep
from numpy_rae.experiments.record_stores import read_results
from numpy_rae.experiments.run import Run
from numpy_rae.objectives import PAPER_OBJECTIVES
from numpy_rae.storage import jsonl
from numpy_rae.train_config import TrainConfig
from numpy_rae.training import NUMERICS


def test_diverged_runs_are_stored_with_step_and_last_finite_objective(ref, thread, tmp_path):
    """For runs that differ only in length, the last finite objective is the same."""
    config = TrainConfig(sigma2=0.1, hidden=7, eta=1e5, constraint="free")
    runs = [Run(PAPER_OBJECTIVES["DAE"], RELU, ref, replace(config, epochs=epochs)) for epochs in (1, 2, 5, 6)]
    list(sweep.sweep(runs, thread, tmp_path / "r.jsonl"))
    records = strict(tmp_path / "r.jsonl")
    by_epochs = {record["config"]["epochs"]: record for record in records}
    assert by_epochs[1]["status"] == "ok" and by_epochs[1]["metrics"]["loss"] > 1e6
    for record in (by_epochs[5], by_epochs[6]):
        assert record["status"] == "diverged" and record["metrics"] is None
        step = record["diverged_at_step"]
        assert record["steps"] == step - 1 == len(record["history"]) < 5
        last = record["last_finite_objective"]
        assert math.isfinite(last) and last > 1e6 * record["first_objective"]
        assert last == by_epochs[2]["last_finite_objective"]
        assert record["peak_objective"] == last and record["peak_step"] == step - 1


@pytest.mark.parametrize(("constraint", "eta"), [("free", 1e10), ("free", 1e38), ("unit", 1e30)])
@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_a_run_that_the_last_update_breaks_has_diverged_too(ref, thread, tmp_path, constraint, eta, epochs):
    config = TrainConfig(sigma2=0.1, hidden=7, eta=eta, constraint=constraint, epochs=epochs)
    list(sweep.sweep([Run(PAPER_OBJECTIVES["DAE"], RELU, ref, config)], thread, tmp_path / "r.jsonl"))
    (record,) = strict(tmp_path / "r.jsonl")
    finite = record["metrics"] is not None and all(math.isfinite(value) for value in record["metrics"].values())
    assert record["status"] == ("ok" if finite else "diverged")
    assert record["diverged_at_step"] == (None if finite else record["steps"] + 1)
    assert constraint == "unit" or not finite


def test_every_model_gives_a_record_that_json_carries(ref, thread, tmp_path):
    runs = [Run(model, SIGMOID, ref, replace(SMALL, sigma2=0.1)) for model in PAPER_OBJECTIVES.values()]
    records = list(sweep.sweep(runs, thread, tmp_path / "r.jsonl"))
    assert strict(tmp_path / "r.jsonl") == records
    assert {record["model"] for record in records} == set(PAPER_OBJECTIVES)
    for record in records:
        assert record["status"] == "ok" and record["steps"] == 2 * math.ceil(40 / 16)
        assert [entry["epoch"] for entry in record["history"]] == [1, 2]
        assert set(record["versions"]) == {"python", "numpy-rae", "numpy", "scipy", "numerics"}
        assert record["versions"]["numerics"] == NUMERICS == 2


def test_the_hash_of_a_record_is_that_of_its_stored_identity(ref, thread, tmp_path):
    list(sweep.sweep(grid(ref), thread, tmp_path / "r.jsonl"))
    for record in jsonl.read(tmp_path / "r.jsonl"):
        assert hashlib.sha256(json.dumps(record["identity"], sort_keys=True).encode()).hexdigest() == record["hash"]


def test_a_file_that_is_no_sweeps_is_refused(ref, thread, tmp_path):
    jsonl.append(tmp_path / "r.jsonl", {"some": "thing"})
    with pytest.raises(jsonl.StoreError, match="r.jsonl holds a record without a hash; it is not a sweep's"):
        next(sweep.sweep(grid(ref), thread, tmp_path / "r.jsonl"))


def test_stored_records_are_read_again_only_if_the_file_has_changed(ref, thread, tmp_path, monkeypatch):
    path, runs = tmp_path / "r.jsonl", grid(ref)
    none = read_results(path)
    assert none.by_hash == {} and none.refresh() is none
    first = list(sweep.sweep(runs[:4], thread, path, stored=none))
    assert none.refresh().by_hash == {record["hash"]: record for record in first}
    stored = read_results(path)
    monkeypatch.setattr(jsonl, "read", None)
    assert stored.refresh() is stored
    assert list(sweep.sweep(runs[:4], thread, path, stored=stored)) == first


def test_what_another_sweep_has_stored_meanwhile_is_not_trained_again(ref, thread, tmp_path):
    path, runs = tmp_path / "r.jsonl", grid(ref)
    early = read_results(path)
    list(sweep.sweep(runs, thread, path))
    content = path.read_bytes()
    assert len(list(sweep.sweep(runs, thread, path, stored=early))) == 14 and path.read_bytes() == content
