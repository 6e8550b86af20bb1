"""Which changes give a run another identity, and which do not. The identity is the same in every process."""

import dataclasses
import functools
import importlib.util
import json
import linecache
import logging
import os
import pickle
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import formula_values
import numpy as np
import pytest
from made_runs import SMALL, grid

from numpy_rae.activations import RELU, SIGMOID
from numpy_rae.autoencoder import PenaltyGrad
from numpy_rae.data import data_spec
from numpy_rae.experiments import (
    certificate_runs,
    certificate_trials,
    checkpoint,
    record_checks,
    record_stores,
    records,
    sweep,
    tables,
)
from numpy_rae.experiments.run import Run, deduplicate
from numpy_rae.experiments.worker import train_run
from numpy_rae.extra_activations import softplus_beta
from numpy_rae.identity import older_records, run_identity
from numpy_rae.identity.fingerprint import fingerprint
from numpy_rae.numerical_activations import from_callable
from numpy_rae.objectives import AE, PAPER_OBJECTIVES, Objective, Penalised, ae
from numpy_rae.penalties import CAE, PENALTIES
from numpy_rae.plotting import model_curves
from numpy_rae.registry import ACTIVATIONS, OBJECTIVES
from numpy_rae.storage import jsonl
from numpy_rae.train_config import TrainConfig

ROOT = Path(__file__).resolve().parents[2]
RECORDS = sorted((ROOT / "docs" / "records").glob("*.jsonl"))

PROGRAM = """
from dataclasses import dataclass
from functools import partial
import numpy as np
from numpy_rae.identity import run_identity
from numpy_rae.autoencoder import PenaltyGrad
from numpy_rae.objectives import Objective, Penalised

WEIGHT = 1.0
TABLE = {"weight": 1.0}
NAMES = {"b", "a", "c"}


def helper(a):
    return a  # as it is


class Base:
    scale = 1.0

    def last(self, R):
        return R


@dataclass(frozen=True)
class Slope(Base):
    order: int = 2
    weight: float = 1.0

    def value_and_grad(self, params, activation, fwd, rng=None):
        share = self.weight * self.scale * WEIGHT * TABLE["weight"] / len(fwd.a)
        R = helper(fwd.jet.dh_da.sum()) * share
        if len(fwd.a) > 1000 and "d" in {"b", "a", "c"} | NAMES:
            R = R * 1.0
        return float(self.last(R)), PenaltyGrad(dR_da=fwd.jet.d2h_da2 * share)


def closed(weight):
    def objective(params, activation, x, sigma2, rng):
        J, grad = Penalised(Slope())(params, activation, x, sigma2)
        return J * weight, grad
    return objective


def stretched(params, activation, x, sigma2, rng, factor):
    return Penalised(Slope())(params, activation, x, factor * sigma2)


MODELS = [
    Objective("a class", Penalised(Slope())),
    Objective("a closure", closed(1.0)),
    Objective("a lambda", lambda p, s_e, x, lam, rng: Penalised(Slope())(p, s_e, x, lam + 0.0)),
    Objective("partial", partial(stretched, factor=1.0)),
]
"""
ALL = {"a class", "a closure", "a lambda", "partial"}
EDITS = [
    ("WEIGHT = 1.0", "WEIGHT = 20.0", ALL),
    ('{"weight": 1.0}', '{"weight": 20.0}', ALL),
    ("return a  #", "return 20 * a  #", ALL),
    ("    scale = 1.0", "    scale = 2.0", ALL),
    ("        return R\n", "        return 2 * R\n", ALL),
    ("weight: float = 1.0", "weight: float = 2.0", ALL),
    ("R = R * 1.0", "R = R * 2.0", ALL),
    ("order: int = 2", "order: int = 3", ALL),
    ("closed(1.0)", "closed(2.0)", {"a closure"}),
    ("return J * weight", "return J * weight * 1.5", {"a closure"}),
    ("lam + 0.0", "lam + 0.5", {"a lambda"}),
    ("factor=1.0", "factor=2.0", {"partial"}),
    ("factor * sigma2", "2 * factor * sigma2", {"partial"}),
    ("import numpy as np", "import numpy as np\n\nUNUSED = 3", set()),
]


