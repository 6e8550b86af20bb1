"""Training data by name: prepared once as a float32 matrix in a file that workers map instead of receiving it.

A `DataSpec` says how to make the matrix; a `DataRef` adds the SHA-256 of what came out, which names the file. A worker
on another machine makes the same file from its own copy of the images, and the hash proves it.
"""

import hashlib
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import data_fetch
from numpy_rae import validation
from numpy_rae.preprocessing import as_rows, crop_patches, standardise

PATCH = 8
SOURCES = ("digits", "mnist", "cifar10", "photograph", "images")


@dataclass(frozen=True)
class DataSpec:
    """Which images, how many samples, what is added to the standard deviation, and the seed of the random crops.

    "digits" are the 5,000 embedded ones, "mnist" the first `count` of its training set; "cifar10", "photograph" (the
    one matplotlib ships) and "images" (the array in file `path`) give `count` random 8 x 8 patches.
    """

    source: str
    count: int
    std_offset: float = 0.0
    seed: int = 0
    path: str | None = None

    def __post_init__(self):
        validation.one_of("source", self.source, SOURCES)
        validation.whole("count", self.count)
        validation.number("std_offset", self.std_offset)
        validation.whole("seed", self.seed, low=0)
        if not isinstance(self.path, str | None):
            raise ValueError(f"path is {self.path!r}; it must be a string or None")

    @property
    def label(self) -> str:
        """What a figure's title calls the data."""
        return {
            "digits": f"{self.count:,} embedded MNIST digits",
            "mnist": f"{self.count:,} MNIST digits",
            "cifar10": f"{self.count:,} CIFAR-10 patches",
            "photograph": f"{self.count:,} patches of one photograph (not CIFAR-10)",
            "images": f"{self.count:,} patches of {Path(self.path or '').name}",
        }[self.source]


@dataclass(frozen=True)
class DataRef:
    """A prepared matrix: how it was made, the SHA-256 of its bytes, and its shape."""

    spec: DataSpec
    sha256: str
    shape: tuple[int, int]

    @property
    def image_shape(self) -> tuple[int, ...]:
        """A row as an image: (28, 28) for digits, (8, 8) or (3, 8, 8) for patches."""
        if self.spec.source in ("digits", "mnist"):
            return 28, 28
        channels = self.shape[1] // PATCH**2
        return (channels, PATCH, PATCH)[channels == 1 :]

    def description(self) -> dict:
        """For records: everything but the place on this machine."""
        spec = asdict(self.spec)
        spec["path"] = self.spec.path and Path(self.spec.path).name
        return {**spec, "sha256": self.sha256, "shape": list(self.shape)}


def build(spec: DataSpec) -> np.ndarray:
    """The standardised float32 matrix (count, n). Raises data_fetch.DataError if the images are not at hand."""
    validation.instance("spec", spec, DataSpec)
    return standardise(as_rows(_images(spec)), spec.std_offset).astype(np.float32)


def _images(spec: DataSpec) -> np.ndarray:
    if spec.source in ("digits", "mnist"):
        images = data_fetch.load_sample()[0] if spec.source == "digits" else data_fetch.load_mnist()[0]
        validation.number("count", spec.count, 1, len(images))
        return images[: spec.count]
    return crop_patches(_pictures(spec), spec.count, PATCH, np.random.default_rng(spec.seed))


def _pictures(spec: DataSpec) -> np.ndarray:
    if spec.source == "cifar10":
        return data_fetch.load_cifar10()
    if spec.source == "images":
        return data_fetch.load_images(spec.path)
    return photograph()


def photograph() -> np.ndarray:
    """The sample photograph that matplotlib ships, uint8 (1, 3, H, W)."""
    from matplotlib import cbook, image

    with cbook.get_sample_data("grace_hopper.jpg") as file:
        return image.imread(file, format="jpg").transpose(2, 0, 1)[None]


def prepare(spec: DataSpec) -> DataRef:
    """Build the matrix, put it where workers will look, and return the reference to it."""
    return store_array(build(spec), spec)


def store_array(x: np.ndarray, spec: DataSpec) -> DataRef:
    """Put a prepared matrix where workers will look. Raises data_fetch.DataError if the folder is not writable."""
    ref = DataRef(spec, _sha256(x), x.shape)
    path = _path(ref)
    try:
        if not path.exists():
            _write(path, x)
    except OSError as error:
        raise data_fetch.DataError(f"prepared data {path} cannot be written: {error.strerror}") from error
    return ref


def _write(path: Path, x: np.ndarray) -> None:
    """To a temporary file, then renamed: nobody sees half a file, and nothing is left of a failure."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with open(descriptor, "wb") as file:
            np.save(file, x, allow_pickle=False)
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def load(ref: DataRef) -> np.ndarray:
    """The prepared matrix, memory-mapped read-only; made here first if this machine has not got it.

    Raises data_fetch.DataError if what is made here is not what the reference names.
    """
    path = _path(ref)
    if not path.exists() and prepare(ref.spec).sha256 != ref.sha256:
        raise data_fetch.DataError(f"{ref.spec.label}: this machine's images give other data than the sweep's")
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _sha256(x: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(x)).hexdigest()


def _path(ref: DataRef) -> Path:
    return data_fetch.data_folder() / "prepared" / f"{ref.spec.source}-{ref.spec.count}-{ref.sha256[:16]}.npy"
