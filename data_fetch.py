"""Fetch, verify and read the image sets; nothing is used before its SHA-256 is checked.

Command: python -m data_fetch mnist cifar10 [--dir FOLDER]

A download grows in `<name>.<random>.part` beside its target. A part touched within the last minute belongs to a
running process, which is waited for; any other is free, and is owned by whoever renames it first. A process that gives
up dates its part to 2001, so the next run continues it at once; after a kill the next run first waits out the minute.
"""

import argparse
import gzip
import hashlib
import io
import math
import os
import sys
import tarfile
import time
import uuid
import zlib
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from importlib.resources import files
from pathlib import Path
from typing import BinaryIO
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
from tqdm import tqdm

BLOCK = 1 << 16
QUIET = 60.0
LONG_AGO = 10**9
ROW = 1 + 3 * 32 * 32
# Room for the headers and the small files of an archive.
SLACK = 2**20
# What gzip and tarfile raise at bytes that are not theirs.
TAR_DAMAGE = (
    tarfile.TarError, OSError, EOFError, zlib.error, ValueError, IndexError, KeyError, OverflowError, RecursionError
)  # fmt: skip
Folder = str | os.PathLike | None
SAMPLE_SHA256 = "af6a0c77efc8d048de2ee4325d370a0abcdc6ec2ca9637f806a476df087ed6ed"


class DataError(Exception):
    """A data set is missing, damaged, unreachable or wrongly named; the message says which and what to do."""


@dataclass(frozen=True)
class RemoteFile:
    """A file as its mirrors serve it; `raw_*` describe its decompressed bytes where any compression of them will do."""

    dataset: str
    name: str
    size: int
    sha256: str
    mirrors: tuple[str, ...]
    raw_size: int | None = None
    raw_sha256: str | None = None


def _mnist(name: str, size: int, sha256: str, raw_size: int, raw_sha256: str) -> RemoteFile:
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


def data_folder(folder: Folder = None) -> Path:
    """The folder given, else NUMPY_RAE_DATA, else a cache folder of the user; DataError if it is not a path."""
    if folder is not None and (not isinstance(folder, (str, os.PathLike)) or str(folder) == "" or "\0" in str(folder)):
        raise DataError(f"folder was {folder!r}; it may be a path, or None for the default.")
    cache = (os.environ.get("XDG_CACHE_HOME") or "~/.cache") + "/numpy_rae"
    return Path(folder or os.environ.get("NUMPY_RAE_DATA") or cache).expanduser()


def fetch(name: str, folder: Folder = None, *, timeout: float = 30.0, progress: bool = True) -> list[Path]:
    """Make the files of "mnist" or "cifar10" present in `folder` and return their paths; DataError if that fails.

    Files already there and right are left alone, damaged ones are fetched again.
    `timeout` bounds each connect and each read, in seconds; `progress` shows a bar.
    """
    return [fetch_file(remote, folder, timeout=timeout, progress=progress) for remote in _dataset(name)]


def fetch_file(remote: RemoteFile, folder: Folder = None, *, timeout: float = 30.0, progress: bool = True) -> Path:
    """As `fetch`, for one RemoteFile."""
    if not isinstance(timeout, (int, float)) or not 0 < timeout < math.inf:
        raise DataError(f"timeout was {timeout!r}; it may be any positive number of seconds.")
    folder = data_folder(folder)
    target = folder / remote.dataset / remote.name
    try:
        return _present(remote, folder) or _fetch_to(target, remote, folder, timeout, progress)
    except OSError as error:
        raise DataError(f"{target} cannot be written: {error}.") from error


def _dataset(name: str) -> tuple[RemoteFile, ...]:
    if not isinstance(name, str) or name not in CATALOGUE:
        raise DataError(f"name was {name!r}; it may be one of {', '.join(CATALOGUE)}.")
    return CATALOGUE[name]


def _present(remote: RemoteFile, folder: Path) -> Path | None:
    with suppress(DataError):
        return _find(remote, folder)[0]


def _fetch_to(target: Path, remote: RemoteFile, folder: Path, timeout: float, progress: bool) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = _claim(target, max(QUIET, 2 * timeout), progress)
    try:
        found = _present(remote, folder)
        if not found:
            _try_mirrors(part, target, remote, timeout, progress)
            os.replace(part, target)
        return found or target
    finally:
        _release(part, remote, folder)


