"""A worker trains a run and returns its record."""

from dataclasses import replace

import pytest
from made_runs import SMALL, grid, timeless

from numpy_rae.activations import SIGMOID
from numpy_rae.experiments import sweep
from numpy_rae.experiments.checkpoint import Checkpoints
from numpy_rae.experiments.run import Run, deduplicate
from numpy_rae.experiments.worker import train_run
from numpy_rae.objectives import AE, PAPER_OBJECTIVES


@pytest.mark.parametrize("model", PAPER_OBJECTIVES)
def test_every_model_coincides_with_the_auto_encoder_at_zero(ref, model):
    """`Run.canonical` needs this to hold bit for bit."""
    run = Run(PAPER_OBJECTIVES[model], SIGMOID, ref, replace(SMALL, sigma2=0.0))
    plain = train_run(replace(run, model=AE))
    assert timeless([train_run(run.canonical())]) == timeless([plain])
    assert train_run(run)["metrics"] == plain["metrics"]


def test_a_checkpoint_that_cannot_be_used_costs_its_run_alone(ref, thread, tmp_path, caplog):
    (run,) = deduplicate(grid(ref, models=["DAE"], sigma2=[1.0], seeds=[0])).values()
    kept = Checkpoints(tmp_path / "kept")
    kept.folder.mkdir()
    kept.path(run.hash).write_bytes(b"no checkpoint")
    records = list(sweep.sweep([run], thread, tmp_path / "r.jsonl", None, kept))
    assert timeless(records) == timeless([train_run(run)])
    assert "cannot be used: File is not a zip file; the run starts from its beginning" in caplog.text
