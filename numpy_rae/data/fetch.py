"""Download the image sets and verify them. No file gets its name before its SHA-256 is checked.

Command: python -m numpy_rae fetch mnist cifar10 [--dir FOLDER] [--subset N [--subset-out FILE.npy]]

A download grows in `<name>.<random>.part` beside its target. A part that was touched within the last minute belongs to
a running process, and others wait for it. Any other part is free, and the process that renames it first owns it. A
process that gives up dates its part to 2001, so the next run continues it at once. After a kill, the next run waits for
the rest of the minute first.
"""

import argparse
import hashlib
import math
import os
import sys
import time
import uuid
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import BinaryIO
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tqdm import tqdm

from numpy_rae import _validation
from numpy_rae.data import cifar_subset, images, local_files, proxy
from numpy_rae.data.folders import DataError, Folder, data_folder
from numpy_rae.data.sources import CATALOGUE, RemoteFile

BLOCK = 1 << 16
STALE_AFTER_SECONDS = 60.0
EXPIRED_MTIME = 10**9
DESCRIPTION = "Fetch and verify image sets."


def fetch(name: str, folder: Folder = None, *, timeout: float = 30.0, progress: bool = True) -> list[Path]:
    """Make the files of a data set present in `folder` and return their paths.

    Good copies below `folder` are used, whatever their names. Damaged files are fetched again. A whole file of another
    data set is never replaced.

    Parameters
    ----------
    name : str
        "mnist" or "cifar10".
    folder : str or os.PathLike, optional
        The data folder; see `folders.data_folder`.
    timeout : float
        Longest wait for a connection and for each read, in seconds.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    list of pathlib.Path
        One path per file of the data set.

    Raises
    ------
    DataError
        If an argument cannot be used, no mirror gives the file, it cannot be written, or another data set's file is in
        its place.
    """
    return [fetch_file(remote, folder, timeout=timeout, progress=progress) for remote in _dataset(name)]


def fetch_file(remote: RemoteFile, folder: Folder = None, *, timeout: float = 30.0, progress: bool = True) -> Path:
    """Do what `fetch` does for one RemoteFile, and return its path. Raises DataError as `fetch` does."""
    if not isinstance(timeout, (int, float)) or not 0 < timeout < math.inf:
        raise DataError(f"timeout was {timeout!r}; it may be any positive number of seconds.")
    folder = data_folder(folder)
    target = folder / remote.dataset / remote.name
    try:
        return _present(remote, folder) or _fetch_to(target, remote, folder, timeout, progress)
    except OSError as error:
        reason = error.strerror or error
        raise DataError(
            f"{target} cannot be written: {reason}; name another folder with --dir or NUMPY_RAE_DATA."
        ) from error


def _dataset(name: str) -> tuple[RemoteFile, ...]:
    if not isinstance(name, str) or name not in CATALOGUE:
        raise DataError(f"name was {name!r}; it may be one of {', '.join(CATALOGUE)}.")
    return CATALOGUE[name]


def _present(remote: RemoteFile, folder: Path) -> Path | None:
    """The path of a good copy; None if there is none."""
    with suppress(DataError):
        return local_files.find(remote, folder)[0]


def _fetch_to(target: Path, remote: RemoteFile, folder: Path, timeout: float, progress: bool) -> Path:
    """Download to a part of our own, then rename it; another process can have finished first."""
    local_files.refuse_other_data_set(target, remote)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = _claim(target, max(STALE_AFTER_SECONDS, 2 * timeout), progress)
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
        os.utime(part, (EXPIRED_MTIME, EXPIRED_MTIME))


def _try_mirrors(part: Path, target: Path, remote: RemoteFile, timeout: float, progress: bool) -> None:
    """Fill the part from the first mirror that gives the right file; DataError with every mirror's fault."""
    faults = []
    for url in remote.mirrors:
        proxy.check(url)
        try:
            return _fill(part, url, remote, timeout, progress)
        except (HTTPException, OSError, ValueError) as error:  # ValueError: an address to which a server redirects
            faults.append(f"{url}{proxy.described(url)} ({str(error) or repr(error)})")
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


def _check_subset(options: argparse.Namespace) -> None:
    """Refuse options for a subset that cannot be cut, before anything is fetched."""
    if options.subset is None and options.subset_out is not None:
        raise DataError(f"--subset-out is {options.subset_out}; it needs --subset N.")
    if options.subset is not None and "cifar10" not in options.names:
        raise DataError(f"--subset is {options.subset}; it needs cifar10 among the names.")
    if options.subset is not None and options.subset < 1:
        raise DataError(f"--subset is {options.subset}; it must be a whole number of at least 1.")


def _cut_subset(options: argparse.Namespace) -> Path:
    """Cut the subset of the fetched archive and return the path of its file."""
    subset = cifar_subset.cut(images.load_cifar10(options.dir), options.subset)
    default = data_folder(options.dir) / "cifar10" / f"images_{len(subset)}.npy"
    return cifar_subset.save(subset, _validation.user_path(options.subset_out or default))


def main(argv: list[str] | None = None) -> int:
    """Run the command `data_fetch.py` and return its exit code; see `run`."""
    parser = argparse.ArgumentParser(prog="data_fetch", description=DESCRIPTION)
    add_options(parser)
    return run(parser.parse_args(argv))


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options to a parser."""
    parser.add_argument("names", nargs="+", metavar="NAME", help=f"what to fetch: {', '.join(CATALOGUE)}")
    parser.add_argument("--dir", help="where to; default: NUMPY_RAE_DATA, else a cache folder of the user")
    subset = f"cut the first N images of each training batch of cifar10; the stored runs have N = {cifar_subset.PER_BATCH}"
    parser.add_argument("--subset", type=int, metavar="N", help=subset)
    file = "file of the subset; default: cifar10/images_<5 N>.npy in the folder of the data"
    parser.add_argument("--subset-out", metavar="FILE.npy", help=file)


def run(options: argparse.Namespace) -> int:
    """Fetch what the command line names, print the paths, and return 0; 2 with the reason on stderr."""
    try:
        for name in options.names:
            _dataset(name)
        _check_subset(options)
        for name in options.names:
            print(*fetch(name, options.dir, progress=sys.stderr.isatty()), sep="\n")
        if options.subset is not None:
            print(_cut_subset(options))
    except DataError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted; run the command again to continue the download.", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
