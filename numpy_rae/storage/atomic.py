"""Write a file so that readers never see an incomplete file."""

import errno
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


def replace_file(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file so that every reader sees either the complete old file or the complete new file.

    `write` fills a temporary file in the same folder. This file is flushed to the disk and then renamed to `path`. Its
    mode is 0666 without the bits of the umask. If `path` is a symbolic link, the file that it points to is replaced.

    Parameters
    ----------
    path : pathlib.Path
        The file to make or to replace.
    write : callable
        Called once with the open binary file.

    Raises
    ------
    OSError
        If the file cannot be written, or if `path` is a device, a pipe or a folder. The old file is not changed.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "It is not a regular file")
    path = Path(os.path.realpath(path))
    beside = path.parent / f".{uuid.uuid4().hex}.tmp"
    try:
        with open(beside, "xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
