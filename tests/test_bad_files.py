"""Every reader gets bad files and must return a value or raise its error with one sentence.

The files are cut, changed, lengthened, or unpack to a large size, or have members outside of their folder.
`fuzz.readers.READERS` states what each reader promises. `tests/fuzz/run.py` searches longer, with atheris.
"""

import gzip
import io
import os
import struct
import tarfile
import zipfile
import zlib

import numpy as np
import pytest
from fuzz.readers import MODEL, PREFIX, READERS, cifar10_tar, unpacked, whole_model, whole_tar
from hypothesis import given
from hypothesis import strategies as st

from numpy_rae.data import folders, image_formats, images, sources
from numpy_rae.storage import model_file

WHOLE = [(name, content) for name, reader in READERS.items() for content in reader.whole]
SMALL = [(name, content) for name, content in WHOLE if len(content) < 2000]
ids = [f"{name}-{len(content)}" for name, content in WHOLE]


def outcome(name: str, content: bytes):
    """Return what the reader returns, or the sentence of its error."""
    reader = READERS[name]
    try:
        return reader.read(content)
    except reader.error as error:
        said = str(error)
        assert said and "\n" not in said
        return said


@pytest.mark.parametrize(("name", "content"), WHOLE, ids=ids)
def test_whole_files_are_read(name, content):
    assert not isinstance(outcome(name, content), str)


