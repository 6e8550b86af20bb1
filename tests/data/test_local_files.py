"""Files of image sets are found under any name and in any folder. Files of other data sets are not replaced."""

import gzip
import os
from dataclasses import replace

import numpy as np
import pytest
from made_files import all_but, flipped, idx, sha256

from numpy_rae.data import fetch, local_files
from numpy_rae.data.folders import DataError
from numpy_rae.data.sources import RemoteFile

RAW = idx(np.random.default_rng(0).integers(0, 256, (5, 28, 28), np.uint8))
OTHER = idx(np.random.default_rng(1).integers(0, 256, (5, 28, 28), np.uint8))
PACKED = gzip.compress(RAW, mtime=0)
NAME = "train-images-idx3-ubyte.gz"
DIGITS = RemoteFile("mnist", NAME, len(PACKED), sha256(PACKED), ("http://127.0.0.1:9/",), len(RAW), sha256(RAW))
TAR = all_but(0)
PATCHES = RemoteFile("cifar10", "cifar-10-binary.tar.gz", len(TAR), sha256(TAR), ("http://127.0.0.1:9/",))


@pytest.fixture(autouse=True)
def direct(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def put(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


# Any name and any nesting


@pytest.mark.parametrize("content", [RAW, PACKED, gzip.compress(RAW, 1, mtime=0)], ids=["plain", "gzip", "other gzip"])
@pytest.mark.parametrize("name", [
    "train-images.idx3-ubyte", "archive/MNIST/raw/train-images-idx3-ubyte", "train-images-idx3-ubyte (1).gz", NAME,
    "train-images-idx3-ubyte/train-images-idx3-ubyte", f"mnist/{NAME}", "digits.bin", f"{NAME}/{NAME}",
])  # fmt: skip
def test_the_names_of_kaggle_and_of_browsers_are_found(tmp_path, name, content):
    path = put(tmp_path, name, content)
    assert local_files.find(DIGITS, tmp_path) == (path, RAW)
    assert fetch.fetch_file(DIGITS, tmp_path, progress=False) == path


@pytest.mark.parametrize("name", ["cifar-10-binary (1).tar.gz", "downloads/cifar.tgz"])
def test_an_archive_is_found_too(tmp_path, name):
    path = put(tmp_path, name, TAR)
    assert local_files.find(PATCHES, tmp_path) == (path, TAR)


def test_another_file_of_the_same_size_is_passed_over(tmp_path):
    put(tmp_path, "a/fashion-images", OTHER)
    put(tmp_path, "a/fashion-images.gz", gzip.compress(OTHER, mtime=0))
    good = put(tmp_path, "b/mnist-images", RAW)
    assert local_files.find(DIGITS, tmp_path)[0] == good


def test_only_files_of_the_right_size_are_hashed(tmp_path, monkeypatch):
    hashed = []
    monkeypatch.setattr(local_files, "read_verified", lambda path, remote: hashed.append(path.name) or b"")
    for name, content in (("short", RAW[:-1]), ("long", RAW + b"x"), ("zip", b"PK" + PACKED), ("empty", b""),
                          ("packed", gzip.compress(RAW + b"x", mtime=0)), ("wanted", RAW)):  # fmt: skip
        put(tmp_path, name, content)
    local_files.find(DIGITS, tmp_path)
    assert hashed == ["wanted"]


@pytest.mark.parametrize("name", [".hidden/images", "prepared/images", f"mnist/{NAME}.x.part", "1/2/3/4/5/6/7/images"])
def test_hidden_partial_prepared_and_deep_files_are_not_looked_at(tmp_path, name):
    put(tmp_path, name, RAW)
    with pytest.raises(DataError, match="there is no such file"):
        local_files.find(DIGITS, tmp_path)


def test_the_search_is_bounded_and_begins_near(tmp_path, monkeypatch):
    for number in range(20):
        put(tmp_path, f"far/{number}", b"")
    near = put(tmp_path, "images", RAW)
    monkeypatch.setattr(local_files, "MOST_ENTRIES", 10)
    assert local_files.find(DIGITS, tmp_path)[0] == near
    assert len(list(local_files.files_below(tmp_path))) == 9  # "images", "far", and eight of its files


def test_a_circle_of_links_ends(tmp_path):
    (tmp_path / "a").mkdir()
    os.symlink(tmp_path, tmp_path / "a" / "up")
    with pytest.raises(DataError, match="there is no such file"):
        local_files.find(DIGITS, tmp_path)


def test_a_file_that_is_kept_from_the_user_is_one_sentence(tmp_path, monkeypatch):
    def denied(path, *_):
        raise PermissionError(13, "Permission denied", str(path))

    put(tmp_path, NAME, RAW)
    monkeypatch.setattr(local_files, "open", denied, raising=False)
    with pytest.raises(DataError, match=f"{NAME} cannot be read: .*Permission denied"):
        local_files.find(DIGITS, tmp_path)


# Other data sets


@pytest.mark.parametrize("content", [OTHER, gzip.compress(OTHER, mtime=0), idx(np.arange(9, dtype=np.uint8))])
def test_another_data_sets_file_is_not_replaced(tmp_path, content):
    path = put(tmp_path, f"mnist/{NAME}", content)
    with pytest.raises(
        DataError, match=f"^{path} is a whole file, but not {NAME} of mnist.*Move it .* or name another"
    ):
        fetch.fetch_file(DIGITS, tmp_path, progress=False)
    assert path.read_bytes() == content and len(list(path.parent.iterdir())) == 1


def test_another_archive_is_not_replaced(tmp_path):
    content = gzip.compress(gzip.decompress(TAR), 1, mtime=0)
    path = put(tmp_path, "cifar10/cifar-10-binary.tar.gz", content)
    with pytest.raises(DataError, match="is a whole file, but not cifar-10-binary.tar.gz of cifar10"):
        fetch.fetch_file(PATCHES, tmp_path, progress=False)
    assert path.read_bytes() == content


@pytest.mark.parametrize(("remote", "content"), [
    (DIGITS, b""), (DIGITS, RAW[:-1]), (DIGITS, PACKED[:-9]), (DIGITS, b"<html>404</html>"),
    (DIGITS, flipped(PACKED, 8 * len(PACKED) - 40)), (PATCHES, TAR[:-9]), (PATCHES, b""), (PATCHES, b"<html></html>"),
    (PATCHES, flipped(TAR, 8 * len(TAR) - 60)), (PATCHES, gzip.compress(b"", mtime=0)),
])  # fmt: skip
def test_a_damaged_download_may_be_replaced(tmp_path, remote, content):
    path = put(tmp_path, f"{remote.dataset}/{remote.name}", content)
    local_files.refuse_other_data_set(path, remote)
    with pytest.raises(DataError, match="could not be fetched"):
        fetch.fetch_file(replace(remote), tmp_path, progress=False)
