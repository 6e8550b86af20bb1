"""Which corollary is about a penalty, and the penalty's name."""

from numpy_rae import _contracts, _validation
from numpy_rae.penalties import PENALTIES, JacobianPenalty, MeanActivationPenalty, Penalty


def find_penalty(penalty: str | Penalty) -> Penalty:
    """Return the penalty that a name or a penalty means.

    Parameters
    ----------
    penalty : str or Penalty
        A name in `penalties.PENALTIES`, or a penalty.

    Returns
    -------
    Penalty
        The penalty.

    Raises
    ------
    ValueError
        If the name is unknown, or the value is not a penalty.
    """
    if isinstance(penalty, str):
        return PENALTIES[_validation.one_of("penalty", penalty, PENALTIES)]
    _contracts.check_penalty(penalty)
    return penalty


def family(penalty: Penalty) -> str:
    """Return the corollary about the family of a penalty.

    Parameters
    ----------
    penalty : Penalty
        The penalty.

    Returns
    -------
    str
        "Cor. 1", "Cor. 2", or "none" for a penalty of neither family.
    """
    families = {MeanActivationPenalty: "Cor. 1", JacobianPenalty: "Cor. 2"}
    return next((corollary for kind, corollary in families.items() if isinstance(penalty, kind)), "none")


def penalty_name(penalty: Penalty) -> str:
    """Return a name for a penalty.

    Parameters
    ----------
    penalty : Penalty
        The penalty.

    Returns
    -------
    str
        Its name in `PENALTIES`, or else its powers, or else its type.
    """
    known = [name for name, listed in PENALTIES.items() if listed == penalty]
    if isinstance(penalty, JacobianPenalty):
        known.append(f"h'^{penalty.q} ||W||^{penalty.p}")
    return (known or [type(penalty).__name__])[0]
