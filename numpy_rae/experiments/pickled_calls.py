"""Function calls and their results as bytes.

cloudpickle packs functions and classes of `__main__`, of a notebook and of a program read from stdin by value, so the
receiving process does not import them.
"""

import traceback
from collections.abc import Callable

import cloudpickle


class NotSendable(ValueError):
    """An object cannot be sent to a worker process; the message says which object and why."""


class WorkerTraceback(Exception):
    """The traceback that a worker recorded, as the cause of the exception that is raised here."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def pack(fn: Callable, args: tuple = (), kwargs: dict | None = None) -> bytes:
    """Pack a call. Raises NotSendable if the function or an argument cannot be pickled."""
    return check(_name(fn), (fn, args, kwargs or {}))


def check(name: str, thing: object) -> bytes:
    """Pack `thing`. Raises NotSendable with its `name` if it cannot be pickled."""
    try:
        return cloudpickle.dumps(thing)
    except Exception as error:  # whatever a `__reduce__` raises
        raise NotSendable(
            f"{name} cannot be sent to a worker process: {_reason(error)}; open files, locks and connections must be "
            "opened inside the function that uses them"
        ) from error


def call(packed: bytes) -> bytes:
    """Do a packed call, in the worker, and pack its result or the exception that it raised."""
    try:
        fn, args, kwargs = cloudpickle.loads(packed)
    except Exception as error:
        raise NotSendable(f"a worker process cannot load what it was sent: {_reason(error)}") from error
    try:
        outcome = fn(*args, **kwargs), None
    except Exception as error:
        return _packed_error(error)
    try:
        return cloudpickle.dumps(outcome)
    except Exception as error:
        raise NotSendable(f"the result of {_name(fn)} cannot be sent back: {_reason(error)}") from error


def unpack(packed: bytes):
    """Return what `call` packed, or raise the exception that it packed."""
    value, failure = cloudpickle.loads(packed)
    if failure is None:
        return value
    error, text = failure
    raise _loaded(error, text) from WorkerTraceback(text)


def _packed_error(error: Exception) -> bytes:
    text = "".join(traceback.format_exception(error))
    try:
        dumped = cloudpickle.dumps(error)
    except Exception:  # an exception that holds, say, an open file
        dumped = None
    return cloudpickle.dumps((None, (dumped, text)))


def _loaded(dumped: bytes | None, text: str) -> Exception:
    """The exception itself, or a RuntimeError with its last line if it cannot be loaded here."""
    try:
        return cloudpickle.loads(dumped)
    except Exception:
        return RuntimeError(text.strip().splitlines()[-1])


def _name(fn: Callable) -> str:
    return getattr(fn, "__qualname__", None) or repr(fn)


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
