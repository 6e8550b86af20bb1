"""The auto-encoder as a scikit-learn transformer, over the loop of `training`. Needs `pip install -e ".[sklearn]"`."""

import warnings

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted

from numpy_rae import _validation, training
from numpy_rae.activations import Activation
from numpy_rae.autoencoder import Params, decode, forward
from numpy_rae.metrics import measure
from numpy_rae.objectives import Objective, Penalised
from numpy_rae.penalties import JacobianPenalty
from numpy_rae.registry import find_activation, named_objective

try:
    from sklearn.utils.validation import validate_data
except ImportError:  # scikit-learn before 1.6 has it as a method

    def validate_data(estimator, X, **how):
        return estimator._validate_data(X, **how)


FLOATS = [np.float64, np.float32]
CONFIG = ("sigma2", "batch_size", "epochs", "eta", "momentum", "constraint", "radius", "tangent")
SEEDS = 2**31 - 1
CURVED = np.linspace(-30, 30, 6001)


def _writeable(params: Params) -> Params:
    """The parameters with a copy of each array that a step must not write into, in the same memory order."""
    return Params(*(np.require(part, part.dtype.newbyteorder("="), ["ALIGNED", "WRITEABLE"]) for part in params))


def _is_flat(model: Objective, activation: Activation) -> bool:
    """Whether the penalty cannot change the sparsity: its bias gradient is a multiple of h'', which is 0 everywhere."""
    penalty = model.objective.penalty if isinstance(model.objective, Penalised) else None
    return isinstance(penalty, JacobianPenalty) and not activation(CURVED, 2).d2h_da2.any()


class _Progress(training.Callback):
    """Prints one line per epoch, and stops when the objective has not fallen by `tol` for `patience` epochs."""

    def __init__(self, verbose, tol=None, patience=1):
        self.verbose, self.tol, self.patience = verbose, tol, patience
        self.best, self.idle, self.stopped = np.inf, 0, False

    def on_epoch_end(self, state):
        entry = state.history[-1]
        if self.verbose:
            print("epoch {epoch}: objective {objective:.6g}, active {activation_fraction:.3f}".format(**entry), flush=True)
        if self.tol is not None:
            self.idle = 0 if entry["objective"] < self.best - self.tol else self.idle + 1
            self.best = min(self.best, entry["objective"])
            self.stopped = self.idle >= self.patience
        return self.stopped