def of_file(text: str, path: Path) -> dict[str, dict]:
    """Return the identities of a program that is imported from a file."""
    path.write_text(text)
    linecache.clearcache()
    spec = importlib.util.spec_from_file_location("users_own", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["users_own"] = module
    try:
        spec.loader.exec_module(module)
        return {model.name: run_identity.of_model(model) for model in module.MODELS}
    finally:
        del sys.modules["users_own"]


def of_text(text: str, path: Path) -> dict[str, dict]:
    """Return the identities of a program whose source is not available."""
    space = {"__name__": "users_own"}
    sys.modules["users_own"] = sys.modules[__name__]
    try:
        exec(compile(text, "<stdin>", "exec"), space)
        return {model.name: run_identity.of_model(model) for model in space["MODELS"]}
    finally:
        del sys.modules["users_own"]


@pytest.mark.parametrize("find", [of_file, of_text])
@pytest.mark.parametrize(("old", "new", "changed"), EDITS, ids=[new.strip() for _, new, _ in EDITS])
def test_an_edit_changes_the_identity_of_what_uses_it(find, old, new, changed, tmp_path):
    assert PROGRAM.count(old) == 1
    before = find(PROGRAM, tmp_path / "one.py")
    after = find(PROGRAM.replace(old, new), tmp_path / "two.py")
    assert before.keys() == ALL and {name for name in ALL if before[name] != after[name]} == changed
    made_of = {name for name in ALL if before[name]["made_of"] != after[name]["made_of"]}
    assert made_of == (set() if "TABLE" in PROGRAM.partition(old)[0].splitlines()[-1] else changed)
    assert all(entry["values"] for entry in (*before.values(), *after.values()))


def test_comments_and_blank_lines_of_a_file_change_nothing(tmp_path):
    edited = PROGRAM.replace("  # as it is", "").replace("\n    def last", "\n\n    # the last one\n    def last")
    assert edited != PROGRAM
    assert of_file(PROGRAM, tmp_path / "one.py") == of_file(edited, tmp_path / "two.py")


def test_a_file_that_was_edited_after_its_import_does_not_count(tmp_path):
    """The function that was imported is the one that runs."""
    path = tmp_path / "mine.py"
    path.write_text("def f(a):\n    return a\n")
    spec = importlib.util.spec_from_file_location("mine", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    path.write_text("def f(a):\n    return 2 * a\n")
    os.utime(path, (1, 1))
    stale = fingerprint(module.f)
    spec.loader.exec_module(module)
    assert stale != fingerprint(module.f)


@pytest.mark.parametrize("way", ["file", "stdin"])
def test_the_identity_is_the_same_in_every_process(way, tmp_path):
    text = PROGRAM + "\nimport json\nprint(json.dumps([run_identity.of_model(model) for model in MODELS]))\n"
    (tmp_path / "program.py").write_text(text)
    seen = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-" if way == "stdin" else str(tmp_path / "program.py")]
        done = subprocess.run(command, input=text, env=environment, capture_output=True, text=True, check=True)
        seen.add(done.stdout)
    (printed,) = seen
    assert {entry["name"] for entry in json.loads(printed)} == ALL


def test_a_helper_in_another_module_of_the_user_counts(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    space, found = {}, []
    for factor in (1, 2):
        (tmp_path / "users_helper.py").write_text(f"def helper(a):\n    return {factor} * a if a.size > 99 else a\n")
        sys.modules.pop("users_helper", None)
        exec("import users_helper\ndef f(a):\n    return users_helper.helper(a)\n", space)
        found.append(fingerprint(space["f"]))
        importlib.invalidate_caches()
        for cached in tmp_path.rglob("*.pyc"):
            cached.unlink()
    assert found[0] != found[1]


# Functions of the package.


def test_the_packages_own_are_identified_by_name():
    for name, activation in ACTIVATIONS.items():
        assert run_identity.of_activation(activation) == {"name": name}
    for name, model in OBJECTIVES.items():
        version = run_identity.VERSIONS.get(f"model {name}")
        expected = {"name": name, **({"formula": version} if version else {})}
        assert run_identity.of_model(model) == run_identity.of_model(pickle.loads(pickle.dumps(model))) == expected
    assert run_identity.of_activation(softplus_beta(4)) == {"name": "softplus(beta=4)"}
    assert run_identity.of_model(Objective("CAE", Penalised(CAE))) == {"name": "CAE"}


def test_another_object_under_a_name_of_the_package_is_not_the_packages():
    other = replace(RELU, jet=SIGMOID.jet)
    assert run_identity.of_activation(other) != run_identity.of_activation(RELU)
    assert run_identity.of_activation(replace(RELU, delta_min=0.2)) != run_identity.of_activation(RELU)
    assert run_identity.of_model(Objective("CAE", PAPER_OBJECTIVES["SAE"].objective)) != run_identity.of_model(
        PAPER_OBJECTIVES["CAE"]
    )


def test_a_new_version_of_a_formula_is_another_run(ref, monkeypatch):
    run = Run(PAPER_OBJECTIVES["DAE"], RELU, ref, SMALL)
    assert run.identity["model"] == {"name": "DAE"}
    for formula in ("model DAE", "activation relu"):
        monkeypatch.setattr(run_identity, "VERSIONS", {formula: 2})
        assert replace(run).hash != run.hash
    monkeypatch.setattr(run_identity, "VERSIONS", {"model CAE": 2, "activation tanh": 2})
    assert replace(run).hash == run.hash


def test_every_formula_computes_what_its_version_did():
    assert formula_values.complaints(json.loads(formula_values.FILE.read_text()), formula_values.current()) == []


def test_every_formula_of_the_tables_has_a_version():
    named = {f"activation {name}" for name in ACTIVATIONS} | {f"model {name}" for name in OBJECTIVES}
    named |= {f"penalty {name}" for name in PENALTIES}
    assert named <= run_identity.formulas().keys()
    assert run_identity.VERSIONS.keys() <= run_identity.formulas().keys()
    known = set(map(fingerprint, run_identity.formulas().values()))
    for model in OBJECTIVES.values():
        penalty = getattr(model.objective, "penalty", None)
        for part in (penalty, *(p for _, p in getattr(penalty, "parts", ()))):
            assert part is None or fingerprint(part) in known


def test_a_changed_formula_is_named_with_what_to_do(monkeypatch):
    stored = json.loads(formula_values.FILE.read_text())
    changed = replace(SIGMOID, jet=lambda a, order: SIGMOID.jet(a * (1 + 1e-7), order))
    monkeypatch.setattr(run_identity, "formulas", lambda: {"activation sigmoid": changed})
    (only,) = [text for text in formula_values.complaints(stored, formula_values.current()) if "any more" not in text]
    assert only.startswith(
        "activation sigmoid has other values than those stored for its version 1; raise its version in"
    )
    assert only.endswith("run: python tests/formula_values.py")
    monkeypatch.setattr(run_identity, "VERSIONS", {"activation sigmoid": 2})
    (only,) = [text for text in formula_values.complaints(stored, formula_values.current()) if "any more" not in text]
    assert only.startswith("activation sigmoid has no stored values in version 2; run: ")


def test_what_a_user_adds_to_the_tables_is_not_the_packages(monkeypatch):
    added = Objective("mine", Penalised(SlopePenalty()))
    monkeypatch.setitem(OBJECTIVES, "mine", added)
    monkeypatch.setitem(OBJECTIVES, "CAE", replace(added, name="CAE"))
    monkeypatch.setitem(ACTIVATIONS, "squareplus", SQUAREPLUS)
    for model in (added, OBJECTIVES["CAE"]):
        assert run_identity.of_model(model).keys() == {"name", "made_of", "values"}
    assert run_identity.of_activation(SQUAREPLUS).keys() == {"name", "made_of", "values"}


# The configuration.

DEFAULTS = {
    "sigma2": 0.0, "seed": 0, "hidden": 1000, "batch_size": 50, "epochs": 50, "eta": 0.001, "momentum": 0.9,
    "constraint": "unit", "radius": 1.0, "tangent": False, "dtype": "float32",
}  # fmt: skip


def test_defaults_add_nothing_and_may_never_change(ref):
    """If a default changed, old records would belong to other runs."""
    assert {
        name: value for name, value in run_identity.defaults_of(TrainConfig).items() if name in DEFAULTS
    } == DEFAULTS
    assert run_identity.defaults_of(data_spec.DataSpec) == {"std_offset": 0.0, "seed": 0, "path": None}
    assert run_identity.of_config(TrainConfig()) == {}
    assert run_identity.of_config(TrainConfig(eta=0.002, sigma2=0.1)) == {"eta": 0.002, "sigma2": 0.1}
    assert run_identity.of_data(ref).keys() == {"source", "count", "sha256", "shape"}


def test_a_new_option_at_its_default_leaves_the_identity():
    @dataclass(frozen=True)
    class Later(TrainConfig):
        option: int = 3

    assert run_identity.changed(asdict(Later(eta=0.002)), Later) == run_identity.of_config(TrainConfig(eta=0.002))
    assert run_identity.changed(asdict(Later(option=4)), Later) == {"option": 4}


HASHES = {
    "run": "c0faed167a2624da09e034d64714e5de30a4f5c814e4f97bb27bd0991066251d",
    "softplus(beta=16)": {
        "name": "softplus(beta=16)",
        "made_of": "4253df75ea2f255187e293945cf1f601",
        "values": "5b0c91b811e2e2411eee7ec21822b3ba",
    },
}


def test_hashes_of_this_release_stay():
    ref = data_spec.DataRef(data_spec.DataSpec("digits", 5000, 0.1), "ab" * 32, (5000, 784))
    run = Run(PAPER_OBJECTIVES["DAE"], RELU, ref, TrainConfig(0.25, epochs=10))
    assert run.hash == HASHES["run"]
    assert run_identity.of_activation(softplus_beta(16)) == HASHES["softplus(beta=16)"]


# Unusual objects.


class Raises:
    def __getattr__(self, name):
        raise RuntimeError(name)

    def __deepcopy__(self, memo):
        raise RuntimeError("no copy")

    def __call__(self, *args):
        raise RuntimeError("no value")


def recursive(*args):
    return recursive


class Node:
    def __init__(self):
        self.me, self.lock, self.log = self, threading.Lock(), logging.getLogger("node")

    def __call__(self, params, activation, x, sigma2, rng):
        return ae(params, activation, x)


def deep():
    found = ()
    for _ in range(100_000):
        found = (found,)
    return found


ODD = [
    Raises(), recursive, Node(), print, int, len, np.sin, np.vectorize(abs), functools.lru_cache(recursive), iter([1]),
    (i for i in range(3)), object(), np, float("nan"), b"", {1: {2}}, deep(), np.array([None, "a"]), type("T", (), {}),
    sys.stderr, threading.Lock(), np.random.default_rng(0), property(recursive), dataclasses.field(), [].append,
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD, ids=[type(odd).__name__ for odd in ODD])
def test_odd_objects_have_an_identity_that_stays(odd):
    one, two = (run_identity.of_model(Objective("odd", odd)) for _ in range(2))
    assert one == two and one["made_of"]
    assert json.dumps(one)


def test_counters_buffers_and_logs_are_no_part_of_a_model():
    """Otherwise the identity of a run would change as soon as it has run."""
    calls, buffer, seen = 0, np.zeros(3), []

    def objective(params, activation, x, sigma2, rng):
        nonlocal calls
        calls += 1
        buffer[:] = params.b_e
        seen.append(sigma2)
        return ae(params, activation, x)

    first = run_identity.of_model(Objective("counts", objective))
    calls += 100
    assert run_identity.of_model(Objective("counts", objective)) == first and first["values"]


def test_a_look_leaves_the_object_as_it_was():
    class Counts:
        def __init__(self):
            self.calls = 0

        def __call__(self, params, activation, x, sigma2, rng):
            self.calls += 1
            params.W[:] = 0
            return ae(params, activation, x)

    mine = Counts()
    assert run_identity.of_model(Objective("counts", mine)) == run_identity.of_model(Objective("counts", mine))
    assert mine.calls == 0


def test_a_model_with_fresh_noise_has_no_values():
    def objective(params, activation, x, sigma2, rng):
        J, grad = ae(params, activation, x)
        return J + np.random.default_rng().random(), grad

    one, two = (run_identity.of_model(Objective("noisy", objective)) for _ in range(2))
    assert one == two and one["values"] is None


def test_numeric_derivatives_do_not_count():
    """Third differences magnify rounding errors to 1e-7, which differ between processors."""
    mine, theirs = (from_callable("cube", lambda a, t=t: np.abs(a) ** 3 * t) for t in (1.0, 1.0 + 1e-15))
    assert run_identity.of_activation(mine)["values"] == run_identity.of_activation(theirs)["values"]


def test_an_identity_is_found_in_less_than_50_ms():
    mine = Objective("mine", Penalised(SlopePenalty()))
    durations = []
    for _ in range(5):
        start = time.perf_counter()
        run_identity.of_model(mine)
        run_identity.of_activation(SQUAREPLUS)
        durations.append(time.perf_counter() - start)
    assert min(durations) < 0.05


# version=


def test_a_version_of_the_users_is_all_that_counts():
    first, second = (Objective("mine", objective, version=1) for objective in (ae, lambda *args: ae(*args[:3])))
    assert run_identity.of_model(first) == run_identity.of_model(second) == {"name": "mine", "version": 1}
    assert run_identity.of_model(replace(first, version="2")) == {"name": "mine", "version": "2"}
    assert run_identity.of_activation(replace(RELU, version=1)) == {"name": "relu", "version": 1} != {"name": "relu"}
    assert run_identity.of_activation(from_callable("mine", np.tanh, version=3)) == {"name": "mine", "version": 3}


@pytest.mark.parametrize("version", [True, 1.5, [1]])
def test_a_version_is_a_number_or_a_string(version):
    for make in (lambda: Objective("mine", ae, version), lambda: replace(RELU, version=version)):
        with pytest.raises(ValueError, match="^version is .*; it must be an int, a string or None$"):
            make()


# sigma^2 = 0


@dataclass(frozen=True)
class SlopePenalty:
    order: int = 2
    weight: float = 1.0

    def value_and_grad(self, params, activation, fwd, rng=None):
        share = self.weight / len(fwd.a)
        return float(fwd.jet.dh_da.sum()) * share, PenaltyGrad(dR_da=fwd.jet.d2h_da2 * share)


SQUAREPLUS = from_callable("squareplus", lambda a: (a + np.sqrt(a * a + 1)) / 2)


def with_fixed_part(params, activation, x, sigma2, rng):
    """A model with a second penalty of a fixed size."""
    return Penalised(CAE)(params, activation, x, sigma2 + 0.5)


def only_when_open(params, activation, x, sigma2, rng):
    """The plain auto-encoder, except for units with a large mean activation."""
    J, grad = ae(params, activation, x)
    rho = activation(x @ params.W.T + params.b_e, 1).h.mean(axis=0)
    return J + float(np.maximum(rho - 1.2, 0).sum()), grad


def test_a_users_model_stands_for_the_plain_one_only_where_it_is(ref):
    def zero(objective):
        return Run(Objective("mine", objective), RELU, ref, replace(SMALL, sigma2=0.0))

    assert zero(Penalised(SlopePenalty())).canonical().model == AE
    assert zero(Objective("mine", ae, version=3)).canonical().model == AE
    for objective in (with_fixed_part, only_when_open, Raises()):
        assert zero(objective).canonical() == zero(objective)
    for model in OBJECTIVES.values():
        assert Run(model, RELU, ref, SMALL).canonical().model == AE


def test_the_plain_records_are_not_of_a_model_with_its_own_at_zero(ref, thread, tmp_path):
    models = [PAPER_OBJECTIVES["CAE"], Objective("fixed", with_fixed_part)]
    runs = [Run(model, SIGMOID, ref, replace(SMALL, sigma2=s)) for s in (0.0, 0.5) for model in models]
    found = list(sweep.sweep(runs, thread, tmp_path / "r.jsonl"))
    trained = sorted((entry["model"], entry["config"]["sigma2"]) for entry in found)
    assert trained == [("AE", 0), ("CAE", 0.5), ("fixed", 0), ("fixed", 0.5)]
    assert [r["model"] for r in model_curves.of_model(found, "fixed")] == ["fixed", "fixed"]
    assert [r["model"] for r in model_curves.of_model(found, "CAE")] == ["AE", "CAE"]


# Runs, records and checkpoints.


def mine(weight: float, version=None) -> Objective:
    return Objective("mine", Penalised(SlopePenalty(weight=weight)), version)


def run_of(model: Objective, ref) -> Run:
    return Run(model, SIGMOID, ref, replace(SMALL, sigma2=0.5))


def test_an_edited_model_is_trained_again_and_the_other_record_stays(ref, thread, tmp_path):
    out = tmp_path / "r.jsonl"
    (first,) = sweep.sweep([run_of(mine(1.0), ref)], thread, out)
    (second,) = sweep.sweep([run_of(mine(20.0), ref)], thread, out)
    assert first["hash"] != second["hash"] and first["metrics"] != second["metrics"]
    assert list(sweep.sweep([run_of(mine(1.0), ref)], thread, out)) == [first]
    assert jsonl.read(out) == [first, second]


def test_with_a_version_an_edit_does_not_train_again(ref, thread, tmp_path):
    out = tmp_path / "r.jsonl"
    (first,) = sweep.sweep([run_of(mine(1.0, version=1), ref)], thread, out)
    assert list(sweep.sweep([run_of(mine(20.0, version=1), ref)], thread, out)) == [first]


def test_a_helper_that_is_redefined_between_two_sweeps_counts(ref):
    space = {"ae": ae}
    exec("def helper(J):\n    return J", space)
    exec("def mine(p, s_e, x, lam, rng):\n    J, g = ae(p, s_e, x)\n    return helper(J), g", space)
    runs = [run_of(Objective("mine", space["mine"]), ref)]
    before = deduplicate(runs)
    exec("def helper(J):\n    return 2 * J", space)
    assert deduplicate(runs).keys() != before.keys()


def test_a_worker_keeps_the_identity_that_it_was_sent(ref):
    """A worker may have no source, and must not store the record under another hash."""
    (run,) = deduplicate([run_of(mine(2.0), ref)]).values()
    sent = pickle.loads(pickle.dumps(run))
    vars(sent)["identity"] = {**sent.identity, "mark": 1}
    again = pickle.loads(pickle.dumps(sent))
    assert again.identity["mark"] == 1 and pickle.loads(pickle.dumps(run)).hash == run.hash
    assert replace(sent).identity == run.identity


def test_an_edited_model_does_not_go_on_from_an_old_state(ref, tmp_path, caplog):
    kept = checkpoint.Checkpoints(tmp_path / "c", interval=1e-9)
    old, new = run_of(mine(1.0), ref), run_of(mine(20.0), ref)
    train_run(old, kept)
    assert kept.path(old.hash).exists() and kept.path(old.hash) != kept.path(new.hash)
    os.replace(kept.path(old.hash), kept.path(new.hash))
    assert train_run(new, kept)["metrics"] == train_run(new)["metrics"]
    assert "it belongs to another run" in caplog.text


def test_the_later_record_of_a_run_is_drawn_with_a_word(ref, thread, tmp_path, caplog):
    out = tmp_path / "r.jsonl"
    for weight in (1.0, 20.0):
        list(sweep.sweep([run_of(mine(weight), ref), run_of(PAPER_OBJECTIVES["CAE"], ref)], thread, out))
    entries = record_checks.load_records(out)
    found = records.latest(entries)
    assert [entry["hash"] for entry in found if entry["model"] == "mine"] == [run_of(mine(20.0), ref).hash]
    assert len(entries) == 3 and "1 of 3 records are of a run that was trained again later" in caplog.text
    caplog.clear()
    assert records.latest(found) == found and not caplog.text


def test_a_field_that_a_record_lacks_is_at_its_default(ref, tmp_path):
    run = run_of(PAPER_OBJECTIVES["CAE"], ref)
    entry = json.loads(json.dumps(run.description()))
    del entry["config"]["tangent"], entry["data"]["std_offset"]
    record_checks.refuse_other_configuration([{**entry, "identity": {}}], [run], tmp_path / "r.jsonl")
    entry["config"]["eta"] = 0.5
    with pytest.raises(ValueError, match="with eta 0.5, this sweep has 0.001"):
        record_checks.refuse_other_configuration([{**entry, "identity": {}}], [run], tmp_path / "r.jsonl")
    del entry["config"]["eta"]
    other = replace(run, config=replace(run.config, eta=0.5))
    with pytest.raises(ValueError, match="with eta 0.001, this sweep has 0.5"):
        record_checks.refuse_other_configuration([{**entry, "identity": {}}], [other], tmp_path / "r.jsonl")


# Records of older releases.


def older(entry: dict) -> dict:
    """Return a record of a sweep in the form that it had before runs had an identity."""
    kept = {name: value for name, value in entry.items() if name not in ("identity", "hash")}
    described = {name: kept[name] for name in older_records.DESCRIBED}
    return {"hash": older_records.old_hash(described), **kept}


def test_an_older_record_is_found_done(ref, thread, tmp_path, monkeypatch):
    monkeypatch.setattr(run_identity, "VERSIONS", {})  # as in the older release
    out, old = tmp_path / "r.jsonl", tmp_path / "old.jsonl"
    made = list(sweep.sweep(grid(ref), thread, out))
    for entry in made:
        jsonl.append(old, older(entry))
    assert {entry["hash"] for entry in jsonl.read(old)}.isdisjoint(entry["hash"] for entry in made)
    assert list(record_stores.records_by_hash(old).values()) == made
    monkeypatch.setattr(run_identity, "VERSIONS", {"model CAE": 2})
    left = deduplicate(grid(ref)).keys() - record_stores.records_by_hash(old).keys()
    assert {run.model.name for key, run in deduplicate(grid(ref)).items() if key in left} == {"CAE"}


def test_an_older_record_with_a_wrong_hash_is_not_believed(ref, thread, tmp_path):
    (entry,) = sweep.sweep([run_of(PAPER_OBJECTIVES["CAE"], ref)], thread, tmp_path / "r.jsonl")
    wrong = {**older(entry), "hash": "0" * 64}
    assert older_records.with_identity(wrong) == wrong


def test_an_older_record_of_the_users_own_model_is_a_warning(ref, thread, tmp_path, caplog):
    run = run_of(mine(1.0), ref)
    (entry,) = sweep.sweep([run], thread, tmp_path / "r.jsonl")
    old = older(entry)
    assert older_records.with_identity(old) == old
    record_checks.refuse_other_configuration([old], [run], tmp_path / "r.jsonl")
    assert "holds records of mine that do not say what" in caplog.text and caplog.text.count("\n") == 1
    caplog.clear()
    record_checks.refuse_other_configuration([entry], [run], tmp_path / "r.jsonl")
    assert not caplog.text


def test_an_older_trial_is_found_done(tmp_path, monkeypatch):
    preset = certificate_trials.Preset(100, {"digits": 6, "white": 8}, (0.0, 0.5), (0,), (1,))
    wanted = certificate_trials.all_trials(preset, [RELU, softplus_beta(16)], ["L1"])
    for trial in wanted:
        jsonl.append(tmp_path / "r.jsonl", {"hash": trial.old_hash, "lambda": trial.config.sigma2})
    found = certificate_runs.stored(tmp_path / "r.jsonl", wanted).by_hash
    assert found.keys() == {trial.hash for trial in wanted}
    assert all(found[trial.hash]["identity"] == trial.identity for trial in wanted)
    monkeypatch.setattr(run_identity, "VERSIONS", {"activation relu": 2})
    fresh = [replace(trial) for trial in wanted]
    found = certificate_runs.stored(tmp_path / "r.jsonl", fresh).by_hash
    assert {trial.activation.name for trial in fresh if trial.hash not in found} == {"relu"}


@pytest.mark.parametrize("path", RECORDS, ids=[path.stem for path in RECORDS])
def test_the_stored_records_have_the_hash_of_their_identity(path):
    for entry in jsonl.read(path):
        if "hash" in entry:
            digits = certificate_trials.DIGITS if "lambda" in entry else 64
            assert entry["hash"] == run_identity.digest(entry["identity"])[:digits]
            assert entry["identity"]["model"]["name"] == entry["model"]


def script(name: str):
    """A module of benchmarks/."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.pop(0)


def test_the_script_migrates_a_file_once(ref, thread, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(run_identity, "VERSIONS", {})  # as in the older release
    out, old = tmp_path / "r.jsonl", tmp_path / "old.jsonl"
    for entry in sweep.sweep([*grid(ref), run_of(mine(1.0), ref)], thread, out):
        jsonl.append(old, older(entry))
    made = [entry if entry["model"] != "mine" else older(entry) for entry in jsonl.read(out)]
    migrate = script("migrate_records")
    assert migrate.main([str(old)]) == 0 and jsonl.read(old) == made
    said = f"old.jsonl: {len(made) - 1} of {len(made)} records changed, 1 cannot be identified\n"
    assert capsys.readouterr().out == said
    content, mode = old.read_bytes(), old.stat().st_mode
    assert migrate.main([str(old)]) == 0 and (old.read_bytes(), old.stat().st_mode) == (content, mode)
    assert "0 of" in capsys.readouterr().out
    assert migrate.main([str(tmp_path / "none.jsonl")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_versions_compares_numbers_and_not_order_or_age(ref, thread, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(run_identity, "VERSIONS", {})  # as in the older release
    out, other = tmp_path / "r.jsonl", tmp_path / "other.jsonl"
    made = list(sweep.sweep(grid(ref), thread, out))
    for entry in reversed(made):
        jsonl.append(other, older({**entry, "seconds": -1, "versions": {"numpy": "9"}}))
    versions = script("versions")
    assert versions.main([str(out), str(other), "--same"]) == 0
    changed = {**made[0], "history": [{**made[0]["history"][0], "objective": 0.5}, *made[0]["history"][1:]]}
    other.unlink()
    for entry in [changed, *made[1:]]:
        jsonl.append(other, entry)
    assert versions.main([str(out), str(other), "--same"]) == 1 and versions.main([str(out), str(other)]) == 0
    assert f"{len(made) - 1} of {len(made)} records have the same numbers" in capsys.readouterr().out
    (entry,) = sweep.sweep([run_of(mine(1.0), ref)], thread, tmp_path / "more.jsonl")
    jsonl.append(out, entry)
    assert versions.main([str(out), str(other), "--same"]) == 2
    assert "do not hold the same runs: 1 of them" in capsys.readouterr().err
    assert versions.main([str(out), str(tmp_path / "none.jsonl")]) == 2
    assert capsys.readouterr().err == f"versions: results file {tmp_path / 'none.jsonl'} does not exist\n"


@pytest.mark.skipif(not RECORDS, reason="needs the stored records")
def test_versions_reads_the_certificates_trials(tmp_path, capsys):
    path = ROOT / "docs" / "records" / "certificate_validation-long.jsonl"
    entries = jsonl.read(path)
    versions = script("versions")
    for number, code in ((entries[0]["loss"][-1], 0), (0.5, 1)):
        changed = {**entries[0], "loss": [*entries[0]["loss"][:-1], number]}
        other = tmp_path / f"{code}.jsonl"
        for entry in [*entries[1:], changed]:
            jsonl.append(other, entry)
        assert versions.main([str(path), str(other), "--same"]) == code
    assert f"{len(entries) - 1} of {len(entries)} records have the same numbers" in capsys.readouterr().out


def test_plot_only_says_so(ref, thread, tmp_path, caplog):
    out = tmp_path / "r.jsonl"
    for weight in (1.0, 20.0):
        list(sweep.sweep([run_of(mine(weight), ref)], thread, out))

    class Options:
        models, sigma2, seeds = ["mine"], None, None

    assert (
        len(tables.chosen(record_checks.load_records(out), Options)) == 1
        and "the later records are used" in caplog.text
    )
