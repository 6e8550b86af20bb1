"""Check the proxy from the environment variables before it is used for a download."""

import os
import re
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from numpy_rae.data.folders import DataError

FORM = re.compile(r"(https?://)?[^\s/?#]+/?", re.ASCII | re.IGNORECASE)


def check(url: str) -> None:
    """Check that the proxy for an address is well-formed.

    Parameters
    ----------
    url : str
        The address of a download.

    Raises
    ------
    DataError
        If it is malformed. The message names the environment variable.
    """
    address = address_for(url)
    if address is not None and not _is_address(address):
        raise DataError(
            f"{_variable(url, address)} was {_without_password(address)!r}; it must be an address such as "
            "http://proxy.example:3128. Correct the variable or unset it."
        )


def described(url: str) -> str:
    """Return the description of the proxy for a message.

    Parameters
    ----------
    url : str
        The address of a download.

    Returns
    -------
    str
        For example " through https_proxy http://proxy.example:3128". Empty if there is no proxy.
    """
    address = address_for(url)
    return "" if address is None else f" through {_variable(url, address)} {_without_password(address)}"


def address_for(url: str) -> str | None:
    """Return the proxy that urllib uses for an address.

    Parameters
    ----------
    url : str
        The address of a download.

    Returns
    -------
    str or None
        The proxy from the environment. None if urllib connects to the server directly.
    """
    parts = urlsplit(url)
    return None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)


def _is_address(address: str) -> bool:
    """Return whether a proxy has the form that urllib can use: [http://][user:password@]host[:port]."""
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        host, _ = parts.hostname, parts.port
        return bool(FORM.fullmatch(address) and host and host.encode("idna"))
    except ValueError:  # a wrong port, bracket or host name
        return False


def _variable(url: str, address: str) -> str:
    """Return the name of the environment variable that gives the proxy, in the user's spelling."""
    name = f"{urlsplit(url).scheme}_proxy"
    spelled = [each for each, value in os.environ.items() if each.lower() == name and value == address]
    return spelled[0] if spelled else f"the system's {name}"


def _without_password(address: str) -> str:
    """Return the proxy without the user's name and password."""
    return re.sub(r"[^/]*@", "...@", address)