def _claim(target: Path, quiet: float, progress: bool) -> Path:
    """Own a part, adopted or new; waits while another process has one."""
    mine = target.with_name(f"{target.name}.{uuid.uuid4().hex}.part")
    busy = _adopt(target, mine, quiet)
    if busy and progress:
        print(f"Waiting for another download of {target.name}.", file=sys.stderr)
    while busy:
        time.sleep(0.1)
        busy = _adopt(target, mine, quiet)
    mine.touch()
    return mine


def _adopt(target: Path, mine: Path, quiet: float) -> bool:
    """Rename a free part to `mine`; True if there is none, but another process has one."""
    busy = False
    for part in target.parent.glob(f"{target.name}.*.part"):
        with suppress(OSError):  # another process renamed or removed it
            if abs(time.time() - part.stat().st_mtime) < quiet:
                busy = True
                continue
            os.utime(part)  # before the rename, lest the new name look free
            os.rename(part, mine)
            return False
    return busy


def _release(part: Path, remote: RemoteFile, folder: Path) -> None:
    if part.exists() and (part.stat().st_size == 0 or _present(remote, folder)):
        part.unlink()
    elif part.exists():
        os.utime(part, (LONG_AGO, LONG_AGO))


def _try_mirrors(part: Path, target: Path, remote: RemoteFile, timeout: float, progress: bool) -> None:
    faults = []
    for url in remote.mirrors:
        try:
            return _fill(part, url, remote, timeout, progress)
        except (HTTPException, OSError) as error:
            faults.append(f"{url} ({str(error) or repr(error)})")
    raise DataError(
        f"{target} could not be fetched; expected are {remote.size} bytes with SHA-256 {remote.sha256}. Tried: "
        f"{'; '.join(faults)}. Run the command again to continue a partial download, or save the file by hand as "
        f"{target}, or in any folder that the environment variable NUMPY_RAE_DATA then names."
    )


def _fill(part: Path, url: str, remote: RemoteFile, timeout: float, progress: bool) -> None:
    """Complete `part` from one mirror and check it; a bad resumed whole is fetched once more from its first byte."""
    start = _download(part, url, remote, timeout, progress)
    found = hashlib.sha256(part.read_bytes()).hexdigest()
    if found == remote.sha256:
        return
    os.truncate(part, 0)
    if start == 0:
        raise ConnectionError(f"found SHA-256 {found}")
    _fill(part, url, remote, timeout, progress)


def _download(part: Path, url: str, remote: RemoteFile, timeout: float, progress: bool) -> int:
    """Bring `part` to its known size, never beyond; return how many of its bytes were there before."""
    os.utime(part)
    have = part.stat().st_size
    if have == remote.size:
        return have
    with _ask(url, have if have < remote.size else 0, timeout) as response, open(part, "r+b") as out:
        start = _first_byte(response, have, remote.size)
        out.truncate(start)
        out.seek(start)
        _copy(response, out, remote, progress)
        if out.tell() < remote.size:
            raise ConnectionError(f"ended after {out.tell()} of {remote.size} bytes")
    return start


def _copy(response: HTTPResponse, out: BinaryIO, remote: RemoteFile, progress: bool) -> None:
    shown = {"desc": remote.name, "unit": "B", "unit_scale": True, "disable": not progress}
    with tqdm(total=remote.size, initial=out.tell(), **shown) as bar:
        while (room := remote.size - out.tell()) and (block := response.read1(min(BLOCK, room))):
            bar.update(out.write(block))
            out.flush()


def _ask(url: str, start: int, timeout: float) -> HTTPResponse:
    headers = {"User-Agent": "numpy_rae"} | ({"Range": f"bytes={start}-"} if start else {})
    try:
        return urlopen(Request(url, headers=headers), timeout=timeout)
    except HTTPError as error:
        error.close()
        if error.code == 416 and start:
            return _ask(url, 0, timeout)
        raise


def _first_byte(response: HTTPResponse, have: int, size: int) -> int:
    """Where in the file the answer begins, from its headers; ConnectionError if they do not fit the known size."""
    start = have if response.status == 206 else 0
    scope = response.headers.get("Content-Range", "")
    if response.status == 206 and not scope.startswith(f"bytes {start}-{size - 1}/"):
        raise ConnectionError(f"answers with range {scope!r} instead of bytes {start}-{size - 1}")
    length = response.headers.get("Content-Length", str(size - start))
    if length != str(size - start):
        raise ConnectionError(f"answers with {length} bytes instead of {size - start}")
    return start


