"""The data of a protocol or a study: prepared, downloaded, or replaced by other data."""

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
    """Prepare the data; say on stderr if they are unavailable and others take their place.

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
        The prepared data: the protocol's, or the embedded digits in place of MNIST, or patches of a photograph in
        place of CIFAR-10.
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
    """Return the description of the data; up to 5,000 digits are the embedded ones.

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
        What `prepare` needs.
    """
    if source == "mnist":
        return DataSpec("mnist" if samples > EMBEDDED else "digits", samples, MNIST_STD_OFFSET)
    if images:
        return DataSpec("images", samples, path=str(images))
    return DataSpec("cifar10", samples)


def prepared_or_fetched(spec: DataSpec, download: bool) -> DataRef:
    """Prepare from the data folder; download first if the images are missing there.

    Parameters
    ----------
    spec : DataSpec
        What is to be prepared.
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
