"""The result of a sweep: its records, as a data frame, a table and a figure, and the trained models."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy_rae import _validation
from numpy_rae.experiments import tables
from numpy_rae.experiments.flat_rows import flat_rows
from numpy_rae.experiments.record_checks import load_records
from numpy_rae.experiments.records import latest
from numpy_rae.experiments.worker import find_model
from numpy_rae.metrics import measure
from numpy_rae.plotting import filters, model_curves, style, sweep_figure
from numpy_rae.registry import ACTIVATIONS
from numpy_rae.storage import model_file
from numpy_rae.storage.model_file import SavedModel

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

    from numpy_rae.activations import Activation


@dataclass(frozen=True, repr=False)
class SweepResult:
    """The result of `numpy_rae.sweep`.

    Attributes
    ----------
    records : list of dict
        One record per finished run, as in the results file. At sigma^2 = 0 all models are the plain auto-encoder, so
        this run is stored once, under the model "AE". The model "AE" does not depend on sigma^2, so it has one record
        per seed. The data frame, the table and the figure show this record at every sigma^2.
    models : tuple of str
        Names of the models, in the order of the call.
    missing : int
        Number of runs that have no record, because the sweep was interrupted or their workers died.
    title : str
        Title of the figure.
    image_shape : tuple of int or None
        The shape of a row of X as an image.
    sigma2 : tuple of float
        The values of sigma^2 of the call.
    """

    records: list[dict[str, Any]]
    models: tuple[str, ...]
    missing: int = 0
    title: str = ""
    image_shape: tuple[int, ...] | None = None
    sigma2: tuple[float, ...] = field(default=(), repr=False)
    activation: Activation | None = field(default=None, repr=False)
    models_folder: Path | None = field(default=None, repr=False)
    # A temporary folder of models is removed when the result is deleted.
    keeps: object = field(default=None, repr=False, compare=False)

    @classmethod
    def read(cls, *paths: str | os.PathLike[str], models: Iterable[str] | None = None) -> SweepResult:
        """Read results files, for example those of the jobs of a job array, as one result.

        Parameters
        ----------
        *paths : str or os.PathLike
            Results files of `numpy_rae.sweep` or of the figure scripts.
        models : iterable of str, optional
            Names of the models to show, in this order. The default is the models that the sweeps were called with.
            The files of the figure scripts do not contain these names. For them, the default is all models in the file.
            If there are other models, "AE" is left out, because all models share its runs at sigma^2 = 0.

        Returns
        -------
        SweepResult
            The last record of each model, sigma^2 and seed.

        Raises
        ------
        ValueError
            If no file is given, if a file does not exist, or if `models` names a model without a record.
        storage.jsonl.StoreError
            If a file is not the results file of a sweep.
        """
        found = latest(entry for path in paths for entry in load_records(_existing(path)))
        if not found:
            raise ValueError(f"paths is {[str(path) for path in paths]}; these files hold no record of a sweep")
        title = f"{found[-1]['activation']}, rows: {found[-1]['config']['constraint']}"
        names = _models_of(found) if models is None else _checked(models, found)
        shown = [entry for entry in found if any(model_curves.belongs(entry, name) for name in names)]
        return cls(shown, names, title=title)

    def to_frame(self) -> pandas.DataFrame:
        """Return the records as a pandas data frame with one row per model, sigma^2 and seed.

        Returns
        -------
        pandas.DataFrame
            Columns `model`, `activation`, `sigma2`, `seed`, `status`, `activation_fraction`, `dead_fraction`, `loss`,
            the configuration, and counts and duration of the run. All models share the runs at sigma^2 = 0, so these
            runs are rows of every model. `trained_as` is the name of the model in the record.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        try:
            import pandas
        except ImportError:
            raise ImportError('to_frame needs pandas; install it with: pip install "numpy-rae[pandas]"') from None
        return pandas.DataFrame(list(flat_rows(self._spread(), self.models)))

    def table(self) -> str:
        """Return a text table of "activation fraction / dead fraction", means over the seeds, one line per sigma^2.

        Returns
        -------
        str
            The table.
        """
        return tables.table(self._spread(), list(self.models))

    def plot(self, path: str | os.PathLike[str] | None = None) -> Figure:
        """Draw activation fraction and dead units against sigma^2, one curve per model.

        The bands go from the smallest to the largest value over the seeds.

        Parameters
        ----------
        path : str or os.PathLike, optional
            File in which the figure is saved. The suffix, such as .png, .pdf or .svg, gives the format.

        Returns
        -------
        matplotlib.figure.Figure
            The figure. It is shown once if the call is the last expression of a notebook cell.

        Raises
        ------
        ValueError
            If the result has no record.
        storage.jsonl.StoreError
            If the figure cannot be drawn or written.
        """
        if not self.records:
            raise ValueError("records is empty; a figure needs at least one finished run")
        note = f"{self.missing} runs are missing" if self.missing else ""
        return _saved(sweep_figure.trend(self._spread(), self.models, style.plain(self.title), note), path)

    def model(self, model: str, sigma2: float, seed: int) -> SavedModel:
        """Return the trained model of one run of a sweep with `keep_models=True`.

        Parameters
        ----------
        model : str
            Name of the model.
        sigma2 : float
            Regularisation coefficient.
        seed : int
            Seed.

        Returns
        -------
        SavedModel
            `params` (W and b_e), `activation`, `config`, and the name of the model.

        Raises
        ------
        ValueError
            If there is no such run, or if its model was not kept.
        """
        entry = self._record(model, sigma2, seed)
        if self.models_folder is None:
            raise ValueError("keep_models was False in this sweep; call sweep again with keep_models=True")
        mine = {} if self.activation is None else {self.activation.name: self.activation}
        path = find_model(self.models_folder, entry["hash"])
        if path is None:
            raise ValueError(f"the folder {self.models_folder} does not hold the model of this run; call sweep again")
        return model_file.load(path, {**ACTIVATIONS, **mine})

    def plot_filters(
        self, model: str, sigma2: float, seed: int, X: Any, path: str | os.PathLike[str] | None = None
    ) -> Figure:
        """Draw the rows of W of one trained model as images, the most active units first.

        Parameters
        ----------
        model, sigma2, seed : str, float, int
            Model, sigma^2 and seed of the run, as in `model`.
        X : ndarray, shape (N, n)
            Data on which the activity of the units is measured.
        path : str or os.PathLike, optional
            File in which the figure is saved.

        Returns
        -------
        matplotlib.figure.Figure
            The figure.

        Raises
        ------
        ValueError
            If the sweep was called without `image_shape`, or if `model` raises it.
        """
        if self.image_shape is None:
            raise ValueError("image_shape was not given to this sweep; filters can be drawn only with it")
        trained = self.model(model, sigma2, seed)
        x = trained.params.W.dtype.type(X)
        active = measure(trained.params, trained.activation, x).active
        title = style.plain(f"{model}, sigma^2 = {sigma2:g}: filters and their activation fractions")
        return _saved(filters.filters(trained.params.W, active, self.image_shape, title), path)

    def _spread(self) -> list[dict[str, Any]]:
        """Return the records, with the record of "AE" repeated at every sigma^2."""
        return model_curves.spread_plain(self.records, self.models, self.sigma2 or None)

    def _record(self, model: str, sigma2: float, seed: int) -> dict[str, Any]:
        _validation.one_of("model", model, self.models)
        mine = model_curves.of_model(self._spread(), model)
        found = [e for e in mine if e["config"]["sigma2"] == sigma2 and e["config"]["seed"] == seed]
        if not found:
            runs = sorted({(e["config"]["sigma2"], e["config"]["seed"]) for e in mine})
            raise ValueError(f"(sigma2, seed) is {(sigma2, seed)}; {model} was trained with one of {runs}")
        if found[-1]["status"] != "ok":
            raise ValueError(f"{tables.one_line(found[-1])}; a run that diverged leaves no model")
        return found[-1]

    def __repr__(self) -> str:
        missing = f", {self.missing} missing" if self.missing else ""
        return f"<SweepResult: {len(self.records)} runs of {', '.join(self.models)}{missing}>"

    def __str__(self) -> str:
        return f"{self!r}\n{self.table()}" if self.records else repr(self)

    def _repr_markdown_(self) -> str:
        if not self.records:
            return "`SweepResult`: no finished run"
        missing = f"; **{self.missing} runs are missing**" if self.missing else ""
        head = f"{_one_line(self.title)}: {len(self.records)} runs{missing}. Average activation fraction / dead units:"
        return f"{head}\n\n{tables.markdown(self._spread(), list(self.models))}"


