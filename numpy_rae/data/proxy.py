"""The proxy that the environment names for a download, checked before it is used."""

import os
import re
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from numpy_rae.data.folders import DataError

FORM = re.compile(r"(https?://)?[^\s/?#]+/?", re.ASCII | re.IGNORECASE)


def check(url: str) -> None:
    """Raise DataError, which names the environment variable, if the proxy for `url` is malformed."""
    address = address_for(url)
    if address is not None and not _is_address(address):
        raise DataError(
            f"{_variable(url, address)} was {_without_password(address)!r}; it must be an address such as "
            "http://proxy.example:3128. Correct the variable or unset it."
        )


def described(url: str) -> str:
    """Return the words that name the proxy for `url` in a message; nothing if there is none."""
    address = address_for(url)
    return "" if address is None else f" through {_variable(url, address)} {_without_password(address)}"


def address_for(url: str) -> str | None:
    """Return the proxy that urllib uses for `url`, None if it asks the server itself."""
    parts = urlsplit(url)
    return None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)


def _is_address(address: str) -> bool:
    """Tell whether a proxy is [http://][user:password@]host[:port], which is what urllib can use."""
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        host, _ = parts.hostname, parts.port
        return bool(FORM.fullmatch(address) and host and host.encode("idna"))
    except ValueError:  # a port or a bracket, or a name that cannot be a host's
        return False


def _variable(url: str, address: str) -> str:
    """Return the name of the environment variable that holds the proxy, in the user's spelling."""
    name = f"{urlsplit(url).scheme}_proxy"
    spelled = [each for each, value in os.environ.items() if each.lower() == name and value == address]
    return spelled[0] if spelled else f"the system's {name}"


def _without_password(address: str) -> str:
    """Return the proxy without the user's name and password."""
    return re.sub(r"[^/]*@", "...@", address)
