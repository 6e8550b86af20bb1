"""Load the image sets by name, verified, and the sample of MNIST that the package contains."""

import hashlib
import io
from importlib.resources import files

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.data.folders import DataError, Folder, data_folder
from numpy_rae.data.image_formats import parse_cifar10, parse_idx
from numpy_rae.data.local_files import find
from numpy_rae.data.sources import CATALOGUE

SAMPLE_SHA256 = "af6a0c77efc8d048de2ee4325d370a0abcdc6ec2ca9637f806a476df087ed6ed"


def load_mnist(split: str = "train", folder: Folder = None) -> tuple[Array, Array]:
    """Load MNIST from the data folder.

    Parameters
    ----------
    split : str
        "train" (60,000 digits) or "test" (10,000 digits).
    folder : str or os.PathLike, optional
        The data folder; see `folders.data_folder`.

    Returns
    -------
    images : ndarray, shape (N, 28, 28), uint8
        The digits.
    labels : ndarray, shape (N,), uint8
        Their labels.

    Raises
    ------
    DataError
        If an argument cannot be used, or if a file is missing or damaged.
    """
    if not isinstance(split, str) or split not in ("train", "test"):
        raise DataError(f"split was {split!r}; it may be train or test.")
    pair = CATALOGUE["mnist"][:2] if split == "train" else CATALOGUE["mnist"][2:]
    images, labels = (find(remote, data_folder(folder)) for remote in pair)
    return parse_idx(images[1], str(images[0])), parse_idx(labels[1], str(labels[0]))


def load_cifar10(folder: Folder = None) -> Array:
    """Load the training images of CIFAR-10 from the data folder.

    Parameters
    ----------
    folder : str or os.PathLike, optional
        The data folder; see `folders.data_folder`.

    Returns
    -------
    ndarray, shape (50000, 3, 32, 32), uint8
        The images.

    Raises
    ------
    DataError
        If `folder` cannot be used, or if the archive is missing or damaged.
    """
    path, content = find(CATALOGUE["cifar10"][0], data_folder(folder))
    return parse_cifar10(io.BytesIO(content), str(path))


def load_sample() -> tuple[Array, Array]:
    """Load the 5,000 MNIST digits that the package contains, 500 per class.

    Returns
    -------
    images : ndarray, shape (5000, 28, 28), uint8
        The digits.
    labels : ndarray, shape (5000,), uint8
        Their labels.

    Raises
    ------
    DataError
        If the file is missing or damaged.
    """
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