def _find(remote: RemoteFile, folder: Path) -> tuple[Path, bytes]:
    """(path, verified content) of the first good copy in `folder` or its subfolder of the data set."""
    names = [remote.name] + [remote.name.removesuffix(".gz")] * bool(remote.raw_sha256)
    faults = []
    for path in (base / name for base in (folder, folder / remote.dataset) for name in names):
        try:
            if os.path.exists(path):
                return path, _read_verified(path, remote)
        except DataError as error:
            faults.append(str(error))
    raise DataError(
        f"{remote.name} is not in {folder}: {' '.join(faults) or 'there is no such file.'} "
        f'Run: python -m data_fetch {remote.dataset} --dir "{folder}"'
    )


def _read_verified(path: Path, remote: RemoteFile) -> bytes:
    raw = remote.raw_sha256 is not None
    size, sha256 = (remote.raw_size, remote.raw_sha256) if raw else (remote.size, remote.sha256)
    if not path.is_file():  # a pipe would be waited for
        raise DataError(f"{path} cannot be read: it is no regular file.")
    try:
        with (gzip.open if raw and path.suffix == ".gz" else open)(path, "rb") as stream:
            content = stream.read(size + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}.") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        length = f"more than {size}" if len(content) > size else len(content)
        raise DataError(f"{path} holds {length} bytes, SHA-256 {found}; expected are {size}, SHA-256 {sha256}.")
    return content


def parse_idx(content: bytes, name: str = "content") -> np.ndarray:
    """The uint8 array, of one to four dimensions, in the bytes of an idx file; DataError if they are not one."""
    if not isinstance(content, bytes):
        raise DataError(f"{name} is a {type(content).__name__}; it must be the bytes of an idx file.")
    if len(content) < 4 or content[:3] != b"\0\0\x08" or not 1 <= content[3] <= 4:
        raise DataError(f"{name} begins with {content[:4]!r}; an idx file of bytes begins 0, 0, 8, then 1 to 4 axes.")
    begin = 4 + 4 * content[3]
    shape = [int.from_bytes(content[at : at + 4], "big") for at in range(4, begin, 4)]
    if 0 in shape or len(content) - begin != math.prod(shape):
        raise DataError(f"{name} has {len(content)} bytes; shape {shape} takes {begin + math.prod(shape)}, above 0.")
    return np.frombuffer(content, np.uint8, offset=begin).reshape(shape).copy()


def load_mnist(split: str = "train", folder: Folder = None) -> tuple[np.ndarray, np.ndarray]:
    """(images (N, 28, 28), labels (N,)), uint8, of split "train" or "test"; DataError if missing or damaged."""
    if not isinstance(split, str) or split not in ("train", "test"):
        raise DataError(f"split was {split!r}; it may be train or test.")
    pair = CATALOGUE["mnist"][:2] if split == "train" else CATALOGUE["mnist"][2:]
    images, labels = (_find(remote, data_folder(folder)) for remote in pair)
    return parse_idx(images[1], str(images[0])), parse_idx(labels[1], str(labels[0]))


def load_cifar10(folder: Folder = None) -> np.ndarray:
    """The training images, uint8 (50000, 3, 32, 32); DataError if the archive is missing or damaged."""
    path, content = _find(CATALOGUE["cifar10"][0], data_folder(folder))
    return parse_cifar10(io.BytesIO(content), str(path))


def parse_cifar10(stream: BinaryIO, name: str = "archive", per_batch: int = 10_000) -> np.ndarray:
    """Training images, uint8 (5 * per_batch, 3, 32, 32), of an open CIFAR-10 tar.gz; DataError if it is not one.

    Members are taken by name, none is written anywhere; no more is unpacked than twice what five batches take.
    """
    if not hasattr(stream, "read") or not isinstance(per_batch, int) or per_batch < 1:
        raise DataError(f"{name}: it must be a file open for reading, with at least 1 image a batch ({per_batch!r}).")
    wanted = [f"cifar-10-batches-bin/data_batch_{number}.bin" for number in range(1, 6)]
    batches = {}
    try:
        with gzip.open(stream) as unzipped:
            bounded = _Bounded(unzipped, 10 * per_batch * ROW + SLACK)
            with tarfile.open(fileobj=bounded, mode="r|") as archive:
                for member in archive:
                    if member.name in batches:
                        raise DataError(f"{name} holds {member.name} twice.")
                    if member.name in wanted:
                        batches[member.name] = _batch(archive, member, per_batch, name)
    except TAR_DAMAGE as error:
        raise DataError(f"{name} cannot be read as tar.gz: {error}.") from error
    if missing := [member for member in wanted if member not in batches]:
        raise DataError(f"{name} lacks {', '.join(missing)}.")
    return np.concatenate([batches[member] for member in wanted])


