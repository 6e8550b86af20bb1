"""The conditions of the theory on an activation and a penalty. If one fails, a witness (a counterexample) is given.

    (a) s_e:      h' >= 0;  0 <= h' <= 1;  h'' >= 0;  h -> 0 on the left (Sec. 2.1.2)
    (b) penalty:  f' >= 0 for every rho that h can average to (Cor. 1);  q >= 1 and p >= 0 (Cor. 2)

All conditions are evaluated on a grid: [-50, 50] in steps of 0.025, with a finer grid at the kinks and where a sign
changes. Some more points go up to +-1e4.
"""

from dataclasses import dataclass
from typing import cast

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.activations import Activation, FullJet, Jet
from numpy_rae.penalties import JacobianPenalty, MeanActivationPenalty, Penalty

USEFUL, FAR = 50.0, 1e4
LIMIT = 1e-8
ROUNDING = 1e-12


@dataclass(frozen=True)
class Witness:
    """Hold a point at which a condition fails.

    Attributes
    ----------
    of : str
        Name of the quantity.
    value : float
        Its value.
    at : float or None
        The pre-activation a, or the mean code rho, where the quantity has this value. None if it does not depend on
        them.
    """

    of: str
    value: float
    at: float | None = None

    def __str__(self) -> str:
        where = "" if self.at is None else f" at {'rho' if self.of[0] == 'f' else 'a'} = {self.at:.4g}"
        return f"{self.of} is {self.value:.4g}{where}"


@dataclass(frozen=True)
class Condition:
    """Hold one condition of the theory.

    Attributes
    ----------
    name : str
        Short name.
    asks : str
        The condition as a formula.
    asked_by : tuple of str
        The statements that need it, such as "Cor. 1".
    witness : Witness or None
        A point where the condition fails. None if it holds.
    """

    name: str
    asks: str
    asked_by: tuple[str, ...]
    witness: Witness | None = None

    @property
    def holds(self) -> bool:
        """Return whether the condition holds.

        Returns
        -------
        bool
            True if there is no witness.
        """
        return self.witness is None


def accuracy(activation: Activation) -> tuple[float, ...]:
    """Return bounds on the errors of h and of its three derivatives.

    Parameters
    ----------
    activation : Activation
        The activation.

    Returns
    -------
    tuple of float
        One bound per derivative. All are 0 if the derivatives are hand-derived.
    """
    return getattr(activation.jet, "accuracy", (0.0, 0.0, 0.0, 0.0))


def evaluate(activation: Activation, a: Array) -> Jet:
    """Compute the jet up to h''. If a user's function overflows, no warning is shown.

    Parameters
    ----------
    activation : Activation
        The activation.
    a : ndarray, shape (k,)
        Pre-activations.

    Returns
    -------
    Jet
        The values h, h' and h''.
    """
    with np.errstate(all="ignore"):
        return activation(a, 2)


def grid(activation: Activation, penalty: Penalty) -> Array:
    """Return the points at which the conditions are evaluated.

    Parameters
    ----------
    activation : Activation
        The activation.
    penalty : Penalty
        The penalty.

    Returns
    -------
    ndarray, shape (k,)
        Points in increasing order at which the jet is finite. Each interval where a sign changes is divided into 32.
    """
    far = np.geomspace(2 * USEFUL, FAR, 9)
    beside = np.concatenate([10.0 ** -np.arange(1, 10), [0]])
    kinks = [k + side * beside for k in activation.kinks for side in (-1, 1)]
    next_to = [np.nextafter(k, side) for k in activation.kinks for side in (-np.inf, np.inf)]
    a = np.unique(np.concatenate([-far, np.linspace(-USEFUL, USEFUL, 4001), far, *kinks, next_to]))
    h, dh_da, d2h_da2, _ = cast(FullJet, evaluate(activation, a))
    pattern = np.sign([h, dh_da, dh_da - 1, d2h_da2, dh_da * d2h_da2])
    cut = np.flatnonzero((np.diff(pattern) != 0).any(axis=0))
    a = np.union1d(a, np.linspace(a[cut], a[cut + 1], 33))
    jet = cast(FullJet, evaluate(activation, a))
    return a[np.isfinite(jet[:3]).all(axis=0)]


