"""Why Regularized Auto-Encoders Learn Sparse Representation? (Arpit, Zhou, Ngo, Govindaraju, ICML 2016) in NumPy.

`import numpy_rae as rae` gives the names in `__all__`. Each name is loaded at its first use. Importing this package
does not import NumPy, because NumPy reads the number of BLAS threads from the environment at its import. So a script
can still set this number after `import numpy_rae`.

Where to start reading: `activations` (jets), `autoencoder` (forward pass, chain rule), `penalties` (the paper's two
families), `objectives` (the models), `training` (the loop). Symbols are the paper's; the leading axis is the batch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

if TYPE_CHECKING:
    from numpy_rae.activations import Activation as Activation
    from numpy_rae.activations import Jet as Jet
    from numpy_rae.autoencoder import Gradient as Gradient
    from numpy_rae.autoencoder import Params as Params
    from numpy_rae.autoencoder import PenaltyGrad as PenaltyGrad
    from numpy_rae.autoencoder import backward as backward
    from numpy_rae.autoencoder import forward as forward
    from numpy_rae.autoencoder import init_params as init_params
    from numpy_rae.callbacks import Callback as Callback
    from numpy_rae.certificates.certificate import certify as certify
    from numpy_rae.data.digits import load_digits as load_digits
    from numpy_rae.estimator import SparseAutoEncoder as SparseAutoEncoder
    from numpy_rae.experiments.own_sweep import sweep as sweep
    from numpy_rae.gradcheck import check_gradient as check_gradient
    from numpy_rae.metrics import measure as measure
    from numpy_rae.objectives import Objective as Objective
    from numpy_rae.objectives import Penalised as Penalised
    from numpy_rae.penalties import PENALTIES as PENALTIES
    from numpy_rae.penalties import JacobianPenalty as JacobianPenalty
    from numpy_rae.penalties import MeanActivationPenalty as MeanActivationPenalty
    from numpy_rae.penalties import Penalty as Penalty
    from numpy_rae.registry import ACTIVATIONS as ACTIVATIONS
    from numpy_rae.registry import OBJECTIVES as OBJECTIVES
    from numpy_rae.storage.model_file import load as load_model  # noqa: F401
    from numpy_rae.storage.model_file import save as save_model  # noqa: F401
    from numpy_rae.train_config import TrainConfig as TrainConfig
    from numpy_rae.training import train as train

# Public name: (module below numpy_rae, name in it).
_EXPORTS = {
    "ACTIVATIONS": ("registry", "ACTIVATIONS"),
    "Activation": ("activations", "Activation"),
    "Callback": ("callbacks", "Callback"),
    "Gradient": ("autoencoder", "Gradient"),
    "JacobianPenalty": ("penalties", "JacobianPenalty"),
    "Jet": ("activations", "Jet"),
    "MeanActivationPenalty": ("penalties", "MeanActivationPenalty"),
    "OBJECTIVES": ("registry", "OBJECTIVES"),
    "Objective": ("objectives", "Objective"),
    "PENALTIES": ("penalties", "PENALTIES"),
    "Params": ("autoencoder", "Params"),
    "Penalised": ("objectives", "Penalised"),
    "Penalty": ("penalties", "Penalty"),
    "PenaltyGrad": ("autoencoder", "PenaltyGrad"),
    "SparseAutoEncoder": ("estimator", "SparseAutoEncoder"),
    "TrainConfig": ("train_config", "TrainConfig"),
    "backward": ("autoencoder", "backward"),
    "certify": ("certificates.certificate", "certify"),
    "check_gradient": ("gradcheck", "check_gradient"),
    "forward": ("autoencoder", "forward"),
    "init_params": ("autoencoder", "init_params"),
    "load_digits": ("data.digits", "load_digits"),
    "load_model": ("storage.model_file", "load"),
    "measure": ("metrics", "measure"),
    "save_model": ("storage.model_file", "save"),
    "sweep": ("experiments.own_sweep", "sweep"),
    "train": ("training", "train"),
}
__all__ = ["__version__", *_EXPORTS]


def __getattr__(name: str) -> Any:
    """Load a public name at its first use (PEP 562)."""
    if name not in _EXPORTS:
        raise AttributeError(f"module 'numpy_rae' has no attribute {name!r}")
    module, attribute = _EXPORTS[name]
    value = getattr(import_module(f"numpy_rae.{module}"), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
