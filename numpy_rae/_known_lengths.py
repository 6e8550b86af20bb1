"""Pass the squared row lengths of W to the objectives and penalties that need them.

The optimiser computes the lengths in every step, and the penalty needs the same lengths in the next step. So they are
passed on as a keyword argument, `len2`. Objectives and penalties that users write do not have this argument. Therefore
only classes of this package receive it. Without `len2`, they compute the lengths from W.
"""

from typing import TypeVar

from numpy_rae._validation import Array

Class = TypeVar("Class", bound=type[object])
_RECEIVERS: set[type[object]] = set()


def takes_len2(cls: Class) -> Class:
    """Mark a class whose instances accept the keyword argument `len2`.

    len2 is None, or the squared row lengths of W, shape (m,).

    Parameters
    ----------
    cls : type
        The class.

    Returns
    -------
    type
        The class itself.
    """
    _RECEIVERS.add(cls)
    return cls


def known(receiver: object, len2: Array | None) -> dict[str, Array]:
    """Return the keyword arguments that pass len2 to a receiver.

    There are none if len2 is unknown, or if the class of the receiver is not marked. A subclass of a marked class does
    not count: a user may have written it.

    Parameters
    ----------
    receiver : object
        Objective or penalty.
    len2 : ndarray, shape (m,), or None
        Squared row lengths of W.

    Returns
    -------
    dict
        Either empty, or with the key `len2`.
    """
    return {} if len2 is None or type(receiver) not in _RECEIVERS else {"len2": len2}
