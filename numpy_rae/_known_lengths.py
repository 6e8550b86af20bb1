"""Hand the squared row lengths of W on to the objectives and penalties that need them.

The optimiser computes the lengths in every step, and the penalty of the next step needs them again. Objectives and
penalties have one public form, which users write, too. So the lengths are an extra keyword argument, `len2`, that only
the package's own classes receive. Without it they compute the lengths from W.
"""

from typing import TypeVar

import numpy as np

Class = TypeVar("Class", bound=type)
_RECEIVERS: set[type] = set()


def takes_len2(cls: Class) -> Class:
    """Mark a class whose instances accept the keyword argument `len2`: None, or the squared row lengths of W, (m,)."""
    _RECEIVERS.add(cls)
    return cls


def known(receiver: object, len2: np.ndarray | None) -> dict[str, np.ndarray]:
    """Return `len2` as the keyword arguments of `receiver`: none if it is unknown, or if this class does not take it.

    A subclass counts as another class, because a user may have written it.
    """
    return {} if len2 is None or type(receiver) not in _RECEIVERS else {"len2": len2}
