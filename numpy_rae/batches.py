"""The minibatches of an epoch: a random order of the samples, split into parts."""

import numpy as np

from numpy_rae._validation import Array


def shuffled_batches(N: int, size: int, rng: np.random.Generator) -> list[Array]:
    """Draw the batches of one epoch.

    Parameters
    ----------
    N : int
        Number of samples.
    size : int
        Samples per batch.
    rng : numpy.random.Generator
        Source of the order.

    Returns
    -------
    list of ndarray
        A permutation of N indices, in parts of `size`. The last part can be shorter.
    """
    return split_batches(rng.permutation(N), size)


def split_batches(order: Array, size: int) -> list[Array]:
    """Split an order of samples into batches.

    Parameters
    ----------
    order : ndarray, shape (N,)
        Indices of samples.
    size : int
        Samples per batch.

    Returns
    -------
    list of ndarray
        Parts of `size` indices. The last part can be shorter. Empty if `order` is empty.
    """
    return np.split(order, range(size, len(order), size)) if len(order) else []
