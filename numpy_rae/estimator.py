"""The auto-encoder as a scikit-learn transformer, trained as by `training.train`. Needs the extra "sklearn"."""

import warnings
from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted

from numpy_rae import _validation, training
from numpy_rae._validation import Array
from numpy_rae.activations import Activation, FullJet
from numpy_rae.autoencoder import Params, decode, forward
from numpy_rae.callbacks import Callback
from numpy_rae.metrics import measure
from numpy_rae.objectives import Objective, Penalised
from numpy_rae.penalties import JacobianPenalty
from numpy_rae.registry import find_activation, named_objective
from numpy_rae.train_config import TrainConfig
from numpy_rae.train_state import TrainState

try:
    from sklearn.utils.validation import validate_data
except ImportError:  # before scikit-learn 1.6, it is a method

    def validate_data(estimator: Any, X: ArrayLike, **how: Any) -> Any:
        """Check X with the method of scikit-learn before 1.6.

        Parameters
        ----------
        estimator : estimator
            The estimator.
        X : array-like
            Data.
        **how : dict
            Arguments of the check.

        Returns
        -------
        ndarray
            The checked data.
        """
        return estimator._validate_data(X, **how)


FLOATS = [np.float64, np.float32]
CONFIG = ("sigma2", "batch_size", "epochs", "eta", "momentum", "constraint", "radius", "tangent")
SEEDS = 2**31 - 1
CURVED = np.linspace(-30, 30, 6001)


def _writeable(params: Params) -> Params:
    """Return the parameters. Arrays that are not writeable are copied, in the same memory order."""
    return Params(*(np.require(part, part.dtype.newbyteorder("="), ["ALIGNED", "WRITEABLE"]) for part in params))


def _is_flat(model: Objective, activation: Activation) -> bool:
    """Return whether the penalty's bias gradient is 0 because it is a multiple of h'', which is 0 everywhere."""
    penalty = model.objective.penalty if isinstance(model.objective, Penalised) else None
    return isinstance(penalty, JacobianPenalty) and not cast(FullJet, activation(CURVED, 2))[2].any()


class _Progress(Callback):
    """Print one line per epoch. Stop after `patience` epochs in a row that do not improve the objective by `tol`."""

    def __init__(self, verbose: bool, tol: float | None = None, patience: int = 1) -> None:
        self.verbose, self.tol, self.patience = verbose, tol, patience
        self.best, self.idle, self.stopped = np.inf, 0, False

    def on_epoch_end(self, state: TrainState) -> bool:
        entry = state.history[-1]
        if self.verbose:
            line = "epoch {epoch}: objective {objective:.6g}, active {activation_fraction:.3f}"
            print(line.format(**entry), flush=True)
        if self.tol is not None:
            self.idle = 0 if entry["objective"] < self.best - self.tol else self.idle + 1
            self.best = min(self.best, entry["objective"])
            self.stopped = self.idle >= self.patience
        return self.stopped


def sparse_score(estimator: Any, X: ArrayLike, y: object = None, *, sparsity_weight: float = 1.0) -> float:
    """Compute the explained variance minus `sparsity_weight` times the activation fraction.

    This is a scorer of scikit-learn. A grid search with `scoring=sparse_score` rewards both a good reconstruction and
    sparse codes. The estimator's own `score` measures the reconstruction only, so a grid search with it prefers a
    small sigma2.

    Parameters
    ----------
    estimator : estimator
        Fitted estimator with `transform` and `inverse_transform`. It can be a Pipeline of such steps.
    X : array-like, shape (N, n)
        Data.
    y : object
        Not used.
    sparsity_weight : float
        Weight of the activation fraction.

    Returns
    -------
    float
        1 - ||X - Y||^2 / ||X - mean of X||^2, with Y the reconstruction, minus `sparsity_weight` times the activation
        fraction. This is the share of codes above the `delta_min` of the activation. For estimators without an
        activation of this package, it is the share of codes that are not 0.
    """
    _validation.number("sparsity_weight", sparsity_weight)
    codes = estimator.transform(X)
    x = np.asarray(X, np.float64)
    residual, deviation = x - estimator.inverse_transform(codes), x - x.mean(axis=0)
    total = float(np.vdot(deviation, deviation))
    explained = 1 - float(np.vdot(residual, residual)) / total if total else 0.0
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    active = codes > last.activation_.delta_min if hasattr(last, "activation_") else np.asarray(codes) != 0
    return explained - sparsity_weight * float(active.mean())


