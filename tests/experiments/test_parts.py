"""Parts of a sweep: every job splits it in the same way, complete and balanced. Records that differ are not merged."""

from dataclasses import replace

import made_runs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_runs import grid

from numpy_rae.experiments import parts
from numpy_rae.experiments.run import deduplicate
from numpy_rae.experiments.worker import train_run
from numpy_rae.storage import jsonl
from numpy_rae.storage.jsonl import StoreError


@pytest.fixture(scope="module")
def runs(ref):
    """Return runs of two lengths, by hash."""
    longer = grid(ref, replace(made_runs.SMALL, epochs=6), models=("DAE", "SAE"))
    return deduplicate([*grid(ref), *longer])


@pytest.mark.parametrize("text", ["", "1", "0/3", "4/3", "a/b", "1/0", "-1/3", "1/2/3", "1.5/2", "١/٢", " 1/2"])
def test_what_is_no_part_is_refused(text):
    with pytest.raises(ValueError, match="^--part is .*; it must be I/N with two whole numbers, 1 <= I <= N$"):
        parts.parse_part(text)


def test_a_part_is_read():
    assert parts.parse_part("2/3") == (2, 3) and parts.parse_part("1/1") == (1, 1)


@given(count=st.integers(1, 40), order=st.randoms(use_true_random=False))
def test_every_run_is_in_one_part_whatever_the_order(runs, count, order):
    keys = list(runs)
    order.shuffle(keys)
    split, other = parts.split(runs, count), parts.split({key: runs[key] for key in keys}, count)
    assert sorted(key for part in split for key in part) == sorted(runs)
    assert [set(part) for part in split] == [set(part) for part in other]


@pytest.mark.parametrize("count", [2, 3, 5])
def test_parts_take_about_the_same_time(runs, count):
    """The greedy rule guarantees that no load is above the mean by more than the longest run."""
    loads = [sum(map(parts.cost, part.values())) for part in parts.split(runs, count)]
    longest = max(map(parts.cost, runs.values()))
    assert max(loads) - sum(loads) / count <= longest < sum(loads) / count * 2
    assert max(loads) - min(loads) <= longest


def test_longer_runs_cost_more(ref):
    short, long = grid(ref)[0], replace(grid(ref)[0], config=replace(made_runs.SMALL, epochs=6))
    assert parts.cost(long) == pytest.approx(3 * parts.cost(short))


@pytest.fixture(scope="module")
def record(runs):
    return train_run(next(iter(runs.values())))


def test_the_files_of_parts_are_found_by_their_names_alone(tmp_path):
    results = tmp_path / "fig1-tiny.jsonl"
    wanted = [parts.part_path(results, i, n) for i, n in ((1, 2), (2, 2), (10, 11), (2, 11))]
    for path in [*wanted, tmp_path / "fig10-tiny.part-1-of-2.jsonl", tmp_path / "fig1-tiny.part-x-of-2.jsonl"]:
        path.write_text("")
    assert wanted[0].name == "fig1-tiny.part-1-of-2.jsonl"
    assert parts.part_paths(results) == [*wanted[:2], wanted[3], wanted[2]]


def test_merging_adds_what_is_missing_and_nothing_twice(tmp_path, runs, record):
    results, part = tmp_path / "r.jsonl", tmp_path / "r.part-1-of-1.jsonl"
    other = train_run(list(runs.values())[1])
    jsonl.append(results, record)
    for entry in (record, other, other):
        jsonl.append(part, {**entry, "seconds": 99.0, "made": {"date": "another day"}})
    found = parts.collect([results, part])
    assert [parts.merge(results, found), parts.merge(results, found)] == [1, 0]
    assert [entry["hash"] for entry in jsonl.read(results)] == [record["hash"], other["hash"]]
    assert jsonl.read(results)[0]["seconds"] == record["seconds"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("status", "diverged"), ("metrics", None), ("history", []), ("steps", 1), ("n_extrapolated", 7)],
)
def test_two_records_of_one_run_with_different_numbers_are_refused(tmp_path, record, name, value):
    jsonl.append(tmp_path / "a.jsonl", record)
    jsonl.append(tmp_path / "b.jsonl", {**record, name: value})
    with pytest.raises(
        StoreError, match=rf"a\.jsonl and .*b\.jsonl hold different numbers \({name}\) of the same run, "
    ):
        parts.collect([tmp_path / "a.jsonl", tmp_path / "b.jsonl"])


def test_a_last_digit_is_a_different_number(tmp_path, record):
    metrics = {**record["metrics"], "loss": record["metrics"]["loss"] * (1 + 1e-15)}
    assert parts.conflict(record, {**record, "metrics": metrics}) == "metrics"
    assert parts.conflict(record, {**record, "seconds": 1.0, "versions": {}}) is None


def test_a_part_at_work_is_refused(tmp_path):
    path = tmp_path / "r.part-1-of-1.jsonl"
    with jsonl.exclusive_lock(path), pytest.raises(StoreError, match="is in use by another sweep"):
        parts.refuse_running([path])
    parts.refuse_running([path])
