"""Make commands and workers continue if a standard stream is closed or broken, or cannot encode Unicode."""

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

# The errors of a write if its reader has ended: a closed pipe, or a closed terminal.
NO_READER = (errno.EPIPE, errno.EIO)


class Output:
    """A text stream that drops text that cannot be written, and stores the first error.

    Parameters
    ----------
    stream : text stream
        The stream that is written to, for example `sys.stdout`.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.error: OSError | None = None
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")

    def write(self, text: str) -> int:
        """Write text, or drop it if the stream is broken.

        Parameters
        ----------
        text : str
            The text.

        Returns
        -------
        int
            Its length.
        """
        self._attempt(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        """Flush the stream if it is not broken."""
        self._attempt(self._stream.flush)

    def __getattr__(self, name: str) -> Any:
        """Return the attribute of the wrapped stream."""
        return getattr(self._stream, name)

    def _attempt(self, action: Callable[[], object]) -> None:
        """Call an operation of the stream. After an error, connect the stream to the null device."""
        try:
            action()
        except OSError as error:
            self.error = self.error or error
            self._connect_to_devnull()

    def _connect_to_devnull(self) -> None:
        """Connect the stream to the null device, so that buffered and later text is dropped without an error."""
        with contextlib.suppress(OSError, AttributeError), open(os.devnull, "wb") as sink:
            os.dup2(sink.fileno(), self._stream.fileno())


@contextlib.contextmanager
def dropping() -> Iterator[tuple[Output, Output]]:
    """Make `sys.stdout` and `sys.stderr` drop text that cannot be written.

    Yields
    ------
    Output, Output
        The two streams.
    """
    fill_descriptors()
    with present():
        before = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = out, err = Output(sys.stdout), Output(sys.stderr)
        try:
            yield out, err
        finally:
            out.flush()
            err.flush()
            sys.stdout, sys.stderr = before


@contextlib.contextmanager
def present() -> Iterator[None]:
    """Replace `sys.stdout` and `sys.stderr` by the null device if they are None, as in a process without a console.

    Yields
    ------
    None
        Nothing.
    """
    with contextlib.ExitStack() as stack:
        for name in ("stdout", "stderr"):
            if getattr(sys, name) is None:
                setattr(sys, name, stack.enter_context(open(os.devnull, "w")))
                stack.callback(setattr, sys, name, None)
        yield


def fill_descriptors() -> None:
    """Open the null device on each of the descriptors 0 to 2 that is closed.

    Otherwise the next file that is opened would get this descriptor, and C libraries would write messages into it.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(opened, True)
