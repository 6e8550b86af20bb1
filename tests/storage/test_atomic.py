"""Files are written completely or not at all, with the same permissions as files of other programs."""

import os

import pytest

from numpy_rae.storage import atomic


def test_the_mode_is_0666_without_the_umask(tmp_path):
    before = os.umask(0o002)
    try:
        atomic.replace_file(tmp_path / "file", lambda file: file.write(b"new"))
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o664


def test_a_writer_that_fails_leaves_the_old_file_alone(tmp_path):
    def fail(file):
        file.write(b"half")
        raise OSError("full")

    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(OSError, match="full"):
        atomic.replace_file(tmp_path / "file", fail)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"old")]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_or_a_folder_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(OSError, match="not a regular file"):
            atomic.replace_file(tmp_path / name, lambda file: None)
    assert (tmp_path / "pipe").is_fifo() and sorted(path.name for path in tmp_path.iterdir()) == ["folder", "pipe"]


def test_a_symbolic_link_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk" / "file")
    for content in (b"old", b"new"):
        atomic.replace_file(tmp_path / "link", lambda file, content=content: file.write(content))
        assert (tmp_path / "link").is_symlink()
        assert [path.read_bytes() for path in (tmp_path / "disk").iterdir()] == [content]
