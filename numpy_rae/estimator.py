"""The auto-encoder as a scikit-learn transformer, over the loop of `training`. Needs `pip install -e ".[sklearn]"`."""

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted

from numpy_rae import training, validation
from numpy_rae.activations import ACTIVATIONS, Activation
from numpy_rae.autoencoder import Params, decode, forward
from numpy_rae.metrics import measure
from numpy_rae.objectives import MODELS, Model

try:
    from sklearn.utils.validation import validate_data
except ImportError:  # scikit-learn before 1.6 has it as a method

    def validate_data(estimator, X, **how):
        return estimator._validate_data(X, **how)


FLOATS = [np.float64, np.float32]
CONFIG = ("sigma2", "batch_size", "epochs", "eta", "momentum", "constraint", "radius", "tangent")
SEEDS = 2**31 - 1


class SparseAutoEncoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Codes h = s_e(W x + b_e) learnt with one of the package's objectives; `inverse_transform` is y = W^T h.

    X (N, n) should be centred (there is no decoder bias), so a StandardScaler usually goes before. float32 and float64
    stay what they are; other numbers become float64.

    `model` is a name in `objectives.MODELS` or a `Model`, `activation` one in `activations.ACTIVATIONS` or an
    `Activation`; the rest is `training.TrainConfig`'s. A ReLU's codes get sparser with sigma2 under DAE, SAE and L1;
    CAE and mDAE need an activation with a second derivative. An int as `random_state` is TrainConfig's seed, so that
    `fit` gives what `training.train` gives, to the last bit; a RandomState, or NumPy's own for None, draws a seed.

    Fitted: `components_` W (m, n), `intercept_` b_e (m,), `history_` (one dict an epoch), `n_iter_` (epochs so far),
    `n_features_in_`, `config_` (the TrainConfig of the last call).
    """

    def __init__(
        self,
        hidden=100,
        *,
        model="CAE",
        activation="relu",
        sigma2=0.1,
        eta=0.001,
        momentum=0.9,
        epochs=50,
        batch_size=50,
        constraint="unit",
        radius=1.0,
        tangent=False,
        random_state=None,
    ):
        self.hidden = hidden
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

    def fit(self, X, y=None):
        """Train anew for `epochs` epochs. Raises ValueError for bad data or parameters, and if the run diverges."""
        x = validate_data(self, X, dtype=FLOATS, order="C")
        return self._start(x, self.epochs)

    def partial_fit(self, X, y=None):
        """One epoch over X from where the last call ended, velocity and generators included; `fit` is `epochs` of them.

        X may be another piece of the data, and parameters may have been set anew; `hidden`, `random_state` and dtype
        stay those of the first call. Raises as `fit` does.
        """
        if not hasattr(self, "components_"):
            return self._start(validate_data(self, X, dtype=FLOATS, order="C"), 1)
        x = validate_data(self, X, dtype=self.components_.dtype, order="C", reset=False)
        return self._advance(self._state, x, self._config(x, self.config_.seed, len(self.components_)), 1)

    def _start(self, x, epochs):
        config = self._config(x, self._draw_seed(), self.hidden)
        return self._advance(training.begin(x.shape[1], config), x, config, epochs)

    def _advance(self, state, x, config, epochs):
        trained = training.advance(state, x, self._model(), self._activation(), config, epochs)
        if trained.diverged:
            # Parameters on their way to infinity are no fit.
            self.__dict__.pop("components_", None)
            raise ValueError(f"training diverged at step {trained.diverged}; eta is {self.eta!r}, a lower one may help")
        self._state, self.config_ = state, config
        self.components_, self.intercept_ = trained.params
        self.history_, self.n_iter_ = trained.history, len(trained.history)
        return self

    def _draw_seed(self):
        if self.random_state is None or isinstance(self.random_state, np.random.RandomState):
            return int(check_random_state(self.random_state).randint(SEEDS))
        return validation.whole("random_state", self.random_state, low=0)

    def _config(self, x, seed, hidden):
        same = {name: getattr(self, name) for name in CONFIG}
        return training.TrainConfig(seed=seed, hidden=hidden, dtype=x.dtype.name, **same)

    def _model(self):
        return self.model if isinstance(self.model, Model) else MODELS[validation.one_of("model", self.model, MODELS)]

    def _activation(self):
        s_e = self.activation
        return s_e if isinstance(s_e, Activation) else ACTIVATIONS[validation.one_of("activation", s_e, ACTIVATIONS)]

    def _fitted(self, X):
        check_is_fitted(self, "components_")
        x = validate_data(self, X, dtype=self.components_.dtype, order="C", reset=False)
        return Params(self.components_, self.intercept_), self._activation(), x

    def transform(self, X):
        """The codes h (N, m) of X (N, n)."""
        return forward(*self._fitted(X)).jet.h

    def inverse_transform(self, X):
        """The reconstruction y = W^T h (N, n) of codes h, here named X, (N, m)."""
        check_is_fitted(self, "components_")
        h = check_array(X, dtype=self.components_.dtype)
        return decode(self.components_, validation.matrix("X", h, columns=len(self.components_)))

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
