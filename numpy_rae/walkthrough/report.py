"""The walkthrough as text: one row per value, and a verdict on all gradients."""

from collections.abc import Iterator
from itertools import zip_longest

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.gradcheck_result import Check
from numpy_rae.walkthrough.line import Line, numeric
from numpy_rae.walkthrough.setting import Setting
from numpy_rae.walkthrough.update import after
from numpy_rae.walkthrough.walk import walk

ROW = "{:25} {:30} {:8} {:24} {}"
HEAD = ROW.format("derivation", "name", "shape", "value", "finite difference")
# Arrays with more entries are abbreviated.
MOST = 40


def cells(value: Array | float) -> list[str]:
    """Return a value as lines of text with six decimals.

    Parameters
    ----------
    value : ndarray or float
        The value.

    Returns
    -------
    list of str
        One line per row of a matrix.
    """
    text = np.array2string(np.asarray(value), precision=6, floatmode="fixed", sign=" ", threshold=MOST)
    return text.split("\n")


def rows(line: Line, checks: list[Check]) -> Iterator[str]:
    """Return the rows of text for one line.

    Parameters
    ----------
    line : Line
        The line.
    checks : list of Check
        Its checks.

    Returns
    -------
    iterator of str
        One row of text per row of the value.
    """
    found = cells(numeric(checks, line)) if checks else []
    columns = [line.source], [line.name], [str(np.shape(line.value))], cells(line.value), found
    return (ROW.format(*row).rstrip() for row in zip_longest(*columns, fillvalue=""))


def report(setting: Setting, steps: int) -> tuple[list[str], bool]:
    """Return the text of several training steps, and whether every gradient agrees with its finite difference.

    Parameters
    ----------
    setting : Setting
        Inputs of the first step.
    steps : int
        Number of steps.

    Returns
    -------
    text : list of str
        The rows.
    agree : bool
        Whether all checks passed.
    """
    text, checked = [], []
    for number in range(1, steps + 1):
        for section, lines in walk(setting).items():
            pairs = [(line, line.checks()) for line in lines]
            text += ["", f"step {number}, {section}", HEAD, *(row for pair in pairs for row in rows(*pair))]
            checked += [pair for pair in pairs if pair[1]]
        setting = after(setting)
    wrong = _names(checked, "WRONG")
    return [*text, "", _verdict(checked, wrong)], not wrong


def _names(checked: list[tuple[Line, list[Check]]], *verdicts: str) -> list[str]:
    """Return the names of the gradients with one of the verdicts."""
    found = [line.name.split()[0] for line, checks in checked for c in checks if c.verdict.startswith(verdicts)]
    return list(dict.fromkeys(found))


def _verdict(checked: list[tuple[Line, list[Check]]], wrong: list[str]) -> str:
    """Return the last row: the largest difference, and the names of the gradients that do not agree."""
    unclear = _names(checked, "AT A KINK", "TOO SMALL", "NOT DETERMINISTIC")
    kink = f"; no conclusion for {', '.join(unclear)}, which a kink or rounding hides" if unclear else ""
    distances = {line.name.split()[0]: 0.0 for line, _ in checked}
    for line, checks in checked:
        name = line.name.split()[0]
        distances[name] = max(distances[name], *(abs(check.analytic - check.numeric) for check in checks))
    worst = max(distances, key=lambda name: distances[name])
    verdict = f"WRONG: {', '.join(wrong)}" if wrong else "each is within what a difference can tell"
    return f"largest difference: {distances[worst]:.1e}, of {worst}; {verdict}{kink}"
