"""data_fetch against a real server on the loopback interface, with scripted faults, and against damaged files."""

import gzip
import hashlib
import io
import json
import os
import re
import struct
import subprocess
import sys
import tarfile
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

import data_fetch
from data_fetch import DataError, RemoteFile

pytestmark = pytest.mark.filterwarnings("error")
BODY = np.random.default_rng(0).bytes(100_000)
WRONG = bytes(len(BODY))
FLOOD = 1 << 25


class Server(ThreadingHTTPServer):
    """Answers each request for a path with the next step scripted for it, the last one for ever; logs all of them."""

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


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def remote_file(*mirrors, content=BODY, name="file.bin"):
    return RemoteFile("set", name, len(content), sha256(content), mirrors)


def fetch_file(remote, folder, timeout=5.0):
    return data_fetch.fetch_file(remote, folder, timeout=timeout, progress=False)


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
    served = gzip.compress(BODY)
    remote = RemoteFile("set", "digits.gz", len(served), sha256(served), (server.url("/a", serve(served)),),
                        len(BODY), sha256(BODY))  # fmt: skip
    (tmp_path / name).write_bytes(gzip.compress(BODY, 1) if name.endswith(".gz") else BODY)
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
    assert_fetched(fetch_file(remote, tmp_path, timeout=0.2), tmp_path)
    assert time.monotonic() - began < 5
    assert [entry["range"] for entry in server.log] == [None, "bytes=1000-"]


def test_a_hang_of_the_only_mirror_is_reported_as_such(server, tmp_path):
    with pytest.raises(DataError, match=r"/hang \(timed out\)"):
        fetch_file(remote_file(server.url("/hang", hang)), tmp_path, timeout=0.2)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "set").write_text("in the way")
    with pytest.raises(DataError, match="cannot be written"):
        fetch_file(remote_file("http://127.0.0.1:9/"), tmp_path)


# The known size bounds what is read