class _Bounded:
    """The first `limit` bytes of a stream; whoever asks for more gets an OSError.

    So does who goes on asking at its end: tarfile would do it once for every 10 kB that a member claims to have.
    """

    def __init__(self, stream: BinaryIO, limit: int):
        self.stream, self.limit, self.left, self.asks_left = stream, limit, limit, 10

    def read(self, size: int) -> bytes:
        block = self.stream.read(min(size, self.left + 1))
        self.left -= len(block)
        self.asks_left -= not block
        if self.left < 0:
            raise OSError(f"it unpacks to more than {self.limit} bytes")
        if self.asks_left < 0:
            raise OSError("it ends within a member")
        return block


def _batch(archive: tarfile.TarFile, member: tarfile.TarInfo, count: int, name: str) -> np.ndarray:
    size = count * ROW
    if not member.isreg() or member.issparse() or member.size != size:
        raise DataError(f"{name}: {member.name} has {member.size} bytes; it must be a regular file of {size}.")
    rows = np.frombuffer(archive.extractfile(member).read(), np.uint8).reshape(count, ROW)
    return rows[:, 1:].reshape(count, 3, 32, 32)


def load_images(path: str | os.PathLike) -> np.ndarray:
    """Images of a .npy file as uint8 (N, C, H, W), C 1 or 3; DataError otherwise.

    The file holds uint8 (N, C, H, W), (N, H, W, C) or (N, H, W); what fits the first two is read as the first.
    """
    may_be = "it may be a .npy file of uint8 (N, C, H, W), (N, H, W, C) or (N, H, W), C 1 or 3, no axis empty"
    try:
        if not Path(path).is_file():  # a pipe would be waited for
            raise FileNotFoundError("there is no such file")
        images = np.lib.format.open_memmap(path, mode="r")
    except Exception as error:  # a damaged header surfaces as almost any kind
        raise DataError(f"path was {str(path)!r}; {may_be}: {error}.") from error
    found = f"{images.dtype} {images.shape}"
    images = images[:, None] if images.ndim == 3 else images
    if images.ndim == 4 and images.shape[1] not in (1, 3):
        images = images.transpose(0, 3, 1, 2)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3) or images.size == 0:
        raise DataError(f"path was {str(path)!r}, {found}; {may_be}.")
    return np.array(images, order="C")


def load_sample() -> tuple[np.ndarray, np.ndarray]:
    """5,000 MNIST digits, 500 per class: uint8 images (5000, 28, 28) and labels (5000,); DataError if damaged."""
    path = files("numpy_rae") / "data" / "mnist_sample.npz"
    content = path.read_bytes() if path.is_file() else b""
    found = hashlib.sha256(content).hexdigest()
    if found != SAMPLE_SHA256:
        raise DataError(f"{path} has SHA-256 {found}, not {SAMPLE_SHA256}; reinstall numpy_rae.")
    with np.load(io.BytesIO(content), allow_pickle=False) as sample:
        return sample["images"], sample["labels"]


def main(argv: list[str] | None = None) -> int:
    """Run the command; 0, or 2 with the reason on stderr."""
    parser = argparse.ArgumentParser(prog="data_fetch", description="Fetch and verify image sets.")
    parser.add_argument("names", nargs="+", metavar="NAME", help=f"what to fetch: {', '.join(CATALOGUE)}")
    parser.add_argument("--dir", help="where to; default: NUMPY_RAE_DATA, else a cache folder of the user")
    options = parser.parse_args(argv)
    try:
        for name in options.names:
            _dataset(name)
        for name in options.names:
            print(*fetch(name, options.dir, progress=sys.stderr.isatty()), sep="\n")
    except DataError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted; run the command again to continue the download.", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
