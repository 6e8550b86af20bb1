"""The subset of CIFAR-10: the command makes it from an archive, and its content alone identifies it."""

import io
import shutil

import numpy as np
import pytest
from made_files import BATCHES, archive, member, sha256

from numpy_rae.__main__ import main
from numpy_rae.data import cifar_subset, fetch, image_formats, images
from numpy_rae.data.data_spec import DataSpec, recorded_label
from numpy_rae.data.folders import DataError
from numpy_rae.data.prepared import prepare
from numpy_rae.data.sources import RemoteFile

PIXELS = BATCHES[:, :, 1:].reshape(5, 2, 3, 32, 32)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a data folder with an archive of five batches of two images, in the order 5, 4, ... 1."""
    content = archive(*[member(number) for number in (5, 4, 3, 2, 1)])
    remote = RemoteFile("cifar10", "cifar.tar.gz", len(content), sha256(content), None, ("http://127.0.0.1:1/x",))
    monkeypatch.setenv("NUMPY_RAE_DATA", str(tmp_path / "data"))
    monkeypatch.setitem(fetch.CATALOGUE, "cifar10", (remote,))
    monkeypatch.setattr(images, "parse_cifar10", lambda stream, name: image_formats.parse_cifar10(stream, name, 2))
    (tmp_path / "data" / "cifar10").mkdir(parents=True)
    (tmp_path / "data" / "cifar10" / remote.name).write_bytes(content)
    return tmp_path / "data"


@pytest.mark.parametrize("count", [1, 2])
def test_the_command_cuts_the_first_images_of_each_batch_in_order(folder, count, capsys):
    assert main(["fetch", "cifar10", "--subset", str(count)]) == 0
    path = folder / "cifar10" / f"images_{5 * count}.npy"
    assert capsys.readouterr().out.splitlines()[-1] == str(path)
    wanted = PIXELS[:, :count].reshape(-1, 3, 32, 32)
    made = io.BytesIO()
    np.save(made, wanted)
    assert path.read_bytes() == made.getvalue()


def test_another_file_and_a_second_start(folder, tmp_path, capsys):
    arguments = ["fetch", "cifar10", "--subset", "1", "--subset-out", str(tmp_path / "deep" / "own.npy")]
    assert [main(arguments), main(arguments)] == [0, 0]
    assert np.array_equal(np.load(tmp_path / "deep" / "own.npy"), PIXELS[:, 0])
    assert main(["fetch", "cifar10", "--subset", "2", *arguments[4:]]) == 2
    assert "this file exists and holds other images" in capsys.readouterr().err
    assert len(np.load(tmp_path / "deep" / "own.npy")) == 5


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["cifar10", "--subset", "0"], "--subset is 0; it must be a whole number of at least 1."),
        (["cifar10", "--subset", "3"], "--subset is 3; it must be a whole number in [1, 2]."),
        (["mnist", "--subset", "1"], "--subset is 1; it needs cifar10 among the names."),
        (["cifar10", "--subset-out", "x.npy"], "--subset-out is x.npy; it needs --subset N."),
    ],
)
def test_what_cannot_be_cut_is_refused(folder, arguments, sentence, capsys):
    assert main(["fetch", *arguments]) == 2
    assert capsys.readouterr().err == f"numpy_rae: {sentence}\n"
    assert not list(folder.rglob("*.npy"))


def test_a_folder_that_is_a_file_is_refused(folder, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        cifar_subset.save(PIXELS[:, 0], tmp_path / "file" / "x.npy")


@pytest.fixture
def subset(tmp_path, monkeypatch):
    """Return the path of a small array that the package accepts as the subset, although its name is different."""
    path, array = tmp_path / "anything.npy", np.ascontiguousarray(PIXELS[:, 0])
    np.save(path, array)
    monkeypatch.setenv("NUMPY_RAE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(cifar_subset, "SHAPE", array.shape)
    monkeypatch.setattr(cifar_subset, "SHA256", sha256(array.tobytes()))
    cifar_subset._hashes_to_subset.cache_clear()
    yield path
    cifar_subset._hashes_to_subset.cache_clear()


def test_the_subset_has_its_name_whatever_its_file_is_called(subset, tmp_path):
    ref = prepare(DataSpec("images", 30, path=str(subset)))
    assert ref.spec.label == "30 CIFAR-10 patches (3,805 images)"
    assert ref.description()["path"] == "images_3805.npy"


def test_other_images_keep_the_name_of_their_file(subset, tmp_path):
    other = tmp_path / "images_3805.npy"
    array = np.load(subset)
    array[0, 0, 0, 0] ^= 1
    np.save(other, array)
    ref = prepare(DataSpec("images", 30, path=str(other)))
    assert ref.spec.label == recorded_label(ref.description()) == "30 patches of images_3805.npy"
    shutil.copy(subset, other)
    assert DataSpec("images", 30, path=str(other)).label == "30 CIFAR-10 patches (3,805 images)"


def test_a_record_is_named_by_its_matrix_not_by_a_file_that_happens_to_be_here(subset, tmp_path, monkeypatch):
    ref = prepare(DataSpec("images", 30, path=str(subset)))
    data = {**ref.description(), "path": "anything.npy"}
    monkeypatch.chdir(tmp_path)
    assert recorded_label(data) == "30 patches of anything.npy"
    monkeypatch.setattr(cifar_subset, "MATRICES", frozenset({ref.sha256}))
    assert recorded_label(data) == "30 CIFAR-10 patches (3,805 images)"
    assert recorded_label({"source": "mnist", "count": 50, "path": None}) == "50 MNIST digits"
