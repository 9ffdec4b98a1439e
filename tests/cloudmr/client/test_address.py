from __future__ import annotations

import pytest

from cloudmr.client.address import is_readable_on_the_way, is_this_machine, normal_address
from cloudmr.client.errors import InvalidAddress


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("https://Brain.Example.org/", "https://brain.example.org"),
        ("https://brain.example.org:443", "https://brain.example.org"),
        ("http://brain.example.org:80/Prod/", "http://brain.example.org/Prod"),
        (" http://127.0.0.1:8000 ", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_each_address_has_one_spelling(given: str, normal: str) -> None:
    assert normal_address(given) == normal
    assert normal_address(normal) == normal


@pytest.mark.parametrize(
    "text",
    [
        "",
        "brain.example.org",
        "ftp://brain.example.org",
        "https://",
        "https://brain.example.org:port",
        "https://somebody:secret@brain.example.org",
        "https://brain.example.org/?token=secret",
        "https://brain.example.org/#top",
        "http://[::1",
    ],
)
def test_what_is_no_address_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(InvalidAddress) as caught:
        normal_address(text)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("server", "is_here"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://127.8.9.10", True),
        ("http://localhost:8000", True),
        ("http://[::1]:8000", True),
        ("http://192.168.1.2", False),
        ("http://localhost.example.org", False),
        ("https://127.0.0.1.example.org", False),
    ],
)
def test_only_loopback_addresses_are_this_machine(server: str, is_here: bool) -> None:
    assert is_this_machine(server) is is_here


@pytest.mark.parametrize(
    ("server", "is_readable"),
    [("https://brain.example.org", False), ("http://127.0.0.1:8000", False), ("http://brain.example.org", True)],
)
def test_plain_http_beyond_this_machine_is_readable_on_the_way(server: str, is_readable: bool) -> None:
    assert is_readable_on_the_way(server) is is_readable