def _one_line(title: str) -> str:
    """Return the title in one line."""
    return " ".join(title.split())


def _existing(path: str | os.PathLike[str]) -> Path:
    found = _validation.user_path(path)
    if not found.exists():
        raise ValueError(f"path is {str(path)!r}; there is no such results file")
    return found


def _models_of(records: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    """Return the models that the sweeps were called with, then the other models of the records, sorted by name."""
    records = list(records)
    called = dict.fromkeys(name for entry in records for name in entry.get("sweep_models", ()))
    others = [entry for entry in records if "sweep_models" not in entry]
    # The order of the records depends on which run ended first, so the names are sorted.
    names = sorted({entry["model"] for entry in others}, key=str.casefold)
    own = any(entry["model"] == "AE" and entry["config"]["sigma2"] for entry in others)
    alone = not called and names == ["AE"]
    return tuple(dict.fromkeys([*called, *(name for name in names if name != "AE" or own or alone)]))


def _checked(models: Iterable[str], records: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    """Return the names. Raise ValueError if there are none, or if a name has no record."""
    names = tuple(dict.fromkeys([models] if isinstance(models, str) else models))
    known = sorted({*_models_of(records), *(entry["model"] for entry in records)}, key=str.casefold)
    if not names:
        raise ValueError("models is empty; it must have at least one name")
    for name in names:
        _validation.one_of("models", name, known)
    return names


def _saved(figure: Figure, path: str | os.PathLike[str] | None) -> Figure:
    if path is not None:
        style.save_picture(figure, _validation.user_path(path))
    return figure
