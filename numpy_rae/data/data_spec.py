"""How to make a matrix of training data, and how to refer to it.

A `DataSpec` says how to make the matrix. A `DataRef` adds the SHA-256 of the matrix.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from numpy_rae import _validation
from numpy_rae.data import cifar_subset

PATCH = 8
SOURCES = ("digits", "mnist", "cifar10", "photograph", "images", "array")
SUBSET_LABEL = f"{{count:,}} CIFAR-10 patches ({cifar_subset.IMAGES:,} images)"


@dataclass(frozen=True)
class DataSpec:
    """Say how to make a matrix of training data.

    Attributes
    ----------
    source : str
        "digits" (the embedded MNIST digits) and "mnist" (the training set) give their first `count` digits. "cifar10",
        "photograph" (the one that matplotlib contains) and "images" (the array in the file `path`) give `count` random
        patches of 8 x 8 pixels. "array" is a matrix of the user (`own_array`), which its SHA-256 identifies.
    count : int
        Number of samples.
    std_offset : float
        Number that is added to the standard deviation of each feature.
    seed : int
        Seed of the random positions of the patches.
    path : str, optional
        The .npy file for "images".
    """

    source: str
    count: int
    std_offset: float = 0.0
    seed: int = 0
    path: str | None = None

    def __post_init__(self) -> None:
        _validation.one_of("source", self.source, SOURCES)
        _validation.integer("count", self.count)
        _validation.number("std_offset", self.std_offset)
        _validation.integer("seed", self.seed, low=0)
        if not isinstance(self.path, str | None):
            raise ValueError(f"path is {self.path!r}; it must be a string or None")

    @property
    def label(self) -> str:
        """Return the name of the data for the title of a figure.

        Returns
        -------
        str
            For example "5,000 embedded MNIST digits".
        """
        if self.source == "images" and cifar_subset.is_subset(self.path):
            return SUBSET_LABEL.format(count=self.count)
        return {
            "digits": f"{self.count:,} embedded MNIST digits",
            "mnist": f"{self.count:,} MNIST digits",
            "cifar10": f"{self.count:,} CIFAR-10 patches",
            "photograph": f"{self.count:,} patches of one photograph (not CIFAR-10)",
            "images": f"{self.count:,} patches of {Path(self.path or '').name}",
            "array": f"{self.count:,} samples of your matrix",
        }[self.source]


@dataclass(frozen=True)
class DataRef:
    """Refer to a prepared matrix.

    Attributes
    ----------
    spec : DataSpec
        How it was made.
    sha256 : str
        SHA-256 of its bytes.
    shape : tuple of int
        Its shape (N, n).
    file : str, optional
        Path of a matrix of the user. It only says where the matrix is, so the description does not have it.
    """

    spec: DataSpec
    sha256: str
    shape: tuple[int, int]
    file: str | None = None

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Return the shape of a row as an image.

        Returns
        -------
        tuple of int
            (28, 28) for digits, (8, 8) or (3, 8, 8) for patches, one line for a matrix of the user.
        """
        if self.spec.source == "array":
            return 1, self.shape[1]
        if self.spec.source in ("digits", "mnist"):
            return 28, 28
        channels = self.shape[1] // PATCH**2
        return (channels, PATCH, PATCH)[channels == 1 :]

    def description(self) -> dict[str, Any]:
        """Return the reference for a record, without the folder on this machine.

        Returns
        -------
        dict
            The fields of `spec`, with the name of the file in `path`, then "sha256" and "shape". A copy of the known
            subset of CIFAR-10 has that file's name.
        """
        spec = asdict(self.spec)
        spec["path"] = self.spec.path and Path(self.spec.path).name
        if spec["path"] and cifar_subset.is_subset(self.spec.path, self.sha256):
            spec["path"] = cifar_subset.FILE_NAME
        return {**spec, "sha256": self.sha256, "shape": list(self.shape)}


def recorded_label(data: Mapping[str, Any]) -> str:
    """Return the name of a record's data for the title of a figure.

    Parameters
    ----------
    data : mapping
        What `DataRef.description` returned. It has no more than the name of a file, which does not tell the content.

    Returns
    -------
    str
        `DataSpec.label`. For patches of the known subset of CIFAR-10, the subset's name instead of a file's.
    """
    if data["source"] == "images" and cifar_subset.is_subset(None, data.get("sha256")):
        return SUBSET_LABEL.format(count=data["count"])
    name = data["path"] and str(Path("/nonexistent") / data["path"])  # a file of that name here is another one
    return DataSpec(data["source"], data["count"], path=name).label
