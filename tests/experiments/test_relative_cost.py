"""Long runs start first."""

from concurrent.futures import Executor, Future
from dataclasses import replace

import pytest
from made_runs import SMALL

from numpy_rae.activations import RELU
from numpy_rae.experiments import certificate_runs, certificate_trials, relative_cost, sweep
from numpy_rae.experiments.run import Run
from numpy_rae.objectives import AE, Objective
from numpy_rae.registry import OBJECTIVES


class Recorder(Executor):
    """An executor that runs each call at once and records the calls."""

    def __init__(self):
        self.jobs = []

    def submit(self, fn, /, job, *args):
        self.jobs.append(job)
        future = Future()
        future.set_result(fn(job, *args))
        return future


def test_the_longest_runs_start_first_and_equal_ones_in_their_order(ref, tmp_path):
    names = ["CAE", "taylor_dae", "DAE", "eDAE", "SAE"]
    config = replace(SMALL, sigma2=0.1)
    runs = [Run(OBJECTIVES[name], RELU, ref, config) for name in names]
    runs += [
        Run(OBJECTIVES["SAE"], RELU, ref, replace(config, epochs=8)),
        Run(AE, RELU, ref, replace(config, hidden=3)),
    ]
    recorder = Recorder()
    list(sweep.sweep(runs, recorder, tmp_path / "r.jsonl", at_once=1))
    found = [(job.model.name, job.config.epochs) for job in recorder.jobs]
    assert found == [("taylor_dae", 2), ("SAE", 8), ("eDAE", 2), ("CAE", 2), ("DAE", 2), ("SAE", 2), ("AE", 2)]


def test_trials_start_by_their_cost_too(tmp_path):
    preset = certificate_trials.Preset(100, {"digits": 6, "white": 8}, (0.0, 0.5), (0,), (1,))
    wanted, recorder = certificate_trials.all_trials(preset, [RELU], ["L1"]), Recorder()
    stored = certificate_runs.stored(tmp_path / "r.jsonl", wanted)
    list(certificate_runs.run(wanted[::-1], recorder, stored, at_once=1))
    assert [trial.data for trial in recorder.jobs] == ["digits", "digits", "white", "white"]


def test_the_table_of_costs_names_models_that_exist():
    assert relative_cost.STEP_COSTS.keys() <= OBJECTIVES.keys()


@pytest.mark.parametrize("changed", [{"epochs": 4}, {"hidden": 14}])
def test_cost_grows_with_length_and_size(ref, changed):
    run = Run(Objective("mine", AE), RELU, ref, SMALL)
    assert replace(run, config=replace(SMALL, **changed)).cost == 2 * run.cost
