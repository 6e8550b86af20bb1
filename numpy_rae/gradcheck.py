"""Check a gradient that was derived by hand against differences of its own function.

This works for the package's gradients and for yours. A checked function maps a flat float64 vector to a number. A slope
is stronger evidence than a tolerance: the remainder f(p + t d) - f(p) - t g.d falls as t^2 for the right gradient and
as t for a wrong one, at any scale of f.

The function gets a new copy of the vector in each call, and its gradient is copied as soon as it returns. So it may
write into its argument, and it may reuse the memory of its result. Rounding is estimated from the largest |f| of all
calls.
"""

import math
from collections.abc import Callable

import numpy as np

from numpy_rae import _contracts, _validation
from numpy_rae._validation import Array
from numpy_rae.autoencoder import Gradient, Params
from numpy_rae.function_on_line import Function, Probe, check_line, one_sided
from numpy_rae.gradcheck_result import Check, Checks

STEPS = 10.0 ** np.arange(-1.5, -4.1, -0.5)


def flatten(params: Params) -> Array:
    """Return W and b_e as one vector.

    Parameters
    ----------
    params : Params
        W, shape (m, n), and b_e, shape (m,).

    Returns
    -------
    ndarray, shape (m n + m,), float64
        The rows of W one after another, then b_e.
    """
    return np.concatenate([params.W.ravel(), params.b_e]).astype(np.float64)


def unflatten(vector: Array, like: Params) -> Params:
    """Return the parameters of a flat vector. This is the inverse of `flatten`.

    Parameters
    ----------
    vector : ndarray, shape (m n + m,)
        Result of `flatten`.
    like : Params
        Parameters of the wanted shapes.

    Returns
    -------
    Params
        Views of `vector`.
    """
    size = like.W.size
    return Params(vector[:size].reshape(like.W.shape), vector[size:])


def on_vector(value_and_grad: Callable[[Params], tuple[float, Gradient]], params: Params) -> Function:
    """Turn `params -> (J, Gradient)` into a function of the flat vector.

    Parameters
    ----------
    value_and_grad : callable
        `value_and_grad(params) -> (J, Gradient)`.
    params : Params
        Parameters of the wanted shapes.

    Returns
    -------
    callable
        `f(vector) -> (J, dense gradient)`.
    """

    def _checked(vector: Array) -> tuple[float, Array]:
        """Compute the value and the dense gradient at a flat vector, and check their form."""
        J, grad = _contracts.pair("value_and_grad", value_and_grad(unflatten(vector.copy(), params)), "(J, Gradient)")
        here = unflatten(vector, params)
        _contracts.check_gradient("value_and_grad", grad, here)
        return J, flatten(grad.dense(here))

    return _checked


@_validation.tiny_is_zero
def taylor_slope(f: Function, point: Array, direction: Array, steps: Array = STEPS) -> float:
    """Compute the slope of log |f(p + t d) - f(p) - t g.d| against log t at the smallest t.

    Parameters
    ----------
    f : callable
        `f(vector) -> (value, gradient)`.
    point, direction : ndarray, shape (k,), float64
        The vectors p and d.
    steps : ndarray
        The values of t, from the largest to the smallest.

    Returns
    -------
    float
        2 for a right gradient, 1 for a wrong one. Remainders within a hundred roundings of the largest |f| are left
        out. If fewer than two remain, f is linear along d as far as floating point can tell, and the result is inf. If
        t g.d is as small as rounding, too, no conclusion is possible, and the result is NaN.

    Raises
    ------
    ValueError
        If f is not finite at the point, is not deterministic, or does not return a real number and a float64 gradient
        of the vector's shape.
    """
    probe = check_line(f, point, direction)
    if not (_validation.vector("steps", steps) > 0).all() or not (np.diff(steps) < 0).all():
        raise ValueError(f"steps is {steps}; its entries must decrease and be above 0")
    with np.errstate(all="ignore"):
        value, slope = probe()
        values = np.array([probe(t)[0] for t in steps])
        remainders = np.abs(values - value - steps * slope)
        rounding, noise = probe.rounding(), probe.noise(float(steps[0]), math.inf)
    _validation.no_overflow("point or steps", remainders)
    if noise is not None:
        raise ValueError(f"f is not deterministic; two values at the same point differ by {noise:.1e}")
    seen = remainders > rounding
    if seen.sum() < 2:
        return math.inf if slope == 0 or abs(steps[0] * slope) > rounding else math.nan
    (r_1, r_2), (t_1, t_2) = np.log(remainders[seen][-2:]), np.log(steps[seen][-2:])
    return float((r_2 - r_1) / (t_2 - t_1))


@_validation.tiny_is_zero
def directional(f: Function, point: Array, direction: Array, index: int = 0, step: float = 1e-3) -> Check:
    """Compare g.d with (8 (f(t) - f(-t)) - (f(2t) - f(-2t))) / 12 t, whose error is of order t^4.

    Parameters
    ----------
    f : callable
        `f(vector) -> (value, gradient)`.
    point, direction : ndarray, shape (k,), float64
        Where the derivative is computed, and in which direction.
    index : int
        Number of the direction, for the report.
    step : float
        The step t.

    Returns
    -------
    Check
        Its uncertainty is the spread over steps t, 2 t and 4 t plus the rounding of the largest |f| of all calls. So
        there is no tolerance to choose.

    Raises
    ------
    ValueError
        If f is not finite at the point, or does not return a real number and a float64 gradient of the vector's shape.
    """
    probe = check_line(f, point, direction)
    _validation.number("step", step, 1e-100)
    with np.errstate(all="ignore"):
        analytic = probe()[1]
        fine, *coarser = (_fourth_order(probe, t) for t in (step, 2 * step, 4 * step))
        rounding = probe.rounding()
        uncertainty = float(np.ptp([fine, *coarser])) + rounding / step
        noise, sides = probe.noise(step, uncertainty), one_sided(probe, step, rounding)
    _validation.no_overflow("point or step", analytic, fine, uncertainty)
    return Check(analytic, fine, uncertainty, index, step, *sides, noise)


def _fourth_order(probe: Probe, t: float) -> float:
    """Compute the difference of step t, whose error is of order t^4."""
    near, far = probe(t)[0] - probe(-t)[0], probe(2 * t)[0] - probe(-2 * t)[0]
    return (8 * near - far) / (12 * t)


@_validation.tiny_is_zero
def check_gradient(
    value_and_grad: Callable[[Params], tuple[float, Gradient]],
    params: Params,
    rng: np.random.Generator,
    directions: int = 5,
) -> Checks:
    """Compare the gradient of a function of the parameters with differences in random unit directions.

    Parameters
    ----------
    value_and_grad : callable
        `value_and_grad(params) -> (J, Gradient)`. It must use the same noise in every call.
    params : Params
        The point: W, shape (m, n), and b_e, shape (m,), in float64.
    rng : numpy.random.Generator
        Source of the directions.
    directions : int
        Number of directions.

    Returns
    -------
    list of Check
        One check per direction. Each can be printed.

    Raises
    ------
    ValueError
        If params is not finite or not float64, or if J or its gradient is not finite there.
    """
    _validation.function("value_and_grad", value_and_grad)
    _validation.encoder(params)
    _validation.like("W", params.W, params.W.shape, np.dtype(np.float64))
    _validation.instance("rng", rng, np.random.Generator)
    _validation.integer("directions", directions)
    f, point = on_vector(value_and_grad, params), flatten(params)
    checks = Checks()
    for index in range(directions):
        direction = rng.standard_normal(point.size)
        checks.append(directional(f, point, direction / np.linalg.norm(direction), index))
    return checks