def test_an_answer_of_unknown_length_is_read_to_the_known_size_only(server, tmp_path, monkeypatch):
    sizes = []
    monkeypatch.setattr(data_fetch.os, "truncate", lambda path, size: sizes.append(path.stat().st_size))
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
import json, sys, data_fetch
fields = json.loads(sys.argv[2])
data_fetch.fetch_file(data_fetch.RemoteFile(*fields), sys.argv[1], progress=False)
"""


def spawn(remote, folder):
    root = Path(data_fetch.__file__).parent
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
    threads.append(threading.Thread(target=lambda: done.append(data_fetch.fetch_file(remote, tmp_path))))
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
    monkeypatch.setattr(data_fetch, "QUIET", 0.5)
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
    monkeypatch.setattr(data_fetch.os, "rename", aged)
    fetch_file(remote_file(server.url("/a", serve())), tmp_path)
    assert len(ages) == 1 and ages[0] < data_fetch.QUIET


def test_a_part_looks_owned_while_mirrors_are_tried(server, tmp_path):
    ages = []

    def stall(handler):
        (part,) = tmp_path.rglob("*.part")
        ages.append(time.time() - part.stat().st_mtime)
        os.utime(part, (0, 0))
        handler.head(404)

    with pytest.raises(DataError):
        fetch_file(remote_file(server.url("/a", stall), server.url("/b", stall)), tmp_path)
    assert len(ages) == 2 and max(ages) < data_fetch.QUIET


# Reading MNIST


def idx(array):
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def small_mnist(server, monkeypatch):
    """A catalogue of a small made MNIST; its arrays by file name."""
    rng = np.random.default_rng(1)
    arrays, remotes = {}, []
    for old in data_fetch.MNIST:
        shape = (5, 28, 28) if "images" in old.name else (5,)
        arrays[old.name] = rng.integers(0, 256, shape, np.uint8)
        raw = idx(arrays[old.name])
        served = gzip.compress(raw)
        url = server.url(f"/{old.name}", serve(served))
        new = RemoteFile("mnist", old.name, len(served), sha256(served), (url,), len(raw), sha256(raw))
        remotes.append(new)
    monkeypatch.setitem(data_fetch.CATALOGUE, "mnist", tuple(remotes))
    return arrays


@pytest.mark.parametrize("split, prefix", [("train", "train"), ("test", "t10k")])
@pytest.mark.parametrize("place, packed", [(".", True), (".", False), ("mnist", True), ("mnist", False)])
def test_mnist_is_found_plain_or_recompressed(small_mnist, tmp_path, split, prefix, place, packed):
    (tmp_path / "mnist").mkdir()
    for name, array in small_mnist.items():
        path = tmp_path / place / (name if packed else name.removesuffix(".gz"))
        path.write_bytes(gzip.compress(idx(array), 1) if packed else idx(array))
    images, labels = data_fetch.load_mnist(split, tmp_path)
    assert images.dtype == labels.dtype == np.uint8
    np.testing.assert_array_equal(images, small_mnist[f"{prefix}-images-idx3-ubyte.gz"])
    np.testing.assert_array_equal(labels, small_mnist[f"{prefix}-labels-idx1-ubyte.gz"])


def test_fetched_mnist_loads(small_mnist, server, tmp_path):
    paths = data_fetch.fetch("mnist", tmp_path, progress=False)
    assert paths == [tmp_path / "mnist" / name for name in small_mnist]
    np.testing.assert_array_equal(data_fetch.load_mnist("train", tmp_path)[0], small_mnist[paths[0].name])


def test_missing_mnist_names_the_command_and_asks_no_server(small_mnist, server, tmp_path):
    with pytest.raises(DataError, match=f'python -m data_fetch mnist --dir "{tmp_path}"'):
        data_fetch.load_mnist("train", tmp_path)
    assert server.log == []


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda packed: packed[:-9], "end-of-stream"),
        (lambda packed: b"PK" + packed[2:], "Not a gzipped file"),
        (lambda packed: packed[:12] + b"\xff\xff\xff" + packed[15:], "cannot be read"),
        (lambda packed: gzip.compress(gzip.decompress(packed)[:-1]), "holds 3935 bytes, SHA-256"),
        (lambda packed: gzip.compress(gzip.decompress(packed)[:-1] + b"\0"), "SHA-256 .*expected"),
        (lambda packed: gzip.compress(gzip.decompress(packed) + b"\0"), "more than 3936 bytes"),
    ],
)
def test_damaged_mnist_is_named(small_mnist, tmp_path, damage, message):
    data_fetch.fetch("mnist", tmp_path, progress=False)
    path = tmp_path / "mnist" / "train-images-idx3-ubyte.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=f"{path}.*{message}"):
        data_fetch.load_mnist("train", tmp_path)


def test_a_good_copy_is_used_though_another_is_damaged(small_mnist, tmp_path):
    data_fetch.fetch("mnist", tmp_path, progress=False)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(b"damaged")
    images, _ = data_fetch.load_mnist("train", tmp_path)
    np.testing.assert_array_equal(images, small_mnist["train-images-idx3-ubyte.gz"])


def test_a_gzip_bomb_is_inflated_to_one_byte_above_the_known_size(small_mnist, tmp_path):
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(bytes(1 << 26), 1))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="more than 3936 bytes"):
            data_fetch.load_mnist("train", tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 23
    finally:
        tracemalloc.stop()


# The idx format

SMALL = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


@pytest.mark.parametrize("array", [SMALL, SMALL[0], SMALL[0, 0], SMALL[None]])
def test_idx_round_trip(array):
    read = data_fetch.parse_idx(idx(array))
    np.testing.assert_array_equal(read, array)
    assert read.dtype == np.uint8 and read.flags.writeable


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\x08",
        b"\0\0\x08\0",
        b"\0\0\x08\x01\0",
        b"\0\0\x08\x05" + struct.pack(">5I", 1, 1, 1, 1, 1) + b"x",
        b"\0\0\x09\x01" + struct.pack(">I", 1) + b"x",
        b"\0\1\x08\x01" + struct.pack(">I", 1) + b"x",
        b"\0\0\x08\x01" + struct.pack(">I", 0),
        b"\0\0\x08\x03" + struct.pack(">3I", 0, 2**32 - 1, 2**32 - 1),
        b"\0\0\x08\x04" + struct.pack(">4I", 2**16, 2**16, 2**16, 2**16),
        idx(SMALL) + b"x",
    ],
)
def test_bad_idx_is_refused_by_name(content):
    with pytest.raises(DataError, match="^some name "):
        data_fetch.parse_idx(content, "some name")


def flipped(content, bit):
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@given(st.integers(0, len(idx(SMALL)) - 1))
def test_every_truncated_idx_is_refused(length):
    with pytest.raises(DataError):
        data_fetch.parse_idx(idx(SMALL)[:length])


@given(st.integers(0, 8 * len(idx(SMALL)) - 1))
def test_a_flipped_bit_of_an_idx_changes_a_pixel_or_is_refused(bit):
    if bit < 8 * 16:
        with pytest.raises(DataError):
            data_fetch.parse_idx(flipped(idx(SMALL), bit))
    else:
        read = data_fetch.parse_idx(flipped(idx(SMALL), bit))
        assert read.shape == SMALL.shape and (read != SMALL).sum() == 1


@given(st.binary(max_size=64) | st.binary(max_size=64).map(lambda rest: b"\0\0\x08" + rest))
def test_any_bytes_are_an_idx_file_or_refused(content):
    with suppress(DataError):
        assert idx(data_fetch.parse_idx(content)) == content


# Reading CIFAR-10

BATCHES = np.random.default_rng(2).integers(0, 256, (5, 2, 3073), np.uint8)


def member(number, kind=tarfile.REGTYPE, rows=None, prefix="cifar-10-batches-bin"):
    content = (BATCHES[number - 1] if rows is None else rows).tobytes()
    info = tarfile.TarInfo(f"{prefix}/data_batch_{number}.bin")
    info.type, info.size, info.linkname = kind, len(content), "data_batch_1.bin"
    return info, io.BytesIO(content) if kind == tarfile.REGTYPE else None


def archive(*members):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for info, content in members:
            tar.addfile(info, content)
    return stream.getvalue()


def parse(content):
    return data_fetch.parse_cifar10(io.BytesIO(content), "made.tar.gz", per_batch=2)


def all_but(number, *others):
    return archive(*[member(other) for other in range(1, 6) if other != number], *others)


def test_cifar10_is_in_batch_order_whatever_the_order_of_members():
    readme = tarfile.TarInfo("cifar-10-batches-bin/readme.html"), io.BytesIO()
    images = parse(archive(readme, *[member(number) for number in (3, 1, 5, 2, 4)]))
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images, BATCHES[:, :, 1:].reshape(10, 3, 32, 32))


def test_a_missing_member_is_named():
    with pytest.raises(DataError, match=r"made.tar.gz lacks cifar-10-batches-bin/data_batch_4.bin\."):
        parse(all_but(4, member(4, prefix="elsewhere"), member(4, prefix="../cifar-10-batches-bin")))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_a_member_that_is_no_regular_file_is_refused(kind):
    with pytest.raises(DataError, match=r"made.tar.gz: .*data_batch_2.bin .* must be a regular file"):
        parse(all_but(2, member(2, kind)))


@pytest.mark.parametrize("count", [1, 3])
def test_a_member_of_another_size_is_refused(count):
    with pytest.raises(DataError, match=rf"data_batch_2.bin has {count * 3073} bytes.* regular file of 6146\."):
        parse(all_but(2, member(2, rows=np.zeros((count, 3073), np.uint8))))


@settings(max_examples=100, deadline=None)
@given(st.floats(0, 1, exclude_max=True))
def test_a_truncated_archive_is_read_or_refused(fraction):
    content = all_but(0)
    with suppress(DataError):
        assert parse(content[: int(fraction * len(content))]).shape == (10, 3, 32, 32)


@pytest.mark.parametrize("length", range(24))
def test_the_beginning_of_an_archive_is_refused(length):
    with pytest.raises(DataError, match="made.tar.gz"):
        parse(all_but(0)[:length])


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_flipped_bit_of_an_archive_is_read_or_refused(data):
    content = all_but(0)
    with suppress(DataError):
        assert parse(flipped(content, data.draw(st.integers(0, 8 * len(content) - 1)))).shape == (10, 3, 32, 32)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 8 * 512 - 1), min_size=1, max_size=3))
def test_a_damaged_member_header_is_read_or_refused(bits):
    content = gzip.decompress(all_but(0))
    for bit in bits:
        content = flipped(content, bit)
    with suppress(DataError):
        assert parse(gzip.compress(content, 1)).shape == (10, 3, 32, 32)


@pytest.mark.parametrize("place", [".", "cifar10"])
def test_cifar10_is_found_and_verified(monkeypatch, tmp_path, place):
    content = all_but(0)
    record = replace(data_fetch.CIFAR10, size=len(content), sha256=sha256(content))
    monkeypatch.setitem(data_fetch.CATALOGUE, "cifar10", (record,))
    path = tmp_path / place / "cifar-10-binary.tar.gz"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"{path}: .* must be a regular file of 30730000"):
        data_fetch.load_cifar10(tmp_path)
    path.write_bytes(flipped(content, 999))
    with pytest.raises(DataError, match=f"{path}.*SHA-256 .*expected"):
        data_fetch.load_cifar10(tmp_path)


# Reading .npy files


def saved(path, array, allow_pickle=False):
    np.save(path, array, allow_pickle=allow_pickle)
    return path


@pytest.mark.parametrize("channels", [1, 3])
def test_images_of_either_layout_become_nchw(tmp_path, channels):
    nchw = np.random.default_rng(3).integers(0, 256, (4, channels, 6, 5), np.uint8)
    first = data_fetch.load_images(saved(tmp_path / "nchw.npy", nchw))
    last = data_fetch.load_images(saved(tmp_path / "nhwc.npy", nchw.transpose(0, 2, 3, 1)))
    for images in (first, last):
        np.testing.assert_array_equal(images, nchw)
        assert type(images) is np.ndarray and images.flags.c_contiguous and images.flags.writeable


def test_grey_images_get_a_channel(tmp_path):
    grey = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    np.testing.assert_array_equal(data_fetch.load_images(saved(tmp_path / "grey.npy", grey)), grey[:, None])


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2, 3, 4, 4), np.float32),
        np.zeros((2, 3, 4, 4), np.int8),
        np.zeros((2, 2, 4, 4), np.uint8),
        np.zeros((4, 4), np.uint8),
        np.zeros((1, 2, 3, 4, 5), np.uint8),
        np.zeros((0, 3, 4, 4), np.uint8),
        np.zeros((), np.uint8),
    ],
)
def test_other_arrays_are_refused(tmp_path, array):
    path = saved(tmp_path / "other.npy", array)
    with pytest.raises(DataError, match=f"^path was '{path}'.*may be a .npy file of uint8"):
        data_fetch.load_images(path)


class Unpickled:
    def __reduce__(self):
        return os.mkdir, (os.environ["UNPICKLED"],)


def test_a_pickled_array_is_refused_and_not_run(tmp_path, monkeypatch):
    monkeypatch.setenv("UNPICKLED", str(tmp_path / "ran"))
    path = saved(tmp_path / "pickled.npy", np.array([Unpickled()], object), allow_pickle=True)
    with pytest.raises(DataError, match="Python objects"):
        data_fetch.load_images(path)
    assert not (tmp_path / "ran").exists()


def test_what_is_no_npy_file_is_refused(tmp_path):
    np.savez(tmp_path / "images.npz", np.zeros((2, 3, 4, 4), np.uint8))
    (tmp_path / "text.npy").write_text("text")
    for path in (tmp_path / "images.npz", tmp_path / "text.npy", tmp_path / "none.npy", tmp_path, None, 3):
        with pytest.raises(DataError, match="^path was .*may be a .npy file"):
            data_fetch.load_images(path)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_damaged_npy_file_is_read_or_refused(tmp_path_factory, data):
    path = saved(tmp_path_factory.getbasetemp() / "damaged.npy", np.zeros((2, 3, 4, 4), np.uint8))
    content = path.read_bytes()
    for bit in data.draw(st.lists(st.integers(0, 8 * len(content) - 1), min_size=1, max_size=3)):
        content = flipped(content, bit)
    path.write_bytes(content[: data.draw(st.integers(0, len(content)) | st.just(len(content)))])
    with suppress(DataError):
        images = data_fetch.load_images(path)
        assert images.dtype == np.uint8 and images.ndim == 4 and images.shape[1] in (1, 3)


# The embedded digits


def test_the_sample_has_500_digits_of_each_class():
    images, labels = data_fetch.load_sample()
    assert images.shape == (5000, 28, 28) and images.dtype == labels.dtype == np.uint8
    assert np.bincount(labels).tolist() == [500] * 10
    assert len(np.unique(images.reshape(5000, -1), axis=0)) > 4990


def test_a_damaged_or_missing_sample_is_refused(tmp_path, monkeypatch):
    content = (data_fetch.files("numpy_rae") / "data" / "mnist_sample.npz").read_bytes()
    monkeypatch.setattr(data_fetch, "files", lambda package: tmp_path)
    with pytest.raises(DataError, match="mnist_sample.npz has SHA-256"):
        data_fetch.load_sample()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mnist_sample.npz").write_bytes(flipped(content, 800_000))
    with pytest.raises(DataError, match="mnist_sample.npz has SHA-256"):
        data_fetch.load_sample()


def test_the_sample_is_what_its_recipe_makes():
    if not os.environ.get("NUMPY_RAE_DATA"):
        pytest.skip("NUMPY_RAE_DATA is not set")
    try:
        images, labels = data_fetch.load_mnist("train")
    except DataError as missing:
        pytest.skip(str(missing))
    assert images.shape == (60_000, 28, 28)
    first = np.sort(np.concatenate([np.flatnonzero(labels == digit)[:500] for digit in range(10)]))
    np.testing.assert_array_equal(data_fetch.load_sample()[0], images[first])
    np.testing.assert_array_equal(data_fetch.load_sample()[1], labels[first])


# Arguments and the command


def test_the_folder_is_the_argument_then_the_variable_then_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMPY_RAE_DATA", str(tmp_path / "variable"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert data_fetch.data_folder(str(tmp_path)) == tmp_path
    assert data_fetch.data_folder() == tmp_path / "variable"
    monkeypatch.setenv("NUMPY_RAE_DATA", "")
    assert data_fetch.data_folder() == tmp_path / "cache" / "numpy_rae"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert data_fetch.data_folder() == tmp_path / "home" / ".cache" / "numpy_rae"


def test_bad_arguments_are_named():
    for call, message in [
        (lambda: data_fetch.fetch("imagenet"), "name was 'imagenet'; it may be one of mnist, cifar10"),
        (lambda: data_fetch.fetch(["mnist"]), "name was"),
        (lambda: data_fetch.fetch("mnist", timeout=0), "timeout was 0"),
        (lambda: data_fetch.fetch("mnist", timeout=float("inf")), "timeout was inf"),
        (lambda: data_fetch.fetch("mnist", timeout="5"), "timeout was '5'"),
        (lambda: data_fetch.fetch("mnist", 3), "folder was 3"),
        (lambda: data_fetch.load_mnist("valid"), "split was 'valid'; it may be train or test"),
        (lambda: data_fetch.load_cifar10(""), "folder was ''"),
    ]:
        with pytest.raises(DataError, match=f"^{re.escape(message)}"):
            call()


def test_the_catalogue_is_whole():
    remotes = [remote for remotes in data_fetch.CATALOGUE.values() for remote in remotes]
    assert len({remote.name for remote in remotes}) == 5
    for remote in remotes:
        hashes = {remote.sha256, remote.raw_sha256} - {None}
        assert all(re.fullmatch("[0-9a-f]{64}", value) for value in hashes)
        assert len(hashes) == (2 if remote.dataset == "mnist" else 1)
        assert len(remote.mirrors) == 2
        assert all(url.startswith("https://") and url.endswith("/" + remote.name) for url in remote.mirrors)


def test_the_command_fetches_and_prints_the_paths(small_mnist, tmp_path, capsys):
    assert data_fetch.main(["mnist", "--dir", str(tmp_path)]) == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / "mnist" / name) for name in small_mnist]


def test_the_command_checks_all_names_before_fetching(small_mnist, server, tmp_path, capsys):
    assert data_fetch.main(["mnist", "mnits", "--dir", str(tmp_path)]) == 2
    assert capsys.readouterr().err == "name was 'mnits'; it may be one of mnist, cifar10.\n"
    assert server.log == []


def test_the_command_reports_failure_in_one_paragraph(small_mnist, server, tmp_path, capsys):
    server.url("/train-images-idx3-ubyte.gz", not_found)
    assert data_fetch.main(["mnist", "--dir", str(tmp_path)]) == 2
    assert re.fullmatch(r".*could not be fetched.*404.*\n", capsys.readouterr().err)


def test_an_interrupted_command_keeps_its_part(small_mnist, server, tmp_path, capsys, monkeypatch):
    def interrupt(response, out, *rest):
        out.write(b"begun")
        raise KeyboardInterrupt

    monkeypatch.setattr(data_fetch, "_copy", interrupt)
    assert data_fetch.main(["mnist", "--dir", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("Interrupted")
    assert [path.read_bytes() for path in tmp_path.rglob("*.part")] == [b"begun"]


def test_help_names_the_data_sets(capsys):
    with pytest.raises(SystemExit) as leave:
        data_fetch.main(["--help"])
    assert leave.value.code == 0
    assert "mnist, cifar10" in capsys.readouterr().out
