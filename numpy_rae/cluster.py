"""Runs on a Dask cluster instead of the local pool: the same sweep on another `concurrent.futures.Executor`."""

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

CONNECT_SECONDS = 10


@contextmanager
def dask_pool(address: str) -> Iterator[tuple[Executor, int]]:
    """An executor on the cluster whose scheduler listens at `address`, and how many threads its workers have.

    Workers make the data from their own copy of the images, by name and hash (`datasets.load`). A run whose worker dies
    is started again elsewhere. Raises ValueError if Dask is not installed or nobody answers.
    """
    try:
        from distributed import Client
        from distributed.comm.addressing import get_address_host_port
    except ImportError:
        raise ValueError('--scheduler needs Dask; install it with: pip install "numpy-rae[cluster]"') from None
    try:
        get_address_host_port(address)  # a client of what is no address cannot be closed, and tries for long
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ValueError(f"--scheduler is {address!r}; it must be a running scheduler's address: {error}") from error
    with client:
        yield client.get_executor(pure=False), sum(client.nthreads().values())
