"""Run one check on many small cases in a single test. One test per case would take longer to start than to run."""

from collections.abc import Callable, Mapping

import pytest


def check_all(check: Callable[..., None], cases: Mapping[str, tuple]) -> None:
    """Call `check(*arguments)` for every case. If any call fails, fail with the names and messages of all of them."""
    assert cases, "no cases"
    failed, first = [], None
    for name, arguments in cases.items():
        try:
            check(*arguments)
        except (Exception, pytest.fail.Exception) as error:
            failed.append(f"{name}: {type(error).__name__}: {error}")
            first = first or error
    if failed:
        raise AssertionError(f"{len(failed)} of {len(cases)} cases fail:\n" + "\n".join(failed)) from first