@pytest.mark.parametrize(("name", "content"), SMALL, ids=[f"{name}-{len(content)}" for name, content in SMALL])
def test_a_file_cut_at_any_byte_is_read_or_refused(name, content):
    """A short file is cut at every byte, a longer one at about 250 bytes."""
    lengths = range(0, len(content), 1 + len(content) // 250)
    refused = [isinstance(outcome(name, content[:length]), str) for length in lengths]
    # A results file may end in a cut line, and the bytes after a tar's last member are only padding.
    assert name == "store" or sum(refused) > 0.9 * len(refused)


@pytest.mark.parametrize(("name", "content"), WHOLE, ids=ids)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused(name, content, data):
    """Bits are flipped, a piece is replaced, the end is cut off, or bytes are appended."""
    changed = bytearray(content)
    for bit in data.draw(st.lists(st.integers(0, 8 * len(content) - 1), max_size=4), label="bits"):
        changed[bit // 8] ^= 1 << bit % 8
    start, length = data.draw(st.integers(0, len(content))), data.draw(st.integers(0, 16))
    if data.draw(st.booleans(), label="replace"):
        changed[start : start + length] = data.draw(st.binary(max_size=16))
    changed = changed[: data.draw(st.just(len(changed)) | st.integers(0, len(changed)), label="cut")]
    outcome(name, bytes(changed) + data.draw(st.binary(max_size=8), label="behind"))


@given(content=st.binary(max_size=600))
@pytest.mark.parametrize("name", [name for name in READERS if name != "store"])
def test_any_bytes_are_refused(name, content):
    assert isinstance(outcome(name, content), str)


# No reader may wait or read without a bound.


class Counted(io.BytesIO):
    """A file that counts the bytes that are read from it."""

    seen = 0

    def read(self, size=-1):
        block = super().read(size)
        self.seen += len(block)
        return block


MEMBER = gzip.compress(bytes(2**20), 0, mtime=0)
BATCH = f"{PREFIX}/data_batch_1.bin"


def header(size: int = 0, kind: bytes = tarfile.REGTYPE, name: str = "other") -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize(
    "first",
    [header(2**40), header(2**40, name=BATCH), header(2**40, tarfile.XHDTYPE), header(2**40, tarfile.GNUTYPE_LONGNAME)],
    ids=["skipped", "batch", "pax", "longname"],
)
def test_a_bomb_is_unpacked_to_the_known_bound_only(first):
    """The file holds 16 MiB, of which the reader may unpack 1 MiB and the bytes of ten images.

    The data are stored, not deflated: since Python 3.12, gzip reads 128 KiB ahead, which would hide 128 MiB of zeros.
    """
    stream = Counted(gzip.compress(first, mtime=0) + 16 * MEMBER)
    with pytest.raises(folders.DataError, match="unpacks to more than 1079306 bytes|must be a regular file of 3073"):
        image_formats.parse_cifar10(stream, "bomb", per_batch=1)
    assert stream.seen < 2 * len(MEMBER)


@pytest.mark.parametrize("size", [2**31, 2**80])
def test_a_size_that_nothing_stands_behind_is_not_waited_for(size):
    """The header of a member gives a size that the file does not have. tarfile would skip it in steps of 10 kB."""
    assert "it ends within a member" in outcome("parse_cifar10-tar", header(size) + bytes(512))


def test_members_without_end_are_given_up():
    stream = Counted(gzip.compress(10_000 * header(), mtime=0))
    with pytest.raises(folders.DataError, match="bomb cannot be read as tar.gz: it unpacks to more than"):
        image_formats.parse_cifar10(stream, "bomb", per_batch=1)


def test_headers_inside_headers_are_given_up():
    """Each long name is followed by another one. tarfile reads them by recursion."""
    chain = 1000 * (header(1, tarfile.GNUTYPE_LONGNAME) + bytes(512))
    assert "cannot be read as tar.gz" in outcome("parse_cifar10-tar", chain)


@pytest.mark.parametrize(
    "fields",
    [
        {"GNU.sparse.map": "x"},
        {"GNU.sparse.size": "x", "GNU.sparse.map": "0,1"},
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "3073"},
        {"size": "-1"},
        {"size": "9" * 5000},
        {"mtime": "nan", "uid": "9" * 400},
        {"path": "\0"},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_a_members_own_records_cannot_break_the_reader(fields):
    outcome("parse_cifar10-tar", whole_tar(tarfile.PAX_FORMAT, pax_headers=fields))


def test_a_deflated_member_is_refused_before_it_is_inflated():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for name in MODEL:
            file.writestr(name, bytes(2**22))
    assert "meta.npy is compressed or longer" in outcome("model_file", stream.getvalue())


def test_a_gzip_stream_of_empty_blocks_ends():
    """The stream unpacks to no bytes, however long it is. The reader must end with its error."""
    empty = b"\x00\x00\x00\xff\xff"
    stream = b"\x1f\x8b\x08" + bytes(7) + 10_000 * empty + b"\x03\x00" + struct.pack("<2I", zlib.crc32(b""), 0)
    assert isinstance(outcome("parse_cifar10", stream), str)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("read", [image_formats.load_images, model_file.load], ids=["load_images", "model_file.load"])
def test_a_pipe_is_refused_and_not_waited_for(read, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises((folders.DataError, model_file.ModelFileError), match="not a regular file|It is a pipe"):
        read(tmp_path / "pipe")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_among_the_data_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / sources.MNIST[0].name)
    with pytest.raises(folders.DataError, match=f"{sources.MNIST[0].name} cannot be read: it is not a regular file"):
        images.load_mnist("train", tmp_path)


# Members outside of the folder, links, and members that occur twice.

LEADING_ELSEWHERE = ["/tmp", "..", f"../{PREFIX}", f"/{PREFIX}", f"./x/../{PREFIX}", "C:\\"]


def tar_of(*members: tuple[str, bytes, str], behind: bytes = bytes(3073)) -> bytes:
    """Return a tar of (name, kind, link) members. Each regular file holds `behind`."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, kind, link in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size = kind, link, len(behind)
            # Only regular files have content, but every header gives a size.
            archive.addfile(info, io.BytesIO(behind) if kind == tarfile.REGTYPE else None)
    return stream.getvalue()


BATCHES = [(f"{PREFIX}/data_batch_{number}.bin", tarfile.REGTYPE, "") for number in range(1, 6)]


@pytest.mark.parametrize("folder", LEADING_ELSEWHERE)
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_members_that_lead_elsewhere_are_passed_over_and_nothing_is_written(folder, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stray = (f"{folder}/data_batch_1.bin", kind, "../../outside")
    assert cifar10_tar(tar_of(stray, *BATCHES)).shape == (5, 3, 32, 32)
    said = outcome("parse_cifar10-tar", tar_of(stray, *BATCHES[1:]))
    assert said == f"archive lacks {BATCH}."
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
@pytest.mark.parametrize("link", ["data_batch_2.bin", f"{PREFIX}/data_batch_2.bin", "/etc/passwd", "../../outside"])
def test_a_batch_that_is_no_plain_file_is_refused(kind, link):
    said = outcome("parse_cifar10-tar", tar_of(*BATCHES[1:], (BATCH, kind, link)))
    assert "data_batch_1.bin has 3073 bytes; it must be a regular file of 3073" in said


def test_a_batch_that_stands_twice_is_refused():
    assert outcome("parse_cifar10-tar", tar_of(*BATCHES, BATCHES[2])) == f"archive holds {BATCHES[2][0]} twice."


def rewritten(change) -> bytes:
    """Return a model file with its (name, content) pairs changed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole_model())) as file:
        members = [(name, file.read(name)) for name in file.namelist()]
    with zipfile.ZipFile(stream, "w") as file:
        for name, content in change(members):
            file.writestr(name, content)
    return stream.getvalue()


@pytest.mark.parametrize("prefix", ["/", "../", "./", "x/", "C:\\"])
def test_a_model_s_members_are_read_by_their_exact_names(prefix, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for change in (
        lambda members: [(prefix + name, content) for name, content in members],
        lambda members: [*members, (f"{prefix}W.npy", b"")],
    ):
        assert "it must hold meta.npy, W.npy, b_e.npy" in outcome("model_file", rewritten(change))
    assert os.listdir(tmp_path) == []


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_a_model_s_member_that_stands_twice_is_refused():
    assert "it must hold" in outcome("model_file", rewritten(lambda members: [*members, members[1]]))


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
@pytest.mark.parametrize("place", [b"null", b'"hidden": 2', b'"sigma2": 0.0'])
def test_no_nan_comes_out_of_a_model_s_metadata(number, place):
    key = place.split(b":")[0] + b": " if b":" in place else b""
    meta, *others = unpacked(whole_model(), MODEL).split(b"--member--")
    changed = meta.replace(place, key + number)
    assert changed != meta
    flat = np.load(io.BytesIO(meta)).tobytes().replace(place, key + number)
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.frombuffer(flat, np.uint8), version=(1, 0))
    said = outcome("model_file-members", b"--member--".join([stream.getvalue(), *others]))
    assert "cannot be used: " in said and ("cannot be kept as JSON" in said or "it must be" in said)


@pytest.mark.parametrize("path", [None, 3, b"\0", "a\0b", 1.5, ["m.npz"]])
def test_what_is_no_path_is_refused_by_name(path):
    for read, error in ((image_formats.load_images, folders.DataError), (model_file.load, ValueError)):
        with pytest.raises(error, match="^path (is|was) "):
            read(path)


def test_readers_of_streams_name_what_they_were_given():
    with pytest.raises(folders.DataError, match="content is a NoneType; it must be the bytes of an idx file"):
        image_formats.parse_idx(None)
    for stream, per_batch in ((None, 1), (b"bytes", 1), (io.BytesIO(), 0), (io.BytesIO(), 1.5), (io.BytesIO(), None)):
        with pytest.raises(folders.DataError, match="^archive: it must be a file open for reading"):
            image_formats.parse_cifar10(stream, per_batch=per_batch)
