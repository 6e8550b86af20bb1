"""Results files: appended records are read back, also after a writer was killed, and errors name the bad file."""

import errno
import json
import math
import os
import re
import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_rae.storage import atomic, jsonl

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)
RECORDS = st.dictionaries(st.text(), VALUES)


@given(records=st.lists(RECORDS, max_size=4))
def test_what_is_appended_is_read_back(tmp_path_factory, records):
    path = tmp_path_factory.mktemp("store") / "r.jsonl"
    for record in records:
        jsonl.append(path, record)
    assert jsonl.read(path) == records


def test_without_advisory_locks_the_round_trip_still_holds(tmp_path, monkeypatch):
    monkeypatch.setattr(jsonl, "fcntl", None)
    path = tmp_path / "r.jsonl"
    jsonl.append(path, {"a": 1})
    jsonl.append(path, {"b": 2})
    assert jsonl.read(path) == [{"a": 1}, {"b": 2}]


def test_a_missing_file_holds_no_records(tmp_path):
    assert jsonl.read(tmp_path / "none.jsonl") == []


@pytest.fixture
def lines(tmp_path):
    """Return the bytes of three records as `jsonl.append` writes them."""
    path = tmp_path / "whole.jsonl"
    for record in ({"a": "é\n"}, {"b": [1, {"c": None}]}, {"d": 0.1}):
        jsonl.append(path, record)
    return path.read_bytes().splitlines(keepends=True)


def test_a_last_line_torn_at_any_byte_loses_only_itself(tmp_path, lines):
    first, last, new = lines
    for cut in range(len(last)):
        path = tmp_path / f"{cut}.jsonl"
        path.write_bytes(first + last[:cut])
        assert jsonl.read(path) == [{"a": "é\n"}]
        jsonl.append(path, json.loads(new))
        assert path.read_bytes() == first + new


def test_a_lone_line_torn_at_any_byte_leaves_an_empty_file(tmp_path, lines):
    for cut in range(len(lines[0])):
        path = tmp_path / f"{cut}.jsonl"
        path.write_bytes(lines[0][:cut])
        assert jsonl.read(path) == []
        jsonl.append(path, {"d": 0.1})
        assert jsonl.read(path) == [{"d": 0.1}]


@pytest.mark.parametrize(
    "broken", [b'{"b": [1', b"", b"\xff\xfe", b"[1, 2]", b"3", b"null", b"[" * 10**5, b'{"a": NaN}', b'{"a": 1e999}']
)
def test_a_broken_middle_line_is_one_sentence_with_file_and_line(tmp_path, lines, broken):
    path = tmp_path / "broken.jsonl"
    path.write_bytes(lines[0] + broken + b"\n" + lines[2])
    with pytest.raises(jsonl.StoreError) as error:
        jsonl.read(path)
    assert str(error.value).startswith(f"results file {path}, line 2 is not ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_nan_and_infinity_are_refused_before_the_file_is_touched(tmp_path, bad):
    path = tmp_path / "r.jsonl"
    with pytest.raises(jsonl.StoreError, match="record cannot be kept as JSON: .*JSON compliant"):
        jsonl.append(path, {"metrics": {"loss": [bad]}})
    assert not path.exists()


WRITER = """
import sys
from pathlib import Path
from numpy_rae.storage import atomic, jsonl
for k in range(60):
    jsonl.append(Path(sys.argv[1]), {"writer": sys.argv[2], "k": k, "long": sys.argv[2] * 20_000})
"""


def test_two_processes_appending_at_once_lose_nothing(tmp_path):
    path = tmp_path / "r.jsonl"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), name]) for name in "ab"]
    assert [writer.wait() for writer in writers] == [0, 0]
    records = jsonl.read(path)
    for name in "ab":
        assert [r["k"] for r in records if r["long"] == name * 20_000] == list(range(60))
    assert len(records) == 120


def test_a_line_that_another_writer_is_at_is_waited_for_and_not_cut(tmp_path):
    fcntl, path = pytest.importorskip("fcntl"), tmp_path / "r.jsonl"
    append = threading.Thread(target=jsonl.append, args=(path, {"mine": 1}))
    with open(path, "ab", buffering=0) as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        other.write(b'{"other"')
        append.start()
        append.join(0.3)
        assert append.is_alive()
        other.write(b": 2}\n")
    append.join()
    assert jsonl.read(path) == [{"other": 2}, {"mine": 1}]


@pytest.mark.parametrize("use", [jsonl.read, jsonl.check_writable, lambda path: jsonl.append(path, {})])
def test_a_path_that_cannot_be_a_file_is_a_store_error(tmp_path, use):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "r.jsonl", tmp_path):
        with pytest.raises(jsonl.StoreError) as error:
            use(path)
        assert re.fullmatch(f"results file {re.escape(str(path))} cannot be (read|written): [A-Z].+", str(error.value))


