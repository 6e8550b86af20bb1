"""List the files of the image sets, with their sizes, SHA-256 hashes and mirrors."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RemoteFile:
    """Description of a file of an image set on its mirrors.

    Attributes
    ----------
    dataset : str
        Name of the data set, which is also the name of its folder.
    name : str
        Name of the file.
    size : int
        Its number of bytes.
    sha256 : str
        Its SHA-256.
    mirrors : tuple of str
        Addresses to download it from, in this order.
    raw_size : int, optional
        Number of bytes after decompression. If it is given, any compression of these bytes is accepted.
    raw_sha256 : str, optional
        SHA-256 after decompression.
    """

    dataset: str
    name: str
    size: int
    sha256: str
    mirrors: tuple[str, ...]
    raw_size: int | None = None
    raw_sha256: str | None = None


def _mnist(name: str, size: int, sha256: str, raw_size: int, raw_sha256: str) -> RemoteFile:
    """Describe a file of MNIST on its two mirrors."""
    hosts = "https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"
    return RemoteFile("mnist", name, size, sha256, tuple(host + name for host in hosts), raw_size, raw_sha256)


# fmt: off
MNIST = (
    _mnist("train-images-idx3-ubyte.gz", 9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
           47_040_016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    _mnist("train-labels-idx1-ubyte.gz", 28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
           60_008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    _mnist("t10k-images-idx3-ubyte.gz", 1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
           7_840_016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    _mnist("t10k-labels-idx1-ubyte.gz", 4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
           10_008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
)
CIFAR10 = RemoteFile(
    "cifar10", "cifar-10-binary.tar.gz", 170_052_171,
    "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
     "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/cifar-10-binary.tar.gz"),
)
# fmt: on
CATALOGUE = {"mnist": MNIST, "cifar10": (CIFAR10,)}
