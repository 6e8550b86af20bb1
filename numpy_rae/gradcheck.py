"""Checks of a hand-derived gradient against its own function, for ours and for yours.

A checked function maps a flat float64 vector to a number. Slopes say more than tolerances: with the right gradient the
remainder f(p + t d) - f(p) - t g.d falls as t^2, with a wrong one as t, whatever the scale of f.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from numpy_rae import validation
from numpy_rae.autoencoder import Params

STEPS = 10.0 ** np.arange(-1.5, -4.1, -0.5)


class Check(NamedTuple):
    """One directional derivative, both ways: `analytic` = g.d, `numeric` by a fourth-order difference of step `step`,
    known to within `uncertainty`; `direction` is the index of the random direction. `left` and `right` are the
    one-sided derivatives where they disagree, at a kink, else None."""

    analytic: float
    numeric: float
    uncertainty: float
    direction: int
    step: float
    left: float | None = None
    right: float | None = None

    @property
    def passed(self) -> bool:
        """Whether both sides agree within what the difference itself can know."""
        return self.left is None and abs(self.analytic - self.numeric) <= self.uncertainty

    def __str__(self) -> str:
        verdict = "ok" if self.passed else "WRONG"
        if self.left is not None:
            verdict = f"AT A KINK, slope {self.left:+.6e} on the left and {self.right:+.6e} on the right: move the point"
        return (
            f"direction {self.direction}: analytic {self.analytic:+.12e}, numeric {self.numeric:+.12e} "
            f"+- {self.uncertainty:.1e} (step {self.step:g}): {verdict}"
        )


def flatten(params: Params) -> np.ndarray:
    """W and b_e as one float64 vector."""
    return np.concatenate([params.W.ravel(), params.b_e]).astype(np.float64)


def unflatten(vector: np.ndarray, like: Params) -> Params:
    """The inverse of `flatten`, in the shapes of `like`."""
    size = like.W.size
    return Params(vector[:size].reshape(like.W.shape), vector[size:])


def on_vector(value_and_grad: Callable, params: Params) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """`params -> (J, Gradient)` as a function of the flat vector: (J, dense gradient)."""

    def checked(vector: np.ndarray) -> tuple[float, np.ndarray]:
        here = unflatten(vector, params)
        J, grad = value_and_grad(here)
        return J, flatten(grad.dense(here))

    return checked


def taylor_slope(f: Callable, point: np.ndarray, direction: np.ndarray, steps: np.ndarray = STEPS) -> float:
    """Slope of log |f(p + t d) - f(p) - t g.d| against log t at the smallest t: 2 for a right gradient, 1 for a wrong.

    `f(vector) -> (value, gradient)`, with values of order one or larger. Remainders within a hundred roundings are
    left out; inf if fewer than two are left: f is then linear along d as far as floating point can tell. Raises
    ValueError if f is not finite at the point.
    """
    check_line(f, point, direction)
    if not (validation.vector("steps", steps) > 0).all() or not (np.diff(steps) < 0).all():
        raise ValueError(f"steps is {steps}; they must fall from each to the next, and stay above 0")
    with np.errstate(over="ignore", invalid="ignore"):
        value, gradient = f(point)
        slope = float(gradient @ direction)
        values = np.array([f(point + t * direction)[0] for t in steps])
        remainders = np.abs(values - value - steps * slope)
    validation.representable("point or steps", remainders)
    seen = remainders > 100 * np.finfo(float).eps * max(1, abs(value))
    if seen.sum() < 2:
        return math.inf
    (r_1, r_2), (t_1, t_2) = np.log(remainders[seen][-2:]), np.log(steps[seen][-2:])
    return float((r_2 - r_1) / (t_2 - t_1))


def directional(f: Callable, point: np.ndarray, direction: np.ndarray, index: int = 0, step: float = 1e-3) -> Check:
    """g.d against (8 (f(t) - f(-t)) - (f(2t) - f(-2t))) / 12 t, whose error is of order t^4.

    The uncertainty is the spread over steps t, 2 t and 4 t plus the rounding of an f of order one or larger, so no
    tolerance is chosen. Raises ValueError if f is not finite at the point.
    """
    check_line(f, point, direction)
    validation.number("step", step, 1e-100)
    with np.errstate(over="ignore", invalid="ignore"):
        value, gradient = f(point)
        fine, *coarser = (_fourth_order(f, point, direction, t) for t in (step, 2 * step, 4 * step))
        rounding = 100 * np.finfo(float).eps * max(abs(value), 1) / step
        uncertainty = float(np.ptp([fine, *coarser])) + rounding
        analytic, sides = float(gradient @ direction), one_sided(f, point, direction, step)
    validation.representable("point or step", analytic, fine, uncertainty)
    return Check(analytic, fine, uncertainty, index, step, *sides)


def check_line(f: Callable, point: np.ndarray, direction: np.ndarray) -> None:
    """Raise ValueError unless f has a finite value and gradient at the point, float64 as the direction is."""
    validation.function("f", f)
    validation.like("point", validation.vector("point", point), point.shape, np.dtype(np.float64))
    validation.vector("direction", validation.like("direction", direction, point.shape, point.dtype))
    with np.errstate(all="ignore"):
        value, gradient = f(point)
    if not np.isfinite(value) or not np.isfinite(gradient).all():
        raise ValueError("f is not finite at the point, with its gradient; a difference says nothing there")


def one_sided(f: Callable, point: np.ndarray, direction: np.ndarray, step: float) -> tuple[float | None, float | None]:
    """(left, right) derivatives if they differ by as much over a hundredth of the step, as only a kink can; else None."""
    value = f(point)[0]
    rounding = 100 * np.finfo(float).eps * max(abs(value), 1)
    slopes = {
        t: ((value - f(point - t * direction)[0]) / t, (f(point + t * direction)[0] - value) / t)
        for t in (step, step / 100)
    }
    (wide, near), (left, right) = ([r - l for l, r in slopes.values()], slopes[step / 100])
    kink = abs(near) > abs(wide) / 10 and abs(near) > 100 * rounding / step
    return (left, right) if kink else (None, None)


def _fourth_order(f: Callable, point: np.ndarray, direction: np.ndarray, t: float) -> float:
    near = f(point + t * direction)[0] - f(point - t * direction)[0]
    far = f(point + 2 * t * direction)[0] - f(point - 2 * t * direction)[0]
    return (8 * near - far) / (12 * t)


def check_gradient(
    value_and_grad: Callable, params: Params, rng: np.random.Generator, directions: int = 5
) -> list[Check]:
    """Compare the gradient of `value_and_grad(params) -> (J, Gradient)` with differences in random unit directions.

    Returns a list of `Check`, each printable. Raises ValueError unless params is finite, in float64, and J with its
    gradient finite there.
    """
    validation.function("value_and_grad", value_and_grad)
    validation.encoder(params)
    validation.like("W", params.W, params.W.shape, np.dtype(np.float64))
    validation.instance("rng", rng, np.random.Generator)
    validation.whole("directions", directions)
    f, point = on_vector(value_and_grad, params), flatten(params)
    checks = []
    for index in range(directions):
        direction = rng.standard_normal(point.size)
        checks.append(directional(f, point, direction / np.linalg.norm(direction), index))
    return checks
