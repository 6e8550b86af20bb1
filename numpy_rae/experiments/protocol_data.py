"""Prepare the data of a protocol or a study. If they are missing, download them or use other data."""

import sys
from dataclasses import replace
from pathlib import Path

from numpy_rae.data import fetch
from numpy_rae.data.data_spec import DataRef, DataSpec
from numpy_rae.data.folders import DataError
from numpy_rae.data.prepared import prepare
from numpy_rae.data.preprocessing import MNIST_STD_OFFSET
from numpy_rae.experiments.protocol import EMBEDDED


def training_data(source: str, samples: int, images: Path | None = None, download: bool = True) -> DataRef:
    """Prepare the data. If they are unavailable, use other data and print this on stderr.

    Parameters
    ----------
    source : str
        "mnist" or "cifar10".
    samples : int
        Number of digits or patches.
    images : Path, optional
        File of images from which patches are taken instead of CIFAR-10's.
    download : bool, optional
        Whether missing images may be downloaded.

    Returns
    -------
    DataRef
        The prepared data of the protocol. If they are unavailable: the embedded digits instead of MNIST, or patches of
        a photograph instead of CIFAR-10.
    """
    spec = data_spec(source, samples, images)
    if spec.source not in ("mnist", "cifar10"):
        return prepare(spec)
    try:
        return prepared_or_fetched(spec, download)
    except DataError as error:
        print(f"{error}\n\nContinuing with other data instead.", file=sys.stderr)
    if spec.source == "mnist":
        return prepare(replace(spec, source="digits", count=EMBEDDED))
    return prepare(replace(spec, source="photograph"))


def data_spec(source: str, samples: int, images: Path | None = None) -> DataSpec:
    """Return the description of the data. For up to 5,000 digits, these are the embedded digits.

    Parameters
    ----------
    source : str
        "mnist" or "cifar10".
    samples : int
        Number of digits or patches.
    images : Path, optional
        File of images from which patches are taken instead of CIFAR-10's.

    Returns
    -------
    DataSpec
        The argument of `prepare`.
    """
    if source == "mnist":
        return DataSpec("mnist" if samples > EMBEDDED else "digits", samples, MNIST_STD_OFFSET)
    if images:
        return DataSpec("images", samples, path=str(images))
    return DataSpec("cifar10", samples)


def prepared_or_fetched(spec: DataSpec, download: bool) -> DataRef:
    """Prepare the data from the data folder. If the images are missing there, download them first.

    Parameters
    ----------
    spec : DataSpec
        Description of the data.
    download : bool
        Whether a download is allowed.

    Returns
    -------
    DataRef
        The prepared data.

    Raises
    ------
    DataError
        If the images are missing and cannot be downloaded.
    """
    try:
        return prepare(spec)
    except DataError:
        if not download:
            raise
    fetch.fetch(spec.source)
    return prepare(spec)
