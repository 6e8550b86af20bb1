"""The proxy in the environment: a malformed one is named, a valid one is used, and no password is printed."""

import os

import pytest

from numpy_rae.data import fetch, proxy
from numpy_rae.data.folders import DataError
from numpy_rae.data.sources import RemoteFile

URL = "https://images.example/file"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


MALFORMED = [
    "http:/proxy.corp:3128", "proxy.corp:port", "http://proxy.corp:99999", "http://[::1", "http://.corp:1", "http://",
    "socks5://proxy.corp:1080", "ftp://proxy.corp", "http://two words:1", "http://proxy.corp:1/path",
    "http://" + "a" * 70 + ".corp:1",
]  # fmt: skip


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY"])
@pytest.mark.parametrize("value", MALFORMED)
def test_a_malformed_proxy_is_named(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(DataError) as error:
        proxy.check(URL)
    assert str(error.value).startswith(f"{name} was {value!r}; it must be an address such as http://")


@pytest.mark.parametrize("value", [
    "http://proxy.corp:3128", "https://proxy.corp:3128/", "proxy.corp:3128", "proxy", "http://[::1]:3128",
    "http://user:p%40ss@proxy.corp:3128", "HTTP://PROXY.CORP:80",
])  # fmt: skip
def test_a_good_proxy_passes(monkeypatch, value):
    monkeypatch.setenv("https_proxy", value)
    proxy.check(URL)
    assert proxy.address_for(URL) == value


def test_a_proxy_that_is_not_used_is_not_looked_at(monkeypatch):
    monkeypatch.setenv("https_proxy", MALFORMED[0])
    proxy.check("http://images.example/file")
    monkeypatch.setenv("no_proxy", "images.example")
    proxy.check(URL)
    assert proxy.described(URL) == ""


@pytest.mark.parametrize("value", ["http://user:secret@proxy.corp:1", "http:/user:secret@proxy.corp:1"])
def test_no_password_is_shown(monkeypatch, value):
    monkeypatch.setenv("https_proxy", value)
    assert "secret" not in proxy.described(URL) and "...@proxy.corp:1" in proxy.described(URL)


def remote():
    return RemoteFile("set", "file", 3, "0" * 64, ("http://images.example/file",))


def test_the_fetch_names_the_malformed_variable(monkeypatch, tmp_path):
    monkeypatch.setenv("http_proxy", MALFORMED[0])
    with pytest.raises(DataError, match="^http_proxy was 'http:/proxy.corp:3128'"):
        fetch.fetch_file(remote(), tmp_path, progress=False)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_the_fetch_names_the_proxy_that_does_not_answer(monkeypatch, tmp_path):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with pytest.raises(DataError, match="file through http_proxy http://127.0.0.1:9 "):
        fetch.fetch_file(remote(), tmp_path, progress=False)