def sparse_score(estimator, X, y=None, *, sparsity_weight=1.0):
    """Compute explained variance minus `sparsity_weight` times activation fraction, as a scorer of scikit-learn.

    `scoring=sparse_score` in a grid search weighs a good reconstruction against sparse codes. The estimator's own score
    prefers small sigma2, because it does not see the codes.

    Parameters
    ----------
    estimator : estimator
        Fitted, with `transform` and `inverse_transform`; a Pipeline of such steps will do.
    X : array_like, shape (N, n)
        Data.
    y : None
        Ignored.
    sparsity_weight : float
        Weight of the activation fraction.

    Returns
    -------
    float
        1 - ||X - Y||^2 / ||X - mean of X||^2, with Y the reconstruction, minus the weight times the share of codes above
        the activation's `delta_min`. For estimators other than SparseAutoEncoder it is the share of codes that are not 0.
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


class SparseAutoEncoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Codes h = s_e(W x + b_e) learnt with one of the package's objectives; `inverse_transform` is y = W^T h.

    X (N, n) should be centred (there is no decoder bias), so a StandardScaler usually goes before. float32 and float64
    stay what they are; other numbers become float64.

    `n_components` is the number of hidden units. `model` is a name in `objectives.OBJECTIVES` or a `Model`, `activation` one
    in `activations.ACTIVATIONS` or an `Activation`; the rest is `training.TrainConfig`'s. With the defaults, SAE and
    ReLU, the codes get sparser as sigma2 grows. DAE and L1 do the same with ReLU. CAE and mDAE need an activation with a
    second derivative, such as "softplus"; without one, `fit` warns. An int as `random_state` is TrainConfig's seed, so
    that `fit` gives what `training.train` gives, to the last bit; a RandomState, or NumPy's own for None, draws a seed.

    `verbose` prints one line per epoch. With a number as `tol`, `fit` stops as soon as the epoch's mean objective has not
    fallen by more than `tol` below its best value for `n_iter_no_change` epochs in a row. With None it trains for all
    `epochs`. `partial_fit` does not read `tol`.

    `fit` warns with a ConvergenceWarning if no unit is active on any sample of X after training, and if `tol` is given and
    all `epochs` are used up.

    Fitted: `components_` W (m, n), `intercept_` b_e (m,), `history_` (one dict per epoch), `n_iter_` (epochs so far),
    `n_steps_` (updates so far), `loss_curve_` (mean objective of each epoch), `reconstruction_err_` (mean of ||x - y||^2
    over the X of the last call),
    `n_features_in_`, and of the last call of `fit` or `partial_fit` the `config_` (TrainConfig), `model_` (Model) and
    `activation_` (Activation). `transform` and `score` use `activation_`: new parameters act at the next fit.
    """

    def __init__(
        self,
        n_components=100,
        *,
        model="SAE",
        activation="relu",
        sigma2=0.3,
        eta=0.001,
        momentum=0.9,
        epochs=50,
        batch_size=50,
        constraint="unit",
        radius=1.0,
        tangent=False,
        random_state=None,
        verbose=False,
        tol=None,
        n_iter_no_change=10,
    ):
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

    def fit(self, X, y=None):
        """Train anew for `epochs` epochs. Raises ValueError for bad data or parameters, and if the run diverges."""
        x = validate_data(self, X, dtype=FLOATS, order="C")
        progress = _Progress(self.verbose, *self._stopping())
        self._start(x, self.epochs, progress)
        self._warn_if_flat()
        if self.tol is not None and not progress.stopped:
            text = (
                f"the objective still falls by more than tol={self.tol!r} within n_iter_no_change={self.n_iter_no_change} "
                f"epochs after all {self.n_iter_} epochs; raise epochs or tol"
            )
            warnings.warn(text, ConvergenceWarning, stacklevel=2)
        if self._metrics["dead_fraction"] == 1:
            text = (
                f"no unit is active on any sample of X after {self.n_iter_} epochs, so the codes say nothing; "
                "scale X, for example by a StandardScaler, or lower sigma2 or eta"
            )
            warnings.warn(text, ConvergenceWarning, stacklevel=2)
        return self

    def partial_fit(self, X, y=None):
        """One epoch over X from where the last call ended, velocity and generators included; `fit` is `epochs` of them.

        X may be another piece of the data, and parameters may have been set anew; `n_components`, `random_state` and
        dtype stay those of the first call. What is read-only, as in a memory map, is copied first. Raises as `fit` does.
        """
        if not hasattr(self, "components_"):
            self._start(validate_data(self, X, dtype=FLOATS, order="C"), 1, _Progress(self.verbose))
        else:
            self._continue(validate_data(self, X, dtype=self.components_.dtype, order="C", reset=False))
        self._warn_if_flat()
        return self

    def _continue(self, x):
        self._state.params, self._state.velocity = map(_writeable, (self._state.params, self._state.velocity))
        config = self._config(x, self.config_.seed, len(self.components_))
        return self._advance(self._state, x, config, 1, _Progress(self.verbose))

    def _stopping(self):
        """`tol` and `n_iter_no_change`, checked."""
        tol = None if self.tol is None else _validation.number("tol", self.tol)
        return tol, _validation.integer("n_iter_no_change", self.n_iter_no_change)

    def _start(self, x, epochs, progress):
        config = self._config(x, self._draw_seed(), _validation.integer("n_components", self.n_components))
        return self._advance(training.init_state(x.shape[1], config), x, config, epochs, progress)

    def _advance(self, state, x, config, epochs, progress):
        model, activation = self._model(), self._activation()
        trained = training.run_epochs(state, x, model, activation, config, epochs, progress)
        if trained.diverged:
            # Parameters on their way to infinity are no fit.
            self.__dict__.pop("components_", None)
            raise ValueError(f"training diverged at step {trained.diverged}; eta is {self.eta!r}, a lower one may help")
        self._state, self._metrics, self.config_ = state, trained.metrics, config
        self.model_, self.activation_ = model, activation
        self.components_, self.intercept_ = trained.params
        self.history_, self.n_iter_, self.n_steps_ = trained.history, len(trained.history), trained.steps
        self.loss_curve_ = [entry["objective"] for entry in trained.history]
        self.reconstruction_err_ = trained.metrics["loss"]
        return self

    def _warn_if_flat(self):
        """Warn the caller of `fit` or `partial_fit` if sigma2 cannot change the sparsity."""
        if self.config_.sigma2 and _is_flat(self.model_, self.activation_):
            text = (
                f"model {self.model_.name} does not make the codes of activation {self.activation_.name} sparser, whatever "
                "sigma2 is: its second derivative is 0 everywhere; take the model SAE, DAE or L1, or an activation such "
                "as softplus"
            )
            warnings.warn(text, UserWarning, stacklevel=3)

    def _draw_seed(self):
        if self.random_state is None or isinstance(self.random_state, np.random.RandomState):
            return int(check_random_state(self.random_state).randint(SEEDS))
        return _validation.integer("random_state", self.random_state, low=0)

    def _config(self, x, seed, hidden):
        same = {name: getattr(self, name) for name in CONFIG}
        return training.TrainConfig(seed=seed, hidden=hidden, dtype=x.dtype.name, **same)

    def _model(self):
        return named_objective(self.model)

    def _activation(self):
        return find_activation(self.activation)

    def _fitted(self, X):
        check_is_fitted(self, "components_")
        x = validate_data(self, X, dtype=self.components_.dtype, order="C", reset=False)
        return Params(self.components_, self.intercept_), self.activation_, x

    def transform(self, X):
        """The codes h (N, m) of X (N, n)."""
        return forward(*self._fitted(X)).jet.h

    def inverse_transform(self, X):
        """The reconstruction y = W^T h (N, n) of codes h, here named X, (N, m)."""
        check_is_fitted(self, "components_")
        h = check_array(X, dtype=self.components_.dtype)
        return decode(self.components_, _validation.matrix("X", h, columns=len(self.components_)))

    def score(self, X, y=None):
        """Minus the mean of ||x - y||^2 over X, at most 0. It knows nothing of sparsity, so it prefers low sigma2."""
        return -measure(*self._fitted(X)).loss

    @property
    def _n_features_out(self):
        return len(self.components_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _more_tags(self):  # scikit-learn before 1.6
        return {"preserves_dtype": FLOATS}