def test_check_writable_makes_the_folder_and_keeps_the_content(tmp_path):
    path = tmp_path / "new" / "folder" / "r.jsonl"
    jsonl.check_writable(path)
    assert path.parent.is_dir()
    jsonl.append(path, {"a": 1})
    jsonl.check_writable(path)
    assert jsonl.read(path) == [{"a": 1}]


FULL = """
import resource, sys
from pathlib import Path
from numpy_rae.storage import atomic, jsonl
path, size = Path(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
try:
    jsonl.append(path, {"second": "x" * 1000})
except jsonl.StoreError as error:
    print(error)
"""


def test_a_file_that_may_not_grow_keeps_its_records_and_no_part_of_the_new_one(tmp_path):
    """An append that fails, as on a full disk, must keep all records and no part of the new one."""
    pytest.importorskip("resource")
    path = tmp_path / "r.jsonl"
    jsonl.append(path, {"first": 1})
    before = path.read_bytes()
    for room in (0, 1, 500, 1012):
        command = [sys.executable, "-c", FULL, str(path), str(len(before) + room)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout == f"results file {path} cannot be written: File too large\n"
        assert path.read_bytes() == before


def test_a_claimed_file_is_free_again_at_the_end_and_after_its_holder_was_killed(tmp_path):
    pytest.importorskip("fcntl")
    path = tmp_path / "r.jsonl"
    for _ in range(2):
        with jsonl.exclusive_lock(path), pytest.raises(jsonl.StoreError, match="in use by another sweep"):
            with jsonl.exclusive_lock(path):
                pass
    assert list(tmp_path.iterdir()) == []
    holder = "import os, signal, sys, pathlib; from numpy_rae.storage import jsonl\n"
    holder += "with jsonl.exclusive_lock(pathlib.Path(sys.argv[1])): os.kill(os.getpid(), signal.SIGKILL)"
    assert subprocess.run([sys.executable, "-c", holder, str(path)]).returncode < 0
    assert [lock.name for lock in tmp_path.iterdir()] == ["r.jsonl.lock"]
    with jsonl.exclusive_lock(path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_claim_where_nothing_can_be_written_is_a_store_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(jsonl.StoreError, match="cannot be written: Not a directory"):
        with jsonl.exclusive_lock(tmp_path / "file" / "r.jsonl"):
            pass


@pytest.mark.parametrize("record", [None, [1], {"a": {1}}, {"a": object()}])
def test_what_json_cannot_hold_is_refused_before_the_file_is_touched(tmp_path, record):
    with pytest.raises(jsonl.StoreError, match="^record (is a|cannot be kept as JSON)"):
        jsonl.append(tmp_path / "r.jsonl", record)
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "r.jsonl")
    with pytest.raises(jsonl.StoreError, match="r.jsonl cannot be read: It is a pipe"):
        jsonl.read(tmp_path / "r.jsonl")


def test_a_lock_that_cannot_be_removed_does_not_hide_the_error(tmp_path, monkeypatch):
    """The error of the sweep must be reported, also if its folder became read-only and the lock cannot be removed."""

    def refuse(*_, **__):
        raise PermissionError

    path = tmp_path / "r.jsonl"
    with pytest.raises(jsonl.StoreError, match="the sweep's own"), jsonl.exclusive_lock(path):
        monkeypatch.setattr(jsonl.Path, "unlink", refuse)
        raise jsonl.StoreError("the sweep's own")
    monkeypatch.undo()
    with jsonl.exclusive_lock(path):
        pass


def test_rewrite_replaces_the_whole_file_or_says_why_not(tmp_path):
    path = tmp_path / "new" / "r.jsonl"
    for records in ([{"a": 1}, {"a": 2}], [{"b": 0.5}]):
        jsonl.rewrite(path, records)
        assert jsonl.read(path) == records
    with pytest.raises(jsonl.StoreError, match="^record cannot be kept as JSON"):
        jsonl.rewrite(path, [{"b": float("nan")}])
    assert jsonl.read(path) == [{"b": 0.5}]
    with pytest.raises(jsonl.StoreError, match="cannot be written"):
        jsonl.rewrite(tmp_path, [])


def test_a_rewrite_that_fails_leaves_the_whole_old_file(tmp_path, monkeypatch):
    """A rewrite that fails, as on a full disk, must leave the old file. The new content goes to another file first."""

    def full(descriptor):
        assert jsonl.read(path) == [{"a": 1}]
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "r.jsonl"
    jsonl.rewrite(path, [{"a": 1}])
    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(
        jsonl.StoreError, match=f"^results file {re.escape(str(path))} cannot be written: No space left"
    ):
        jsonl.rewrite(path, [{"b": 2}])
    monkeypatch.undo()
    assert jsonl.read(path) == [{"a": 1}] and list(tmp_path.iterdir()) == [path]
