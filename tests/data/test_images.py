"""The embedded digits have the documented content, and no other file is accepted in their place."""

import os

import numpy as np
import pytest
from made_files import flipped

from numpy_rae.data import images
from numpy_rae.data.folders import DataError
from numpy_rae.data.images import load_mnist, load_sample


def test_the_sample_has_500_digits_of_each_class():
    images, labels = load_sample()
    assert images.shape == (5000, 28, 28) and images.dtype == labels.dtype == np.uint8
    assert np.bincount(labels).tolist() == [500] * 10
    assert len(np.unique(images.reshape(5000, -1), axis=0)) > 4990


def test_a_damaged_or_missing_sample_is_refused(tmp_path, monkeypatch):
    content = (images.files("numpy_rae") / "data" / "mnist_sample.npz").read_bytes()
    monkeypatch.setattr(images, "files", lambda package: tmp_path)
    with pytest.raises(DataError, match="mnist_sample.npz has SHA-256"):
        load_sample()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mnist_sample.npz").write_bytes(flipped(content, 800_000))
    with pytest.raises(DataError, match="mnist_sample.npz has SHA-256"):
        load_sample()


def test_the_sample_is_what_its_recipe_makes():
    if not os.environ.get("NUMPY_RAE_DATA"):
        pytest.skip("NUMPY_RAE_DATA is not set")
    try:
        images, labels = load_mnist("train")
    except DataError as missing:
        pytest.skip(str(missing))
    assert images.shape == (60_000, 28, 28)
    first = np.sort(np.concatenate([np.flatnonzero(labels == digit)[:500] for digit in range(10)]))
    np.testing.assert_array_equal(load_sample()[0], images[first])
    np.testing.assert_array_equal(load_sample()[1], labels[first])
