"""Readers of idx, CIFAR-10 and .npy files, against damaged ones."""

import gzip
import io
import os
import struct
import tarfile
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_files import BATCHES, all_but, archive, flipped, idx, member

from numpy_rae.data import image_formats
from numpy_rae.data.folders import DataError

# The idx format

SMALL = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


@pytest.mark.parametrize("array", [SMALL, SMALL[0], SMALL[0, 0], SMALL[None]])
def test_idx_round_trip(array):
    read = image_formats.parse_idx(idx(array))
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
        image_formats.parse_idx(content, "some name")


@given(st.integers(0, len(idx(SMALL)) - 1))
def test_every_truncated_idx_is_refused(length):
    with pytest.raises(DataError):
        image_formats.parse_idx(idx(SMALL)[:length])


@given(st.integers(0, 8 * len(idx(SMALL)) - 1))
def test_a_flipped_bit_of_an_idx_changes_a_pixel_or_is_refused(bit):
    if bit < 8 * 16:
        with pytest.raises(DataError):
            image_formats.parse_idx(flipped(idx(SMALL), bit))
    else:
        read = image_formats.parse_idx(flipped(idx(SMALL), bit))
        assert read.shape == SMALL.shape and (read != SMALL).sum() == 1


@given(st.binary(max_size=64) | st.binary(max_size=64).map(lambda rest: b"\0\0\x08" + rest))
def test_any_bytes_are_an_idx_file_or_refused(content):
    with suppress(DataError):
        assert idx(image_formats.parse_idx(content)) == content


# Reading CIFAR-10


def parse(content):
    return image_formats.parse_cifar10(io.BytesIO(content), "made.tar.gz", per_batch=2)


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
        assert parse(gzip.compress(content, 1, mtime=0)).shape == (10, 3, 32, 32)


# Reading .npy files


def saved(path, array, allow_pickle=False):
    np.save(path, array, allow_pickle=allow_pickle)
    return path


@pytest.mark.parametrize("channels", [1, 3])
def test_images_of_either_layout_become_nchw(tmp_path, channels):
    nchw = np.random.default_rng(3).integers(0, 256, (4, channels, 6, 5), np.uint8)
    first = image_formats.load_images(saved(tmp_path / "nchw.npy", nchw))
    last = image_formats.load_images(saved(tmp_path / "nhwc.npy", nchw.transpose(0, 2, 3, 1)))
    for images in (first, last):
        np.testing.assert_array_equal(images, nchw)
        assert type(images) is np.ndarray and images.flags.c_contiguous and images.flags.writeable


def test_grey_images_get_a_channel(tmp_path):
    grey = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    np.testing.assert_array_equal(image_formats.load_images(saved(tmp_path / "grey.npy", grey)), grey[:, None])


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
        image_formats.load_images(path)


class Unpickled:
    def __reduce__(self):
        return os.mkdir, (os.environ["UNPICKLED"],)


def test_a_pickled_array_is_refused_and_not_run(tmp_path, monkeypatch):
    monkeypatch.setenv("UNPICKLED", str(tmp_path / "ran"))
    path = saved(tmp_path / "pickled.npy", np.array([Unpickled()], object), allow_pickle=True)
    with pytest.raises(DataError, match="Python objects"):
        image_formats.load_images(path)
    assert not (tmp_path / "ran").exists()


def test_what_is_no_npy_file_is_refused(tmp_path):
    np.savez(tmp_path / "images.npz", np.zeros((2, 3, 4, 4), np.uint8))
    (tmp_path / "text.npy").write_text("text")
    for path in (tmp_path / "images.npz", tmp_path / "text.npy", tmp_path / "none.npy", tmp_path, None, 3):
        with pytest.raises(DataError, match="^path was .*may be a .npy file"):
            image_formats.load_images(path)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_damaged_npy_file_is_read_or_refused(tmp_path_factory, data):
    path = saved(tmp_path_factory.getbasetemp() / "damaged.npy", np.zeros((2, 3, 4, 4), np.uint8))
    content = path.read_bytes()
    for bit in data.draw(st.lists(st.integers(0, 8 * len(content) - 1), min_size=1, max_size=3)):
        content = flipped(content, bit)
    path.write_bytes(content[: data.draw(st.integers(0, len(content)) | st.just(len(content)))])
    with suppress(DataError):
        images = image_formats.load_images(path)
        assert images.dtype == np.uint8 and images.ndim == 4 and images.shape[1] in (1, 3)
