"""Downloads from a real server on the loopback interface, with scripted faults."""

import gzip
import json
import os
import re
import subprocess
import sys
import threading
import time
import tracemalloc
from contextlib import suppress
from dataclasses import astuple, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from made_files import all_but, flipped, idx, sha256

from numpy_rae.__main__ import main
from numpy_rae.data import download, fetch, folders, sources
from numpy_rae.data.folders import DataError
from numpy_rae.data.images import load_cifar10, load_mnist
from numpy_rae.data.sources import RemoteFile

pytestmark = pytest.mark.filterwarnings("error")
BODY = np.random.default_rng(0).bytes(100_000)
WRONG = bytes(len(BODY))
FLOOD = 1 << 25


class Server(ThreadingHTTPServer):
    """A server that answers the requests for a path by a list of steps, and repeats the last step.

    It logs all requests.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script, self.log, self.go_on = {}, [], threading.Event()

    def url(self, path, *steps):
        self.script[path] = list(steps)
        return f"http://127.0.0.1:{self.server_port}{path}"

    def handle_error(self, request, client_address):
        pass


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        steps = self.server.script[self.path]
        self.entry = {"path": self.path, "range": self.headers.get("Range"), "sent": 0}
        self.server.log.append(self.entry)
        (steps.pop(0) if len(steps) > 1 else steps[0])(self)

    def log_message(self, *args):
        pass

    def start(self):
        return int(re.fullmatch(r"bytes=(\d+)-", self.headers["Range"])[1]) if self.headers["Range"] else 0

    def head(self, status, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def body(self, content):
        self.entry["sent"] += len(content)
        with suppress(OSError):
            self.wfile.write(content)

    def head_of_rest(self, content):
        start = self.start()
        scope = {"Content_Range": f"bytes {start}-{len(content) - 1}/{len(content)}"} if start else {}
        self.head(206 if start else 200, Content_Length=len(content) - start, **scope)
        return content[start:]


def serve(content=BODY):
    return lambda handler: handler.body(handler.head_of_rest(content))


def cut(count, content=BODY):
    return lambda handler: handler.body(handler.head_of_rest(content)[:count])


def whole(handler):
    handler.head(200, Content_Length=len(BODY))
    handler.body(BODY)


def not_found(handler):
    handler.head(404)


def no_range(handler):
    handler.head(416) if handler.headers["Range"] else whole(handler)


def hang(handler):
    handler.body(handler.head_of_rest(BODY)[:1000])
    handler.server.go_on.wait(20)


def paused(handler):
    rest = handler.head_of_rest(BODY)
    handler.body(rest[:1000])
    handler.server.go_on.wait(20)
    handler.body(rest[1000:])


def slow(handler):
    rest = handler.head_of_rest(BODY)
    for at in range(0, len(rest), 10_000):
        handler.body(rest[at : at + 10_000])
        time.sleep(0.02)


def unannounced(content):
    def step(handler):
        handler.head(200)
        handler.body(content)

    return step


def flood(handler):
    handler.head(200)
    for _ in range(FLOOD >> 16):
        handler.wfile.write(bytes(1 << 16))
        handler.entry["sent"] += 1 << 16


@pytest.fixture(autouse=True)
def direct(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.go_on.set()
        server.shutdown()
        thread.join()


def remote_file(*mirrors, content=BODY, name="file.bin"):
    return RemoteFile("set", name, len(content), sha256(content), mirrors)


def fetch_file(remote, folder, timeout=5.0):
    return fetch.fetch_file(remote, folder, timeout=timeout, progress=False)


def part_of(folder, content, age=3600.0):
    part = folder / "set" / "file.bin.orphan.part"
    part.parent.mkdir(exist_ok=True)
    part.write_bytes(content)
    os.utime(part, (time.time() - age,) * 2)
    return part


def names(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def assert_fetched(path, folder, content=BODY):
    assert path == folder / "set" / "file.bin"
    assert path.read_bytes() == content
    assert names(folder) == ["file.bin"]


# Fetching


def test_one_request_fetches_the_file(server, tmp_path):
    remote = remote_file(server.url("/a", serve()))
    assert_fetched(fetch_file(remote, tmp_path), tmp_path)
    assert [(entry["range"], entry["sent"]) for entry in server.log] == [(None, len(BODY))]


def test_a_good_file_is_not_asked_for_again(server, tmp_path):
    remote = remote_file(server.url("/a", serve()))
    fetch_file(remote, tmp_path)
    assert_fetched(fetch_file(remote, tmp_path), tmp_path)
    assert len(server.log) == 1


def test_a_damaged_file_is_fetched_again(server, tmp_path):
    remote = remote_file(server.url("/a", serve()))
    fetch_file(remote, tmp_path).write_bytes(WRONG)
    assert_fetched(fetch_file(remote, tmp_path), tmp_path)
    assert len(server.log) == 2


def test_a_damaged_file_stays_while_nothing_better_is_had(server, tmp_path):
    target = tmp_path / "set" / "file.bin"
    target.parent.mkdir()
    target.write_bytes(WRONG)
    with pytest.raises(DataError):
        fetch_file(remote_file(server.url("/a", not_found)), tmp_path)
    assert target.read_bytes() == WRONG and names(tmp_path) == ["file.bin"]


@pytest.mark.parametrize("name", ["digits", "digits.gz"])
def test_any_compression_of_the_right_bytes_counts_as_present(server, tmp_path, name):
    served = gzip.compress(BODY, mtime=0)
    remote = RemoteFile("set", "digits.gz", len(served), sha256(served), (server.url("/a", serve(served)),),
                        len(BODY), sha256(BODY))  # fmt: skip
    (tmp_path / name).write_bytes(gzip.compress(BODY, 1, mtime=0) if name.endswith(".gz") else BODY)
    assert fetch_file(remote, tmp_path) == tmp_path / name
    assert server.log == []


def test_wrong_hash_on_the_first_mirror_then_the_second(server, tmp_path):
    remote = remote_file(server.url("/bad", serve(WRONG)), server.url("/good", serve()))
    assert_fetched(fetch_file(remote, tmp_path), tmp_path)
    assert [(entry["path"], entry["range"]) for entry in server.log] == [("/bad", None), ("/good", None)]


def test_wrong_hash_everywhere_leaves_nothing_and_names_both_hashes(server, tmp_path):
    remote = remote_file(server.url("/bad", serve(WRONG)))
    with pytest.raises(DataError) as error:
        fetch_file(remote, tmp_path)
    assert sha256(WRONG) in str(error.value) and sha256(BODY) in str(error.value)
    assert names(tmp_path) == []


def test_the_final_message_says_all_that_is_needed(server, tmp_path):
    remote = remote_file(server.url("/a", not_found), server.url("/b", not_found))
    with pytest.raises(DataError) as error:
        fetch_file(remote, tmp_path)
    message = str(error.value)
    for part in (str(tmp_path / "set" / "file.bin"), remote.sha256, "100000 bytes", "NUMPY_RAE_DATA", "by hand"):
        assert part in message
    for url in remote.mirrors:
        assert f"{url} (HTTP Error 404" in message
    assert "\n" not in message


def test_no_network(server, tmp_path):
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as closed:
        url = f"http://127.0.0.1:{closed.server_port}/a"
    with pytest.raises(DataError, match=f"{url} .*refused"):
        fetch_file(remote_file(url), tmp_path)
    assert names(tmp_path) == []


def test_a_server_that_hangs_is_given_up_and_the_next_goes_on(server, tmp_path):
    remote = remote_file(server.url("/hang", hang), server.url("/good", serve()))
    began = time.monotonic()
    assert_fetched(fetch_file(remote, tmp_path, timeout=1.0), tmp_path)
    assert time.monotonic() - began < 5
    assert [entry["range"] for entry in server.log] == [None, "bytes=1000-"]


def test_a_hang_of_the_only_mirror_is_reported_as_such(server, tmp_path):
    with pytest.raises(DataError, match=r"/hang \(timed out\)"):
        fetch_file(remote_file(server.url("/hang", hang)), tmp_path, timeout=0.2)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "set").write_text("in the way")
    with pytest.raises(DataError, match="cannot be written"):
        fetch_file(remote_file("http://127.0.0.1:9/"), tmp_path)


# The known size bounds the number of bytes that are read


def test_an_answer_of_unknown_length_is_read_to_the_known_size_only(server, tmp_path, monkeypatch):
    sizes = []
    monkeypatch.setattr(download.os, "truncate", lambda path, size: sizes.append(path.stat().st_size))
    with pytest.raises(DataError, match="found SHA-256"):
        fetch_file(remote_file(server.url("/a", flood)), tmp_path)
    assert sizes == [len(BODY)]
    assert server.log[0]["sent"] < FLOOD


def test_a_right_beginning_of_a_longer_answer_is_the_file(server, tmp_path):
    remote = remote_file(server.url("/a", unannounced(BODY + WRONG)))
    assert_fetched(fetch_file(remote, tmp_path), tmp_path)


@pytest.mark.parametrize("content", [BODY + b"more", BODY[:-1]])
def test_another_announced_size_is_refused_before_a_byte_is_kept(server, tmp_path, content):
    with pytest.raises(DataError, match=f"answers with {len(content)} bytes instead of {len(BODY)}"):
        fetch_file(remote_file(server.url("/a", serve(content))), tmp_path)
    assert names(tmp_path) == []


# Resuming


def test_a_later_run_asks_for_the_remainder_only(server, tmp_path):
    remote = remote_file(server.url("/a", cut(30_000), serve()))
    with pytest.raises(DataError, match="ended after 30000 of 100000 bytes"):
        fetch_file(remote, tmp_path)
    (left,) = names(tmp_path)
    assert left.endswith(".part")
    began = time.monotonic()
    assert_fetched(fetch_file(remote, tmp_path), tmp_path)
    assert time.monotonic() - began < 5
    assert server.log[1] == {"path": "/a", "range": "bytes=30000-", "sent": 70_000}
    assert len(server.log) == 2


def test_the_next_mirror_continues_what_the_first_began(server, tmp_path):
    remote = remote_file(server.url("/cut", cut(30_000)), server.url("/good", serve()))
    assert_fetched(fetch_file(remote, tmp_path), tmp_path)
    assert server.log[1] == {"path": "/good", "range": "bytes=30000-", "sent": 70_000}


@pytest.mark.parametrize("step, ranges", [(whole, ["bytes=400-"]), (no_range, ["bytes=400-", None])])
def test_a_server_without_ranges_starts_anew(server, tmp_path, step, ranges):
    part_of(tmp_path, BODY[:400])
    assert_fetched(fetch_file(remote_file(server.url("/a", step)), tmp_path), tmp_path)
    assert [entry["range"] for entry in server.log] == ranges


def test_another_range_than_asked_for_is_refused_and_the_part_kept(server, tmp_path):
    def shifted(handler):
        handler.head(206, Content_Range=f"bytes 0-{len(BODY) - 1}/{len(BODY)}", Content_Length=len(BODY) - 400)
        handler.body(BODY[:-400])

    part_of(tmp_path, BODY[:400])
    with pytest.raises(DataError, match="instead of bytes 400-99999"):
        fetch_file(remote_file(server.url("/a", shifted)), tmp_path)
    (left,) = (tmp_path / "set").iterdir()
    assert left.read_bytes() == BODY[:400]


def test_a_complete_part_needs_no_request(server, tmp_path):
    part_of(tmp_path, BODY)
    assert_fetched(fetch_file(remote_file(server.url("/a", serve())), tmp_path), tmp_path)
    assert server.log == []


def test_a_bad_part_is_not_held_against_the_mirror(server, tmp_path):
    part_of(tmp_path, WRONG[:400])
    assert_fetched(fetch_file(remote_file(server.url("/a", serve())), tmp_path), tmp_path)
    assert [entry["range"] for entry in server.log] == ["bytes=400-", None]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kept=st.integers(0, len(BODY) + 5), flips=st.lists(st.integers(0, len(BODY) + 4), max_size=2))
@example(kept=len(BODY) + 5, flips=[])
@example(kept=len(BODY), flips=[0])
def test_whatever_an_earlier_run_left_the_file_comes_out_right(server, tmp_path_factory, kept, flips):
    folder = tmp_path_factory.mktemp("run")
    left = bytearray(BODY + b"extra")[:kept]
    for at in flips:
        if at < kept:
            left[at] ^= 1
    part_of(folder, left)
    assert_fetched(fetch_file(remote_file(server.url("/a", serve())), folder), folder)


# Several processes

CHILD = """
import json, sys
from numpy_rae.data import fetch, sources
fields = json.loads(sys.argv[2])
fetch.fetch_file(sources.RemoteFile(*fields), sys.argv[1], progress=False)
"""


def spawn(remote, folder):
    root = Path(fetch.__file__).parents[2]
    return subprocess.Popen([sys.executable, "-W", "error", "-c", CHILD, folder, json.dumps(astuple(remote))], cwd=root)


def begun(folder):
    return any(part.stat().st_size for part in folder.rglob("*.part"))


def wait_for(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_two_processes_end_with_one_good_file(server, tmp_path):
    remote = remote_file(server.url("/a", slow))
    children = [spawn(remote, tmp_path) for _ in range(2)]
    assert [child.wait(20) for child in children] == [0, 0]
    assert_fetched(tmp_path / "set" / "file.bin", tmp_path)


def test_eight_threads_from_one_orphan_end_with_one_good_file(server, tmp_path):
    part_of(tmp_path, BODY[:400])
    remote, barrier, done = remote_file(server.url("/a", slow)), threading.Barrier(8), []

    def run():
        barrier.wait()
        done.append(fetch_file(remote, tmp_path))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 8
    assert_fetched(done[0], tmp_path)
    assert [entry["range"] for entry in server.log].count("bytes=400-") == 1


def test_a_second_process_waits_for_the_first_and_asks_for_nothing(server, tmp_path, capsys):
    remote = remote_file(server.url("/a", paused))
    done = []
    threads = [threading.Thread(target=lambda: done.append(fetch_file(remote, tmp_path)))]
    threads[0].start()
    wait_for(lambda: begun(tmp_path))
    threads.append(threading.Thread(target=lambda: done.append(fetch.fetch_file(remote, tmp_path))))
    threads[1].start()
    time.sleep(0.3)
    assert done == []
    server.go_on.set()
    for thread in threads:
        thread.join(10)
    assert len(done) == 2 and len(server.log) == 1
    assert_fetched(done[1], tmp_path)
    assert "Waiting for another download of file.bin." in capsys.readouterr().err


def test_the_part_of_a_killed_process_is_continued_once_it_is_quiet(server, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "STALE_AFTER_SECONDS", 0.5)
    remote = remote_file(server.url("/a", hang, serve()))
    child = spawn(remote, tmp_path)
    wait_for(lambda: begun(tmp_path))
    child.kill()
    child.wait()
    assert_fetched(fetch_file(remote, tmp_path, timeout=0.2), tmp_path)
    assert [entry["range"] for entry in server.log] == [None, "bytes=1000-"]


def test_a_part_looks_owned_before_it_is_renamed(server, tmp_path, monkeypatch):
    ages, rename = [], os.rename

    def aged(part, mine):
        ages.append(time.time() - part.stat().st_mtime)
        rename(part, mine)

    part_of(tmp_path, BODY[:400])
    monkeypatch.setattr(fetch.os, "rename", aged)
    fetch_file(remote_file(server.url("/a", serve())), tmp_path)
    assert len(ages) == 1 and ages[0] < fetch.STALE_AFTER_SECONDS


def test_a_part_looks_owned_while_mirrors_are_tried(server, tmp_path):
    ages = []

    def stall(handler):
        (part,) = tmp_path.rglob("*.part")
        ages.append(time.time() - part.stat().st_mtime)
        os.utime(part, (0, 0))
        handler.head(404)

    with pytest.raises(DataError):
        fetch_file(remote_file(server.url("/a", stall), server.url("/b", stall)), tmp_path)
    assert len(ages) == 2 and max(ages) < fetch.STALE_AFTER_SECONDS


# Reading MNIST


@pytest.fixture
def small_mnist(server, monkeypatch):
    """Use a catalogue of a small made MNIST, and return its arrays by file name."""
    rng = np.random.default_rng(1)
    arrays, remotes = {}, []
    for old in sources.MNIST:
        shape = (5, 28, 28) if "images" in old.name else (5,)
        arrays[old.name] = rng.integers(0, 256, shape, np.uint8)
        raw = idx(arrays[old.name])
        served = gzip.compress(raw, mtime=0)
        url = server.url(f"/{old.name}", serve(served))
        new = RemoteFile("mnist", old.name, len(served), sha256(served), (url,), len(raw), sha256(raw))
        remotes.append(new)
    monkeypatch.setitem(sources.CATALOGUE, "mnist", tuple(remotes))
    return arrays


@pytest.mark.parametrize("split, prefix", [("train", "train"), ("test", "t10k")])
@pytest.mark.parametrize("place, packed", [(".", True), (".", False), ("mnist", True), ("mnist", False)])
def test_mnist_is_found_plain_or_recompressed(small_mnist, tmp_path, split, prefix, place, packed):
    (tmp_path / "mnist").mkdir()
    for name, array in small_mnist.items():
        path = tmp_path / place / (name if packed else name.removesuffix(".gz"))
        path.write_bytes(gzip.compress(idx(array), 1, mtime=0) if packed else idx(array))
    images, labels = load_mnist(split, tmp_path)
    assert images.dtype == labels.dtype == np.uint8
    np.testing.assert_array_equal(images, small_mnist[f"{prefix}-images-idx3-ubyte.gz"])
    np.testing.assert_array_equal(labels, small_mnist[f"{prefix}-labels-idx1-ubyte.gz"])


def test_fetched_mnist_loads(small_mnist, server, tmp_path):
    paths = fetch.fetch("mnist", tmp_path, progress=False)
    assert paths == [tmp_path / "mnist" / name for name in small_mnist]
    np.testing.assert_array_equal(load_mnist("train", tmp_path)[0], small_mnist[paths[0].name])


def test_missing_mnist_names_the_command_and_asks_no_server(small_mnist, server, tmp_path):
    with pytest.raises(DataError, match=f'python -m numpy_rae fetch mnist --dir "{tmp_path}"'):
        load_mnist("train", tmp_path)
    assert server.log == []


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda packed: packed[:-9], "end-of-stream"),
        (lambda packed: b"PK" + packed[2:], "SHA-256"),
        (lambda packed: packed[:12] + b"\xff\xff\xff" + packed[15:], "cannot be read"),
        (lambda packed: gzip.compress(gzip.decompress(packed)[:-1], mtime=0), "holds 3935 bytes, SHA-256"),
        (lambda packed: gzip.compress(gzip.decompress(packed)[:-1] + b"\0", mtime=0), "SHA-256 .*expected"),
        (lambda packed: gzip.compress(gzip.decompress(packed) + b"\0", mtime=0), "more than 3936 bytes"),
    ],
)
def test_damaged_mnist_is_named(small_mnist, tmp_path, damage, message):
    fetch.fetch("mnist", tmp_path, progress=False)
    path = tmp_path / "mnist" / "train-images-idx3-ubyte.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=f"{path}.*{message}"):
        load_mnist("train", tmp_path)


def test_a_good_copy_is_used_though_another_is_damaged(small_mnist, tmp_path):
    fetch.fetch("mnist", tmp_path, progress=False)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(b"damaged")
    images, _ = load_mnist("train", tmp_path)
    np.testing.assert_array_equal(images, small_mnist["train-images-idx3-ubyte.gz"])


def test_a_gzip_bomb_is_inflated_to_one_byte_above_the_known_size(small_mnist, tmp_path):
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(bytes(1 << 26), 1, mtime=0))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="more than 3936 bytes"):
            load_mnist("train", tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 23
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("place", [".", "cifar10"])
def test_cifar10_is_found_and_verified(monkeypatch, tmp_path, place):
    content = all_but(0)
    record = replace(sources.CIFAR10, size=len(content), sha256=sha256(content))
    monkeypatch.setitem(sources.CATALOGUE, "cifar10", (record,))
    path = tmp_path / place / "cifar-10-binary.tar.gz"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"{path}: .* must be a regular file of 30730000"):
        load_cifar10(tmp_path)
    path.write_bytes(flipped(content, 999))
    with pytest.raises(DataError, match=f"{path}.*SHA-256 .*expected"):
        load_cifar10(tmp_path)


# Arguments and the command


def test_the_folder_is_the_argument_then_the_variable_then_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMPY_RAE_DATA", str(tmp_path / "variable"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert folders.data_folder(str(tmp_path)) == tmp_path
    assert folders.data_folder() == tmp_path / "variable"
    monkeypatch.setenv("NUMPY_RAE_DATA", "")
    assert folders.data_folder() == tmp_path / "cache" / "numpy_rae"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    (tmp_path / "home").mkdir()
    assert folders.data_folder() == tmp_path / "home" / ".cache" / "numpy_rae"


def test_bad_arguments_are_named():
    for call, message in [
        (lambda: fetch.fetch("imagenet"), "name was 'imagenet'; it may be one of mnist, cifar10"),
        (lambda: fetch.fetch(["mnist"]), "name was"),
        (lambda: fetch.fetch("mnist", timeout=0), "timeout was 0"),
        (lambda: fetch.fetch("mnist", timeout=float("inf")), "timeout was inf"),
        (lambda: fetch.fetch("mnist", timeout="5"), "timeout was '5'"),
        (lambda: fetch.fetch("mnist", 3), "folder was 3"),
        (lambda: load_mnist("valid"), "split was 'valid'; it may be train or test"),
        (lambda: load_cifar10(""), "folder was ''"),
    ]:
        with pytest.raises(DataError, match=f"^{re.escape(message)}"):
            call()


def test_the_catalogue_is_whole():
    remotes = [remote for remotes in sources.CATALOGUE.values() for remote in remotes]
    assert len({remote.name for remote in remotes}) == 5
    for remote in remotes:
        hashes = {remote.sha256, remote.raw_sha256} - {None}
        assert all(re.fullmatch("[0-9a-f]{64}", value) for value in hashes)
        assert len(hashes) == (2 if remote.dataset == "mnist" else 1)
        assert len(remote.mirrors) == 2
        assert all(url.startswith("https://") and url.endswith("/" + remote.name) for url in remote.mirrors)


def test_the_command_fetches_and_prints_the_paths(small_mnist, tmp_path, capsys):
    assert main(["fetch", "mnist", "--dir", str(tmp_path)]) == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / "mnist" / name) for name in small_mnist]


def test_the_command_checks_all_names_before_fetching(small_mnist, server, tmp_path, capsys):
    assert main(["fetch", "mnist", "mnits", "--dir", str(tmp_path)]) == 2
    assert capsys.readouterr().err == "numpy_rae: name was 'mnits'; it may be one of mnist, cifar10.\n"
    assert server.log == []


def test_the_command_reports_failure_in_one_paragraph(small_mnist, server, tmp_path, capsys):
    server.url("/train-images-idx3-ubyte.gz", not_found)
    assert main(["fetch", "mnist", "--dir", str(tmp_path)]) == 2
    assert re.fullmatch(r".*could not be fetched.*404.*\n", capsys.readouterr().err)


def test_an_interrupted_command_keeps_its_part(small_mnist, server, tmp_path, capsys, monkeypatch):
    def interrupt(response, out, *rest):
        out.write(b"begun")
        raise KeyboardInterrupt

    monkeypatch.setattr(download, "_copy", interrupt)
    assert main(["fetch", "mnist", "--dir", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "numpy_rae: interrupted; run the command again to continue the download\n"
    assert [path.read_bytes() for path in tmp_path.rglob("*.part")] == [b"begun"]


SCRIPT = """
import json, runpy, sys
from numpy_rae.data import sources
sources.CATALOGUE["made"] = [sources.RemoteFile(*json.loads(sys.argv.pop(1)))]
{start}
"""
STARTS = [
    'runpy.run_path("data_fetch.py", run_name="__main__")',
    'sys.argv.insert(1, "fetch"); runpy.run_module("numpy_rae", run_name="__main__")',
]


@pytest.mark.parametrize("start", STARTS, ids=["data_fetch.py", "-m numpy_rae fetch"])
def test_a_reader_that_has_gone_is_no_traceback(server, tmp_path, start):
    """As in `data_fetch.py mnist | head -1`: the file is fetched, and stderr is empty."""
    remote = remote_file(server.url("/a", serve()))
    begin, end = os.pipe()
    os.close(begin)
    line = [sys.executable, "-c", SCRIPT.format(start=start), json.dumps(astuple(remote))]
    root = Path(fetch.__file__).parents[2]
    done = subprocess.run(
        [*line, "made", "--dir", str(tmp_path)], stdout=end, stderr=subprocess.PIPE, text=True, cwd=root
    )
    os.close(end)
    assert (done.returncode, done.stderr) == (0, "")
    assert_fetched(tmp_path / "set" / "file.bin", tmp_path)


def test_help_names_the_data_sets(capsys):
    with pytest.raises(SystemExit) as leave:
        main(["fetch", "--help"])
    assert leave.value.code == 0
    assert "mnist, cifar10" in capsys.readouterr().out
