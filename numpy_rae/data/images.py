"""The image sets by name, read from the data folder and verified; the sample of MNIST that the package holds."""

import hashlib
import io
from importlib.resources import files

import numpy as np

from numpy_rae.data.folders import DataError, Folder, data_folder
from numpy_rae.data.image_formats import parse_cifar10, parse_idx
from numpy_rae.data.local_files import find
from numpy_rae.data.sources import CATALOGUE

SAMPLE_SHA256 = "af6a0c77efc8d048de2ee4325d370a0abcdc6ec2ca9637f806a476df087ed6ed"


def load_mnist(split: str = "train", folder: Folder = None) -> tuple[np.ndarray, np.ndarray]:
    """(images (N, 28, 28), labels (N,)), uint8, of split "train" or "test"; DataError if missing or damaged."""
    if not isinstance(split, str) or split not in ("train", "test"):
        raise DataError(f"split was {split!r}; it may be train or test.")
    pair = CATALOGUE["mnist"][:2] if split == "train" else CATALOGUE["mnist"][2:]
    images, labels = (find(remote, data_folder(folder)) for remote in pair)
    return parse_idx(images[1], str(images[0])), parse_idx(labels[1], str(labels[0]))


def load_cifar10(folder: Folder = None) -> np.ndarray:
    """The training images, uint8 (50000, 3, 32, 32); DataError if the archive is missing or damaged."""
    path, content = find(CATALOGUE["cifar10"][0], data_folder(folder))
    return parse_cifar10(io.BytesIO(content), str(path))


def load_sample() -> tuple[np.ndarray, np.ndarray]:
    """5,000 MNIST digits, 500 per class: uint8 images (5000, 28, 28) and labels (5000,); DataError if damaged."""
    path = files("numpy_rae") / "data" / "mnist_sample.npz"
    try:
        content = path.read_bytes() if path.is_file() else b""
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    found = hashlib.sha256(content).hexdigest()
    if found != SAMPLE_SHA256:
        raise DataError(f"{path} has SHA-256 {found}, not {SAMPLE_SHA256}; reinstall numpy_rae.")
    with np.load(io.BytesIO(content), allow_pickle=False) as sample:
        return sample["images"], sample["labels"]

