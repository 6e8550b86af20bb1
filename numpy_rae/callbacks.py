"""The base class for callbacks of `training.train`, which run before and after each update and after each epoch."""

from numpy_rae._validation import Array
from numpy_rae.autoencoder import Gradient
from numpy_rae.train_state import TrainState


class Callback:
    """Define the callbacks of `train`. The methods of this class do nothing.

    A subclass overrides one or more of them. A callback must not modify its arguments.
    """

    def on_step_start(self, step: int, state: TrainState, x: Array, grad: Gradient) -> None:
        """Run before each update.

        Parameters
        ----------
        step : int
            Number of the update, from 1.
        state : TrainState
            The state before the update.
        x : ndarray, shape (batch, n)
            The batch.
        grad : Gradient
            The gradient of the objective on this batch.
        """

    def on_step_end(self, step: int, state: TrainState) -> None:
        """Run after each update.

        Parameters
        ----------
        step : int
            Number of the update, from 1.
        state : TrainState
            The state after the update.
        """

    def on_epoch_end(self, state: TrainState) -> bool:
        """Run after each epoch. The last entry of `state.history` is the entry of this epoch.

        Parameters
        ----------
        state : TrainState
            State after the epoch.

        Returns
        -------
        bool
            True to stop the training after this epoch, False to continue.
        """
        return False