def activation_conditions(a: Array, jet: Jet, near: tuple[float, ...]) -> tuple[Condition, ...]:
    """Evaluate the conditions (a) of this module on an activation.

    Parameters
    ----------
    a : ndarray, shape (k,)
        The grid.
    jet : Jet
        The jet on the grid.
    near : tuple of float
        Result of `accuracy`.

    Returns
    -------
    tuple of Condition
        The four conditions.
    """
    h, dh_da, d2h_da2, _ = cast(FullJet, jet)
    step, size = np.diff(h), np.maximum(1, np.abs(dh_da))
    slack = (near[1] + ROUNDING) * size
    noise = ROUNDING * np.maximum(1, np.abs(h[1:])) * (1 + np.abs(a[1:]))
    # If h changes more between two grid points than the slopes there allow, h has a jump.
    leaps = most_violating_point(
        "jump of h", a[:-1], step, 3 * np.diff(a) * np.maximum(size[:-1], size[1:]) + noise - np.abs(step)
    )
    falls = most_violating_point("h'", a, dh_da, dh_da + slack) or most_violating_point(
        "jump of h", a[:-1], step, step + noise
    )
    steep = most_violating_point("h'", a, dh_da, 1 - dh_da + slack) or leaps or falls
    turns = most_violating_point("jump of h'", a[:-1], np.diff(dh_da), np.diff(dh_da) + 2 * slack[1:])
    bends = most_violating_point("h''", a, d2h_da2, d2h_da2 + near[2] + ROUNDING) or turns or leaps
    left = None if falls_to_zero(h[a <= -2 * USEFUL]) else Witness("h", float(h[0]), float(a[0]))
    return (
        Condition("non_decreasing", "h' >= 0", ("Cor. 1", "Cor. 2", "Thm 2"), falls),
        Condition("slope_in_unit", "0 <= h' <= 1", ("Cor. 1", "Cor. 2"), steep),
        Condition("convex", "h'' >= 0", ("Cor. 2",), bends),
        Condition("zero_on_left", "h -> 0 as a -> -inf", ("Thm 2",), left),
    )


def most_violating_point(of: str, at: Array, value: Array, margin: Array) -> Witness | None:
    """Return the point with the most negative margin, if any margin is negative.

    Points in the useful range [-50, 50] are preferred over points outside it.

    Parameters
    ----------
    of : str
        Name of the quantity.
    at : ndarray, shape (k,)
        The points.
    value : ndarray, shape (k,)
        The quantity at the points.
    margin : ndarray, shape (k,)
        Margin of the condition at each point. The condition fails where it is negative.

    Returns
    -------
    Witness or None
        The point. None if no margin is negative.
    """
    if not margin.size:
        return None
    inside = np.where(np.abs(at) <= USEFUL, margin, np.inf)
    margin = inside if inside.min() < 0 else margin
    i = int(margin.argmin())
    return Witness(of, float(value[i]), float(at[i])) if margin[i] < 0 else None


def falls_to_zero(h: Array) -> bool:
    """Return whether h -> 0 on the left.

    Parameters
    ----------
    h : ndarray, shape (k,)
        The values of h at the points from -1e4 to -1e2, in this order.

    Returns
    -------
    bool
        True if |h(-1e4)| is at most LIMIT. Also True for a slow decay such as 1 / |a|: |h(-1e4)| is below 0.01, and
        |h| at -1e4 and at -1e3 is at most half of its value at -1e3 and at -1e2.
    """
    size = np.abs(h[::4]) if len(h) == 9 else np.abs(h)
    return bool(size[0] <= LIMIT or (len(h) == 9 and size[0] < 0.01 and (2 * size[:-1] <= size[1:]).all()))


def penalty_conditions(penalty: Penalty, a: Array, h: Array) -> tuple[Condition, ...]:
    """Evaluate the conditions (b) of this module on a penalty.

    Parameters
    ----------
    penalty : Penalty
        The penalty.
    a : ndarray, shape (k,)
        The grid.
    h : ndarray, shape (k,)
        The codes on the grid.

    Returns
    -------
    tuple of Condition
        The conditions. Empty if the penalty belongs to neither family.
    """
    if isinstance(penalty, MeanActivationPenalty):
        increasing = Condition("f_increasing", "f increases with rho", ("Cor. 1",), decrease_witness(penalty, h))
        if penalty.domain[0] == -np.inf:
            return (increasing,)
        return increasing, Condition("in_domain", "h >= 0, as f needs", ("Cor. 1",), most_violating_point("h", a, h, h))
    if isinstance(penalty, JacobianPenalty):
        return (
            Condition("q", "q >= 1", ("Cor. 2",), None if penalty.q >= 1 else Witness("q", penalty.q)),
            Condition("p", "p >= 0", ("Cor. 2",), None if penalty.p >= 0 else Witness("p", penalty.p)),
        )
    return ()


def decrease_witness(penalty: MeanActivationPenalty, h: Array) -> Witness | None:
    """Find a rho at which f does not increase.

    Parameters
    ----------
    penalty : MeanActivationPenalty
        The penalty with the function f.
    h : ndarray, shape (k,)
        The codes on the grid. All rho between the smallest and the largest are possible.

    Returns
    -------
    Witness or None
        The point. None if f increases everywhere.
    """
    low, high = h.min(), h.max()
    rho = np.unique(np.concatenate([h, np.linspace(low, high, 2001), np.linspace(low, min(high, 1), 2001)]))
    f, df, _ = penalty.extrapolated(rho)
    if not df.any():
        return Witness("f'", 0.0, float(rho[0]))
    step = np.diff(f) + ROUNDING * np.maximum(1, np.abs(f[1:]))
    return most_violating_point("f'", rho, df, df) or most_violating_point("f's step", rho[:-1], np.diff(f), step)
