"""The progress bar of a sweep, in a terminal or in a notebook."""

import warnings
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any

from numpy_rae.experiments import tables


def show_progress(records: Iterator[dict[str, Any]], total: int, disable: bool = False) -> None:
    """Use up the records of a sweep, with a bar over the runs and the last result beside it.

    Parameters
    ----------
    records : iterator of dict
        The sweep, which is closed at the end.
    total : int
        Number of runs.
    disable : bool
        Whether no bar is shown.
    """
    with closing(records), progress_bar(records, total=total, unit="run", dynamic_ncols=True, disable=disable) as bar:  # type: ignore[type-var]  # a generator can be closed
        for entry in bar:
            bar.set_postfix_str(tables.one_line(entry))


def progress_bar(items: Iterable[Any], **how: Any) -> Any:
    """Return a tqdm bar for the terminal or the notebook, whichever runs this.

    Parameters
    ----------
    items : iterable
        What the bar counts.
    **how
        Options of tqdm.

    Returns
    -------
    tqdm.tqdm
        The bar, which is an iterator over `items`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a notebook without ipywidgets gets a bar of text; that is no fault
        from tqdm.auto import tqdm
    return tqdm(items, **how)
