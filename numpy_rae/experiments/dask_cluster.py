"""Train the runs of a sweep on a Dask cluster instead of the local pool, by another `concurrent.futures.Executor`."""

import sys
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

CONNECT_SECONDS = 10
WORKERS_SECONDS = 60


@contextmanager
def dask_pool(address: str, name: str = "--scheduler") -> Iterator[tuple[Executor, int]]:
    """Open an executor on a cluster.

    Each worker prepares the data from its own copy of the images, which it finds by name and hash (`prepared.load`). If
    a worker dies, its run is started again on another worker. Dask sends models that are defined in the main module by
    value, as the local pool does.

    Parameters
    ----------
    address : str
        Address of the cluster's scheduler.
    name : str, optional
        Name of the option or argument that gives the address. It is used in messages.

    Yields
    ------
    Executor
        The cluster.
    int
        The number of its workers' threads.

    Raises
    ------
    ValueError
        If Dask is not installed, if the scheduler does not answer within CONNECT_SECONDS, or if no worker joins within
        WORKERS_SECONDS.
    """
    try:
        from distributed import Client
        from distributed.comm.addressing import get_address_host_port
    except ImportError:
        raise ValueError(f'{name} needs Dask; install it with: pip install "numpy-rae[cluster]"') from None
    connect: Any = Client  # Dask has no types
    try:
        get_address_host_port(address)  # a client with a malformed address cannot be closed
        client: Any = connect(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ValueError(f"{name} is {address!r}; it must be a running scheduler's address: {error}") from error
    with client:
        _wait_for_a_worker(client, address, name)
        pool = client.get_executor(pure=False)
        pool.packs = True  # `sweep` checks first whether the models can be sent
        yield pool, sum(client.nthreads().values())


def _wait_for_a_worker(client: Any, address: str, name: str) -> None:
    """If the cluster has no worker, print this on stderr and wait for one. Raise ValueError if none joins in time."""
    if client.nthreads():
        return
    print(f"{name} {address} has no workers; waiting {WORKERS_SECONDS} s for the first", file=sys.stderr, flush=True)
    try:
        client.wait_for_workers(1, timeout=WORKERS_SECONDS)
    except TimeoutError:
        raise ValueError(
            f"{name} is {address!r}; no worker has joined it within {WORKERS_SECONDS} s: start one with "
            f"`dask worker {address}`"
        ) from None
