"""Download one file from its mirrors into a part file, and verify it. A download continues where it stopped."""

import hashlib
import os
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import BinaryIO, cast
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tqdm import tqdm

from numpy_rae.data import proxy
from numpy_rae.data.folders import DataError
from numpy_rae.data.sources import RemoteFile

BLOCK = 1 << 16


def download(part: Path, target: Path, remote: RemoteFile, timeout: float, progress: bool) -> None:
    """Complete a part file from the first mirror that has the correct file.

    Parameters
    ----------
    part : pathlib.Path
        An existing file with the bytes that were downloaded before. It can be empty.
    target : pathlib.Path
        The final name of the file, for the message.
    remote : RemoteFile
        The file, with its size, its SHA-256 and its mirrors.
    timeout : float
        Longest wait for a connection and for each read, in seconds.
    progress : bool
        Whether to show a progress bar.

    Raises
    ------
    DataError
        If the proxy is malformed, or if no mirror gives the file. The message gives the error of each mirror.
    """
    faults = []
    for url in remote.mirrors:
        proxy.check(url)
        try:
            _fill(part, url, remote, timeout, progress)
            return
        except (HTTPException, OSError, ValueError) as error:  # ValueError: a malformed address in a redirect
            faults.append(f"{url}{proxy.described(url)} ({str(error) or repr(error)})")
    raise DataError(
        f"{target} could not be fetched; expected are {remote.size} bytes with SHA-256 {remote.sha256}. Tried: "
        f"{'; '.join(faults)}. Run the command again to continue a partial download, or save the file by hand as "
        f"{target}, or in any folder that the environment variable NUMPY_RAE_DATA then names."
    )


def _fill(part: Path, url: str, remote: RemoteFile, timeout: float, progress: bool) -> None:
    """Complete the part from one mirror and check it. If a continued part is wrong, fetch the whole file again."""
    start = _transfer(part, url, remote, timeout, progress)
    found = hashlib.sha256(part.read_bytes()).hexdigest()
    if found == remote.sha256:
        return
    os.truncate(part, 0)
    if start == 0:
        raise ConnectionError(f"found SHA-256 {found}")
    _fill(part, url, remote, timeout, progress)


def _transfer(part: Path, url: str, remote: RemoteFile, timeout: float, progress: bool) -> int:
    """Download the rest of the part up to its known size, and return how many of its bytes were there before."""
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
    """Copy the answer into the part, up to the known size of the file."""
    bar = tqdm(desc=remote.name, total=remote.size, initial=out.tell(), unit="B", unit_scale=True, disable=not progress)
    with bar:
        while (room := remote.size - out.tell()) and (block := response.read1(min(BLOCK, room))):
            bar.update(out.write(block))
            out.flush()


def _ask(url: str, start: int, timeout: float) -> HTTPResponse:
    """Request the bytes from `start` on from a mirror. If the mirror cannot do this, request the whole file."""
    headers = {"User-Agent": "numpy_rae"} | ({"Range": f"bytes={start}-"} if start else {})
    try:
        return cast(HTTPResponse, urlopen(Request(url, headers=headers), timeout=timeout))
    except HTTPError as error:
        error.close()
        if error.code == 416 and start:
            return _ask(url, 0, timeout)
        raise


def _first_byte(response: HTTPResponse, have: int, size: int) -> int:
    """Return the position in the file at which the answer begins. Raise ConnectionError if its size is wrong."""
    start = have if response.status == 206 else 0
    scope = response.headers.get("Content-Range", "")
    if response.status == 206 and not scope.startswith(f"bytes {start}-{size - 1}/"):
        raise ConnectionError(f"answers with range {scope!r} instead of bytes {start}-{size - 1}")
    length = response.headers.get("Content-Length", str(size - start))
    if length != str(size - start):
        raise ConnectionError(f"answers with {length} bytes instead of {size - start}")
    return start
