"""The user's paths and folders, on machines without a home folder and with a read-only one."""

import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

import numpy_rae
from numpy_rae import __main__ as command
from numpy_rae import _validation
from numpy_rae.data import folders, image_formats
from numpy_rae.data.folders import DataError
from numpy_rae.experiments.command_line import parser, picture_parser
from numpy_rae.experiments.protocol import Protocol
from numpy_rae.storage import model_file


@pytest.fixture(autouse=True)
def no_variables(monkeypatch, tmp_path):
    """Unset the variables for the data folder and the cache, and use the test's own temporary folder."""
    monkeypatch.delenv("NUMPY_RAE_DATA", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def homeless(monkeypatch):
    """Use a user id without an entry in the list of users, and no HOME, as in a container."""
    pwd = pytest.importorskip("pwd")

    def unknown(uid):
        raise KeyError(uid)

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)


def test_a_leading_tilde_is_the_home_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    assert _validation.user_path("~/x") == Path("/home/somebody/x")
    assert _validation.user_path("a/~/x") == Path("a/~/x")


def test_an_unknown_user_is_named():
    with pytest.raises(ValueError, match=r"^path is '~nosuchuser/d'; its home folder is unknown"):
        _validation.user_path("~nosuchuser/d")
    with pytest.raises(DataError, match=r"^folder was '~nosuchuser/d'; its home folder is unknown"):
        folders.data_folder("~nosuchuser/d")


def test_an_unknown_user_in_the_variable_is_named(monkeypatch):
    monkeypatch.setenv("NUMPY_RAE_DATA", "~nosuchuser/d")
    with pytest.raises(DataError, match=r"^NUMPY_RAE_DATA was '~nosuchuser/d'"):
        folders.data_folder()


def test_without_a_home_folder_the_default_is_temporary(homeless, tmp_path):
    assert folders.cache_folder() is None
    assert folders.data_folder() == tmp_path / f"numpy_rae-{os.getuid()}"


def test_a_home_that_is_no_folder_is_none(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", os.devnull)
    assert folders.data_folder().parent == tmp_path


def test_a_home_folder_is_asked_for_only_where_it_is_needed(homeless, tmp_path):
    assert folders.data_folder(tmp_path) == tmp_path
    with pytest.raises(DataError, match="home folder is unknown"):
        folders.data_folder("~/d")


def test_the_temporary_folder_is_closed_to_others(tmp_path):
    assert folders.temporary_folder().stat().st_mode & 0o077 == 0


def test_another_users_temporary_folder_is_refused(monkeypatch):
    pytest.importorskip("pwd")
    user = os.getuid()
    folder = folders.temporary_folder()
    monkeypatch.setattr(os, "getuid", lambda: user + 1)
    os.rename(folder, folder.with_name(f"numpy_rae-{user + 1}"))
    with pytest.raises(DataError, match="belongs to another user"):
        folders.temporary_folder()


def test_no_temporary_folder_is_one_sentence(monkeypatch):
    def none():
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    with pytest.raises(DataError, match="^no temporary folder can be used: .*No usable"):
        folders.temporary_folder()


def test_prepared_data_have_three_places(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMPY_RAE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert list(folders.prepared_folders()) == [
        tmp_path / "data" / "prepared",
        tmp_path / "cache" / "numpy_rae" / "prepared",
        folders.temporary_folder() / "prepared",
    ]


def test_the_default_folder_stands_once(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert len(list(folders.prepared_folders())) == 2


def test_a_picture_script_expands_its_folder(monkeypatch, capsys):
    monkeypatch.setenv("HOME", "/home/somebody")
    assert picture_parser("x", "").parse_args(["--out", "~/x"]).out == Path("/home/somebody/x")
    with pytest.raises(SystemExit):
        picture_parser("x", "").parse_args(["--out", "~nosuchuser/x"])
    assert "argument --out: path is '~nosuchuser/x'; its home folder is unknown" in capsys.readouterr().err


FIGURE = Protocol("figure", "title", "cifar10", "relu", ("CAE",))


@pytest.mark.parametrize("option", ["--out", "--data-dir", "--images"])
def test_a_figure_script_expands_its_paths(monkeypatch, option):
    monkeypatch.setenv("HOME", "/home/somebody")
    options = vars(parser(FIGURE).parse_args([option, "~/x"]))
    assert options[option.strip("-").replace("-", "_")] == Path("/home/somebody/x")


def test_certify_and_fetch_expand_their_paths(monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    asked = command.parser().parse_args(["certify", "--picture", "~/x.png"])
    assert asked.picture == Path("/home/somebody/x.png")
    assert folders.data_folder(command.parser().parse_args(["fetch", "mnist", "--dir", "~/d"]).dir) == Path(
        "/home/somebody/d"
    )


def test_readers_and_writers_expand_their_paths(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    np.save(tmp_path / "images.npy", np.zeros((2, 9, 9), np.uint8))
    assert image_formats.load_images("~/images.npy").shape == (2, 1, 9, 9)
    assert model_file.checked_path("~/model.npz") == tmp_path / "model.npz"
    with pytest.raises(ValueError, match="home folder is unknown"):
        model_file.load("~nosuchuser/model.npz")


def test_a_module_of_the_user_s_named_data_fetch_does_not_matter(tmp_path):
    """No module beside the user's program matters, because the package imports no top-level module of its own."""
    (tmp_path / "data_fetch.py").write_text("raise SystemExit('imported')")
    code = "import numpy_rae.data.prepared, numpy_rae.experiments.figure_script, numpy_rae.experiments.certificate_runs, numpy_rae.__main__"
    root = Path(numpy_rae.__file__).parents[1]
    path = os.pathsep.join([str(tmp_path), str(root)])
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=os.environ | {"PYTHONPATH": path}, check=True)


def test_the_script_in_front_of_the_package_runs():
    script = Path(numpy_rae.__file__).parents[1] / "data_fetch.py"
    done = subprocess.run([sys.executable, script, "mnits"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, "data_fetch: name was 'mnits'; it may be one of mnist, cifar10.\n")
