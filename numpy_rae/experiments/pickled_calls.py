"""Convert function calls and their results to bytes and back.

cloudpickle packs some functions and classes by value: those of `__main__`, of a notebook, and of a program that is read
from stdin. So the receiving process does not import them.
"""

import traceback
from collections.abc import Callable
from typing import Any

import cloudpickle


class NotSendable(ValueError):
    """An object cannot be sent to a worker process. The message gives the object and the reason."""


class WorkerTraceback(Exception):
    """The traceback from a worker. It is the cause of the exception that is raised in this process."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def pack(fn: Callable[..., Any], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> bytes:
    """Pack a call.

    Parameters
    ----------
    fn : callable
        The function.
    args : tuple, optional
        Its positional arguments.
    kwargs : dict, optional
        Its keyword arguments.

    Returns
    -------
    bytes
        The packed call, the argument of `call`.

    Raises
    ------
    NotSendable
        If the function or an argument cannot be pickled.
    """
    return check(_name(fn), (fn, args, kwargs or {}))


def check(name: str, thing: object) -> bytes:
    """Pack an object.

    Parameters
    ----------
    name : str
        Description of the object in the message.
    thing : object
        The object.

    Returns
    -------
    bytes
        The packed object.

    Raises
    ------
    NotSendable
        If the object cannot be pickled.
    """
    try:
        return _dumps(thing)
    except Exception as error:  # `__reduce__` can raise any exception
        raise NotSendable(
            f"{name} cannot be sent to a worker process: {_reason(error)}; open files, locks and connections must be "
            "opened inside the function that uses them"
        ) from error


def call(packed: bytes) -> bytes:
    """Run a packed call in the worker, and pack its result or the exception that it raised.

    Parameters
    ----------
    packed : bytes
        Result of `pack`.

    Returns
    -------
    bytes
        The packed result, the argument of `unpack`.

    Raises
    ------
    NotSendable
        If the call cannot be unpacked in this process, or its result cannot be packed.
    """
    try:
        fn, args, kwargs = cloudpickle.loads(packed)
    except Exception as error:
        raise NotSendable(f"a worker process cannot load what it was sent: {_reason(error)}") from error
    try:
        outcome = fn(*args, **kwargs), None
    except Exception as error:
        return _packed_error(error)
    try:
        return _dumps(outcome)
    except Exception as error:
        raise NotSendable(f"the result of {_name(fn)} cannot be sent back: {_reason(error)}") from error


def unpack(packed: bytes) -> Any:
    """Return the result that `call` packed, or raise the exception that it packed.

    Parameters
    ----------
    packed : bytes
        Result of `call`.

    Returns
    -------
    object
        The result of the function.
    """
    value, failure = cloudpickle.loads(packed)
    if failure is None:
        return value
    error, text = failure
    raise _loaded(error, text) from WorkerTraceback(text)


def _dumps(thing: object) -> bytes:
    """Pack by cloudpickle, which has no types."""
    packed: bytes = cloudpickle.dumps(thing)
    return packed


def _packed_error(error: Exception) -> bytes:
    """Pack an exception with its traceback as text."""
    text = "".join(traceback.format_exception(error))
    try:
        dumped = _dumps(error)
    except Exception:  # for example an exception with an open file
        dumped = None
    return _dumps((None, (dumped, text)))


def _loaded(dumped: bytes | None, text: str) -> Exception:
    """Return the exception. If it cannot be loaded in this process, return a RuntimeError with its last line."""
    try:
        error: Exception = cloudpickle.loads(dumped)
        return error
    except Exception:
        return RuntimeError(text.strip().splitlines()[-1])


def _name(fn: Callable[..., Any]) -> str:
    """Return the name of a function."""
    return getattr(fn, "__qualname__", None) or repr(fn)


def _reason(error: Exception) -> str:
    """Return the message of an exception in one line, or its type if it has no message."""
    return " ".join(str(error).split()) or type(error).__name__
