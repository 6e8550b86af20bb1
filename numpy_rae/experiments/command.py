"""How every command handles errors, signals and standard streams.

- For bad input, the command prints one sentence on stderr, without a traceback. The exit code is 2.
- SIGTERM and SIGHUP have the same effect as Ctrl-C: the work is ended properly. The exit code is 130.
- If the reader of the output has ended, the output is dropped and the work continues. If the output cannot be written,
  for example because the disk is full, the command prints one sentence at the end. The exit code is 2.
"""

import contextlib
import functools
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor
from typing import Any

from numpy_rae.data.folders import DataError
from numpy_rae.experiments import output_streams
from numpy_rae.experiments.scheduler import RunsLost
from numpy_rae.storage.jsonl import StoreError

BAD_INPUT, INTERRUPTED, LOST = 2, 130, 1


def command(name: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Return a decorator that makes a function the body of a command.

    Parameters
    ----------
    name : str
        Name of the command. Its messages begin with this name.

    Returns
    -------
    callable
        The decorator. The decorated function always returns an exit code. This is the code that the body returns, or 2
        for bad input and for files that cannot be read or written, 130 after an interrupt, and 1 if memory ran out or
        workers died.
    """

    def _decorate(body: Callable[..., int]) -> Callable[..., int]:
        """Make `body` a command."""

        @functools.wraps(body)
        def _main(*args: Any, **more: Any) -> int:
            """Call `body` and return an exit code."""
            with output_streams.dropping() as outputs:
                with ended_like_interrupted():
                    code = _guarded(name, lambda: body(*args, **more))
                return _after_output(name, outputs, code)

        return _main

    return _decorate


def tell(name: str, text: object) -> None:
    """Print one line on stderr.

    Parameters
    ----------
    name : str
        Name of the command.
    text : object
        The message.
    """
    print(f"{name}: {text}", file=sys.stderr)


@contextlib.contextmanager
def ended_like_interrupted() -> Iterator[None]:
    """Raise KeyboardInterrupt for SIGTERM and SIGHUP while the context is active.

    This works in the main thread only. If a signal is ignored, as SIGHUP is under nohup, it stays ignored.

    Yields
    ------
    None
        Nothing.
    """
    with contextlib.ExitStack() as stack:
        if threading.current_thread() is threading.main_thread():
            for caught in (getattr(signal, name, None) for name in ("SIGTERM", "SIGHUP")):
                if caught and signal.getsignal(caught) != signal.SIG_IGN:
                    stack.callback(signal.signal, caught, signal.signal(caught, signal.default_int_handler))
        yield


def _guarded(name: str, body: Callable[[], int]) -> int:
    """Call the body and return its exit code. For an error, print one sentence on stderr."""
    try:
        return body()
    except (ValueError, StoreError, DataError) as error:
        tell(name, error)
        return BAD_INPUT
    except OSError as error:
        tell(name, f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
        return BAD_INPUT
    except MemoryError:
        tell(name, "out of memory")
        return LOST
    except (RunsLost, BrokenExecutor) as error:
        tell(name, str(error) or "a worker process died")
        return LOST
    except KeyboardInterrupt as error:
        tell(name, str(error) or "interrupted")
        return INTERRUPTED


def _after_output(name: str, outputs: tuple[output_streams.Output, ...], code: int) -> int:
    """Return the exit code. It is 2 if stdout could not be written, unless its reader has ended."""
    out = outputs[0]
    out.flush()
    if out.error is None or out.error.errno in output_streams.NO_READER:
        return code
    tell(name, f"standard output cannot be written: {out.error.strerror}")
    return code or BAD_INPUT
