"""One line of the walkthrough: a value, and for a gradient the function whose gradient it is."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.gradcheck import directional
from numpy_rae.gradcheck_result import Check


class Line(NamedTuple):
    """Hold one value of a training step.

    Attributes
    ----------
    source : str
        Where the value is derived: the function or class with the step's letter, as in "JacobianPenalty (d)", or an
        equation of the paper.
    name : str
        Name of the value, with its formula.
    value : ndarray or float
        The value.
    f : callable or None
        Function of one array whose gradient the value is. None if the value is not a gradient.
    at : ndarray or None
        Argument of `f` at which the gradient was computed. It has the shape of the value.
    """

    source: str
    name: str
    value: Array | float
    f: Callable[[Array], float] | None = None
    at: Array | None = None

    def checks(self) -> list[Check]:
        """Compare every entry of a gradient with a finite difference.

        Returns
        -------
        list of Check
            One check per entry, in the order of `value.ravel()`. Empty if the value is not a gradient.
        """
        if self.f is None or self.at is None:
            return []
        f, shape, gradient = self.f, self.at.shape, np.ravel(self.value)
        point = self.at.ravel()
        on_vector = lambda vector: (float(f(vector.reshape(shape))), gradient)
        return [directional(on_vector, point, axis, index) for index, axis in enumerate(np.eye(point.size))]


def numeric(checks: list[Check], line: Line) -> Array:
    """Return the finite differences of a line in the shape of its value.

    Parameters
    ----------
    checks : list of Check
        The checks of the line.
    line : Line
        The line.

    Returns
    -------
    ndarray
        The differences.
    """
    return np.reshape([check.numeric for check in checks], np.shape(line.value))