# scikit-learn has no types, so its base classes are of type Any.
class SparseAutoEncoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Learn codes h = s_e(W x + b_e) with one of the package's objectives.

    X should be centred, because the decoder has no bias. So put a StandardScaler before this transformer. float32 and
    float64 data keep their dtype. Other numbers become float64.

    The defaults are SAE and ReLU. With SAE, DAE or L1 and ReLU, a larger sigma2 makes the codes sparser. CAE and mDAE
    need an activation whose second derivative is not 0 everywhere, such as "softplus".

    Parameters
    ----------
    n_components : int
        Number of hidden units m.
    model : str, Objective, callable, penalty or tuple
        A name in `registry.OBJECTIVES`, an objective, a penalty, or a pair (name, objective or penalty).
    activation : str, Activation or callable
        A name in `registry.ACTIVATIONS`, an activation, or a function s_e(a).
    sigma2 : float
        Regularisation coefficient, at least 0: lambda for the penalised objectives, the variance of the noise for DAE
        and eDAE.
    eta : float
        Learning rate, positive.
    momentum : float
        Momentum coefficient, in [0, 1].
    epochs : int
        Passes over X in `fit`.
    batch_size : int
        Samples per update.
    constraint : str
        Constraint on the rows of W after each update: "unit", "max-norm" or "free".
    radius : float
        Largest row length with the constraint "max-norm". The others do not use it.
    tangent : bool
        Whether the part of the gradient along each row of W is removed.
    random_state : int, RandomState or None
        An int is the seed of `TrainConfig`. `fit` then gives exactly the result of `training.train` with this seed. A
        RandomState draws the seed. With None, NumPy's global RandomState draws it.
    verbose : bool
        Whether one line per epoch is printed.
    tol : float, optional
        Tolerance of early stopping, in the units of the objective. An epoch improves if its mean objective is
        more than `tol` below the best value so far. `fit` stops after `n_iter_no_change` epochs in a row without an
        improvement. With None, `fit` always trains for `epochs` epochs. `partial_fit` does not use `tol`.
    n_iter_no_change : int
        Number of epochs in a row without an improvement after which `fit` stops. Not used if `tol` is None.

    Attributes
    ----------
    components_ : ndarray, shape (m, n)
        Weights W.
    intercept_ : ndarray, shape (m,)
        Biases b_e.
    history_ : list of dict
        One dict per epoch: its number, its mean objective, and metrics.
    n_iter_ : int
        Number of epochs so far.
    n_steps_ : int
        Number of updates so far.
    loss_curve_ : list of float
        Mean objective of each epoch.
    reconstruction_err_ : float
        Mean of ||x - y||^2 over the X of the last call.
    n_features_in_ : int
        Number of features n.
    feature_names_in_ : ndarray of str, shape (n,)
        Names of the features, if X has names.
    config_ : TrainConfig
        Configuration of the last call of `fit` or `partial_fit`.
    model_ : Objective
        Objective of the last call of `fit` or `partial_fit`.
    activation_ : Activation
        Activation of the last call of `fit` or `partial_fit`. `transform` and `score` use it. If you change the
        parameter `activation`, the change has no effect before the next call of `fit`.
    """

    def __init__(
        self,
        n_components: int = 100,
        *,
        model: str | Objective = "SAE",
        activation: str | Activation | Callable[..., Any] = "relu",
        sigma2: float = 0.3,
        eta: float = 0.001,
        momentum: float = 0.9,
        epochs: int = 50,
        batch_size: int = 50,
        constraint: str = "unit",
        radius: float = 1.0,
        tangent: bool = False,
        random_state: int | np.random.RandomState | None = None,
        verbose: bool = False,
        tol: float | None = None,
        n_iter_no_change: int = 10,
    ) -> None:
        self.n_components = n_components
        self.model = model
        self.activation = activation
        self.sigma2 = sigma2
        self.eta = eta
        self.momentum = momentum
        self.epochs = epochs
        self.batch_size = batch_size
        self.constraint = constraint
        self.radius = radius
        self.tangent = tangent
        self.random_state = random_state
        self.verbose = verbose
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change

    def fit(self, X: ArrayLike, y: object = None) -> "SparseAutoEncoder":
        """Train from the start for `epochs` epochs.

        Parameters
        ----------
        X : array-like, shape (N, n)
            Training data.
        y : object
            Not used.

        Returns
        -------
        SparseAutoEncoder
            This estimator.

        Raises
        ------
        ValueError
            If X or a parameter is not allowed, or if the run diverges.

        Warns
        -----
        ConvergenceWarning
            If no unit is active on any sample of X after training, or if `tol` is given and `fit` did not stop early.
        UserWarning
            If sigma2 cannot change the sparsity with this model and activation.
        """
        x = validate_data(self, X, dtype=FLOATS, order="C")
        progress = _Progress(self.verbose, *self._stopping())
        self._start(x, self.epochs, progress)
        self._warn_if_flat()
        if self.tol is not None and not progress.stopped:
            text = (
                f"the objective still falls by more than tol={self.tol!r} within "
                f"n_iter_no_change={self.n_iter_no_change} epochs after all {self.n_iter_} epochs; raise epochs or tol"
            )
            warnings.warn(text, ConvergenceWarning, stacklevel=2)
        if self._metrics["dead_fraction"] == 1:
            text = (
                f"no unit is active on any sample of X after {self.n_iter_} epochs, so the codes contain no "
                "information; scale X, for example by a StandardScaler, or lower sigma2 or eta"
            )
            warnings.warn(text, ConvergenceWarning, stacklevel=2)
        return self

    def partial_fit(self, X: ArrayLike, y: object = None) -> "SparseAutoEncoder":
        """Train for one epoch, from the state at the end of the last call.

        The velocity and the random streams also continue, so `epochs` calls of this method give the result of `fit`.
        X can be another part of the data, and the estimator's parameters can be changed between calls. Only
        `n_components`, `random_state` and the dtype remain those of the first call. If `components_` or `intercept_`
        are read-only, as in a memory map, they are copied first.

        Parameters
        ----------
        X : array-like, shape (N, n)
            Training data.
        y : object
            Not used.

        Returns
        -------
        SparseAutoEncoder
            This estimator.

        Raises
        ------
        ValueError
            If X or a parameter is not allowed, or if the run diverges.

        Warns
        -----
        UserWarning
            If sigma2 cannot change the sparsity with this model and activation.
        """
        if not hasattr(self, "components_"):
            self._start(validate_data(self, X, dtype=FLOATS, order="C"), 1, _Progress(self.verbose))
        else:
            self._continue(validate_data(self, X, dtype=self.components_.dtype, order="C", reset=False))
        self._warn_if_flat()
        return self

    def _continue(self, x: Array) -> None:
        """Run one epoch from the state of the last call."""
        self._state.params, self._state.velocity = map(_writeable, (self._state.params, self._state.velocity))
        config = self._config(x, self.config_.seed, len(self.components_))
        self._advance(self._state, x, config, 1, _Progress(self.verbose))

    def _stopping(self) -> tuple[float | None, int]:
        """Check `tol` and `n_iter_no_change`, and return them."""
        tol = None if self.tol is None else _validation.number("tol", self.tol)
        return tol, _validation.integer("n_iter_no_change", self.n_iter_no_change)

    def _start(self, x: Array, epochs: int, progress: _Progress) -> None:
        """Run some epochs from a new state."""
        config = self._config(x, self._draw_seed(), _validation.integer("n_components", self.n_components))
        self._advance(training.init_state(x.shape[1], config), x, config, epochs, progress)

    def _advance(self, state: TrainState, x: Array, config: TrainConfig, epochs: int, progress: _Progress) -> None:
        """Run some epochs from a state and set the fitted attributes."""
        model, activation = self._model(), find_activation(self.activation)
        trained = training.run_epochs(state, x, model, activation, config, epochs, progress)
        if trained.diverged or trained.metrics is None:
            # The parameters of a diverged run are not a usable result, so the attributes are not set.
            self.__dict__.pop("components_", None)
            raise ValueError(f"training diverged at step {trained.diverged}; eta is {self.eta!r}, a lower one may help")
        self._state, self._metrics, self.config_ = state, trained.metrics, config
        self.model_, self.activation_ = model, activation
        self.components_, self.intercept_ = trained.params
        self.history_, self.n_iter_, self.n_steps_ = trained.history, len(trained.history), trained.steps
        self.loss_curve_ = [entry["objective"] for entry in trained.history]
        self.reconstruction_err_ = trained.metrics["loss"]

    def _warn_if_flat(self) -> None:
        """Warn the caller of `fit` or `partial_fit` if sigma2 cannot change the sparsity."""
        if self.config_.sigma2 and _is_flat(self.model_, self.activation_):
            text = (
                f"model {self.model_.name} does not make the codes of activation {self.activation_.name} sparser, for "
                "any sigma2, because the second derivative of this activation is 0 everywhere; use the model SAE, DAE "
                "or L1, or an activation such as softplus"
            )
            warnings.warn(text, UserWarning, stacklevel=3)

    def _draw_seed(self) -> int:
        """Return the seed: `random_state` if it is an int, otherwise a number that it draws."""
        if self.random_state is None or isinstance(self.random_state, np.random.RandomState):
            return int(check_random_state(self.random_state).randint(SEEDS))
        return _validation.integer("random_state", self.random_state, low=0)

    def _config(self, x: Array, seed: int, hidden: int) -> TrainConfig:
        """Return the configuration of a run on x."""
        same = {name: getattr(self, name) for name in CONFIG}
        return TrainConfig(seed=seed, hidden=hidden, dtype=x.dtype.name, **same)

    def _model(self) -> Objective:
        """Return the objective under its name."""
        return named_objective(self.model)

    def _fitted(self, X: ArrayLike) -> tuple[Params, Activation, Array]:
        """Return the parameters, the activation and the checked data. Raise an error if the estimator is not fitted."""
        check_is_fitted(self, "components_")
        x = validate_data(self, X, dtype=self.components_.dtype, order="C", reset=False)
        return Params(self.components_, self.intercept_), self.activation_, x

    def transform(self, X: ArrayLike) -> Array:
        """Compute the codes of X.

        Parameters
        ----------
        X : array-like, shape (N, n)
            Data.

        Returns
        -------
        ndarray, shape (N, m)
            Codes h.
        """
        return forward(*self._fitted(X)).jet.h

    def inverse_transform(self, X: ArrayLike) -> Array:
        """Compute the reconstruction y = W^T h of codes h.

        Parameters
        ----------
        X : array-like, shape (N, m)
            Codes h.

        Returns
        -------
        ndarray, shape (N, n)
            Reconstruction y.
        """
        check_is_fitted(self, "components_")
        h = check_array(X, dtype=self.components_.dtype)
        return decode(self.components_, _validation.matrix("X", h, columns=len(self.components_)))

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Compute minus the mean of ||x - y||^2 over X. It does not measure sparsity, so it prefers a low sigma2.

        Parameters
        ----------
        X : array-like, shape (N, n)
            Data.
        y : object
            Not used.

        Returns
        -------
        float
            The score, at most 0.
        """
        return -measure(*self._fitted(X)).loss

    @property
    def _n_features_out(self) -> int:
        """Return the number of codes, for the names of the output features."""
        return len(self.components_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _more_tags(self) -> dict[str, Any]:
        """Return the tags in the form of scikit-learn before 1.6."""
        return {"preserves_dtype": FLOATS}
