"""Prepared data: content of the matrix, name, mapping and protection of its file, and what a record says about it."""

import errno
import hashlib
import json
import logging
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from numpy_rae.activations import RELU
from numpy_rae.data import data_matrix, data_spec, folders, images, prepared
from numpy_rae.data.data_matrix import build
from numpy_rae.data.data_spec import DataSpec
from numpy_rae.data.prepared import load, prepare, store_array
from numpy_rae.experiments.run import Run
from numpy_rae.objectives import AE
from numpy_rae.train_config import TrainConfig

DIGITS = DataSpec("digits", 40, std_offset=0.1)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Use an empty data folder, cache and temporary folder."""
    monkeypatch.setenv("NUMPY_RAE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / "data" / "prepared"


@pytest.fixture
def pictures(tmp_path):
    """Return a spec of patches from a small .npy file of images."""
    path = tmp_path / "secret place" / "pictures.npy"
    path.parent.mkdir()
    np.save(path, np.random.default_rng(1).integers(0, 256, (3, 12, 13, 3), np.uint8))
    return DataSpec("images", 30, path=str(path))


def test_digits_are_the_first_of_the_sample_standardised(folder):
    x = build(DIGITS)
    pixels = images.load_sample()[0][:40].reshape(40, 784) / 255
    assert x.shape == (40, 784) and x.dtype == np.float32
    expected = (pixels - pixels.mean(axis=0)) / (pixels.std(axis=0) + 0.1)
    varied = pixels.std(axis=0) > 0
    np.testing.assert_allclose(x[:, varied], expected[:, varied], rtol=1e-6, atol=1e-7)
    assert not x[:, ~varied].any() and varied.any() and not varied.all()
    np.testing.assert_allclose(x.mean(axis=0, dtype=np.float64), 0, atol=1e-7)


def test_images_give_standardised_patches_of_their_own(pictures):
    x = build(pictures)
    assert x.shape == (30, 3 * data_spec.PATCH**2) and x.dtype == np.float32
    np.testing.assert_allclose(x.std(axis=0, dtype=np.float64), 1, rtol=1e-6)
    assert not np.array_equal(x, build(replace(pictures, seed=1)))
    assert np.array_equal(x, build(pictures))


def test_the_photograph_gives_patches():
    assert data_matrix.photograph().dtype == np.uint8
    assert build(DataSpec("photograph", 50)).shape == (50, 192)


def test_load_maps_what_build_makes_read_only(folder):
    ref = prepare(DIGITS)
    x = load(ref)
    assert isinstance(x, np.memmap) and not x.flags.writeable
    assert np.array_equal(x, build(DIGITS)) and x.shape == ref.shape
    assert len(list(folder.iterdir())) == 1


def test_the_hash_names_the_content_alone(folder):
    x = build(DIGITS)
    ref = store_array(x, DIGITS)
    assert ref.sha256 == hashlib.sha256(x.tobytes()).hexdigest()
    other = store_array(x + np.float32(1), DIGITS)
    assert other.sha256 != ref.sha256
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        f"digits-40-{sha[:16]}.npy" for sha in (ref.sha256, other.sha256)
    )
    assert np.array_equal(load(other), x + np.float32(1)) and np.array_equal(load(ref), x)


def test_a_machine_without_the_file_makes_it(folder):
    ref = prepare(DIGITS)
    next(folder.iterdir()).unlink()
    assert np.array_equal(load(ref), build(DIGITS))


def test_a_reference_that_this_machines_images_do_not_fit_is_refused(folder, pictures):
    with pytest.raises(folders.DataError, match="other data than the sweep's"):
        load(replace(prepare(DIGITS), sha256="0" * 64))
    ref = prepare(pictures)
    next(folder.glob("images-*")).unlink()
    np.save(pictures.path, np.zeros((2, 9, 9), np.uint8))
    with pytest.raises(folders.DataError, match="30 patches of pictures.npy"):
        load(ref)


@pytest.mark.parametrize("use", [lambda ref: prepare(ref.spec), load], ids=["prepare", "load"])
@pytest.mark.parametrize("damage", [
    lambda path, x: np.save(path, x + np.float32(1)),
    lambda path, x: np.save(path, x[:-1]),
    lambda path, x: np.save(path, x.reshape(20, -1)),
    lambda path, x: np.save(path, x.view(">f4")),
    lambda path, x: np.save(path, x.view(np.int32)),
    lambda path, x: np.save(path, np.array([{}]), allow_pickle=True),
    lambda path, x: (np.savez(path.with_suffix(".npz"), x), path.with_suffix(".npz").replace(path)),
    lambda path, x: os.truncate(path, 1000),
    lambda path, x: os.truncate(path, 0),
    lambda path, x: path.write_text("text"),
], ids=["numbers", "rows", "shape", "byteorder", "dtype", "pickle", "npz", "cut", "empty", "text"])  # fmt: skip
def test_prepared_data_with_another_content_are_made_again(folder, caplog, use, damage):
    expected = build(DIGITS)
    ref = prepare(DIGITS)
    (path,) = folder.iterdir()
    damage(path, expected)
    use(ref)
    assert np.array_equal(np.load(path), expected) and np.array_equal(load(ref), expected)
    assert [record.levelno for record in caplog.records] == [logging.WARNING] and str(path) in caplog.text
    assert list(folder.iterdir()) == [path]


def test_a_file_is_hashed_once_per_process_and_again_when_it_changes(folder, monkeypatch):
    ref, hashed = prepare(DIGITS), []
    sha256 = prepared._sha256
    monkeypatch.setattr(prepared, "_sha256", lambda x: hashed.append(1) or sha256(x))
    for _ in range(3):
        load(ref)
    assert len(hashed) == 1
    (path,) = folder.iterdir()
    np.save(path, np.zeros(ref.shape, np.float32))
    assert np.array_equal(load(ref), build(DIGITS))


def test_a_shared_folder_is_readable_by_the_group(folder):
    """The file has mode 0666 without the bits of the umask, like the files of other programs."""
    before = os.umask(0o027)
    try:
        prepare(DIGITS)
    finally:
        os.umask(before)
    (path,) = folder.iterdir()
    assert path.stat().st_mode & 0o777 == 0o640


def test_the_content_is_on_the_disk_before_the_name(folder, monkeypatch):
    steps, fsync, replaced = [], os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda descriptor: steps.append("fsync") or fsync(descriptor))
    monkeypatch.setattr(os, "replace", lambda *paths: steps.append("replace") or replaced(*paths))
    prepare(DIGITS)
    assert steps == ["fsync", "replace"]


def denied_below(monkeypatch, *folders_):
    """Refuse all writing below these folders, as if they were read-only. (Root may write everywhere.)"""
    whole = Path.mkdir

    def mkdir(path, *arguments, **more):
        if any(path.is_relative_to(folder) for folder in folders_):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        whole(path, *arguments, **more)

    monkeypatch.setattr(Path, "mkdir", mkdir)


def test_with_a_read_only_data_folder_prepared_data_are_in_the_cache(tmp_path, monkeypatch):
    denied_below(monkeypatch, tmp_path / "data")
    ref = prepare(DIGITS)
    assert Path(load(ref).filename).parent == tmp_path / "cache" / "numpy_rae" / "prepared"
    assert np.array_equal(load(ref), build(DIGITS)) and not (tmp_path / "data").exists()


def test_with_a_read_only_cache_too_they_are_in_a_temporary_folder(tmp_path, monkeypatch):
    denied_below(monkeypatch, tmp_path / "data", tmp_path / "cache")
    assert Path(load(prepare(DIGITS)).filename).parent == folders.temporary_folder() / "prepared"


def test_where_nothing_can_be_written_one_sentence_says_so(tmp_path, monkeypatch):
    folders.temporary_folder()
    denied_below(monkeypatch, tmp_path / "data", tmp_path / "cache", tmp_path)
    with pytest.raises(folders.DataError):
        prepare(DIGITS)


def test_prepared_data_that_another_user_keeps_from_us_are_made_in_the_cache(folder, tmp_path, monkeypatch):
    ref = prepare(DIGITS)
    mapped = prepared._map

    def denied(path):
        if path.is_relative_to(folder):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return mapped(path)

    prepared._is_intact.cache_clear()
    monkeypatch.setattr(prepared, "_map", denied)
    denied_below(monkeypatch, tmp_path / "data")
    assert Path(load(ref).filename).is_relative_to(tmp_path / "cache")


def test_only_cifar10_is_called_cifar10(pictures):
    for source in data_spec.SOURCES:
        label = replace(pictures, source=source, count=2000).label
        assert ("CIFAR" in label.replace("(not CIFAR-10)", "")) == (source == "cifar10")
        assert "2,000" in label
    assert "one photograph (not CIFAR-10)" in DataSpec("photograph", 9).label


def test_descriptions_hold_no_place_on_this_machine(tmp_path, pictures):
    ref = prepare(pictures)
    seen = json.dumps(Run(AE, RELU, ref, TrainConfig()).description()) + json.dumps(ref.description()) + ref.spec.label
    assert str(tmp_path) not in seen and "secret" not in seen
    assert ref.description() == {
        "source": "images", "count": 30, "std_offset": 0.0, "seed": 0, "path": "pictures.npy",
        "sha256": ref.sha256, "shape": [30, 192],
    }  # fmt: skip


def test_two_processes_preparing_at_once_leave_one_good_file(folder):
    code = "from numpy_rae.data.prepared import prepare; from numpy_rae.data.data_spec import DataSpec; print(prepare(DataSpec('digits', 40, std_offset=0.1)).sha256)"
    both = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    shas = {process.communicate()[0].strip() for process in both}
    assert [process.returncode for process in both] == [0, 0] and len(shas) == 1
    (path,) = folder.iterdir()
    assert hashlib.sha256(np.load(path).tobytes()).hexdigest() == shas.pop()


@pytest.mark.parametrize(("module", "step"), [(np, "save"), (os, "replace")])
def test_a_failing_write_is_a_data_error_and_leaves_nothing(folder, monkeypatch, module, step):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(module, step, full)
    with pytest.raises(folders.DataError, match="cannot be written: No space left"):
        prepare(DIGITS)
    assert list(folder.iterdir()) == []


def test_the_file_has_its_name_only_when_it_is_whole(folder, monkeypatch):
    whole = np.save

    def watched(file, x, **options):
        whole(file, x, **options)
        assert not list(folder.glob("*.npy"))

    monkeypatch.setattr(np, "save", watched)
    prepare(DIGITS)
    assert len(list(folder.glob("*.npy"))) == 1


def test_a_folder_below_a_file_is_a_data_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NUMPY_RAE_DATA", str(tmp_path / "file" / "data"))
    with pytest.raises(folders.DataError, match="cannot be written"):
        prepare(DIGITS)


@pytest.mark.parametrize(
    ("source", "count", "sentence"),
    [
        ("mnits", 10, "source is 'mnits'; it must be one of digits, mnist, cifar10, photograph, images, array"),
        ("digits", 0, "count is 0; it must be a whole number of at least 1"),
        ("digits", 5001, "count is 5001; it must be a number in [1, 5000]"),
    ],
)
def test_a_spec_that_cannot_be_made_is_refused_in_one_sentence(source, count, sentence):
    with pytest.raises(ValueError) as error:
        build(DataSpec(source, count))
    assert str(error.value) == sentence


def test_missing_images_are_a_data_error(tmp_path):
    for spec in (DataSpec("mnist", 10), DataSpec("cifar10", 10), DataSpec("images", 10, path=str(tmp_path / "no.npy"))):
        with pytest.raises(folders.DataError):
            build(spec)


@pytest.mark.parametrize(
    ("source", "n", "shape"),
    [("digits", 784, (28, 28)), ("mnist", 784, (28, 28)), ("cifar10", 192, (3, 8, 8)), ("images", 64, (8, 8))],
)
def test_a_row_has_the_shape_of_its_image(source, n, shape):
    assert data_spec.DataRef(data_spec.DataSpec(source, 5), "", (5, n)).image_shape == shape
