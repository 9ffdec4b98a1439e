from __future__ import annotations

import pytest

from cloudmr.model.proxies import parse_networks, sender

TRUSTED = parse_networks("127.0.0.1, 10.0.0.0/8, 2001:db8::/32")


@pytest.mark.parametrize(
    ("peer", "claims", "expected"),
    [
        ("203.0.113.5", [], "203.0.113.5"),
        ("203.0.113.5", ["198.51.100.7"], "203.0.113.5"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("127.0.0.1", ["1.2.3.4, 198.51.100.7"], "198.51.100.7"),
        ("127.0.0.1", ["1.2.3.4", "198.51.100.7"], "198.51.100.7"),
        ("127.0.0.1", ["198.51.100.7, 10.1.1.1, 10.2.2.2"], "198.51.100.7"),
        ("127.0.0.1", ["10.1.1.1"], "10.1.1.1"),
        ("127.0.0.1", ["not an address"], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.7, garbage, 10.1.1.1"], "10.1.1.1"),
        ("127.0.0.1", [""], "127.0.0.1"),
        ("2001:db8::1", ["198.51.100.7"], "198.51.100.7"),
        ("::ffff:127.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("testclient", ["198.51.100.7"], "testclient"),
    ],
)
def test_only_trusted_proxies_are_believed_about_the_sender(peer: str, claims: list[str], expected: str) -> None:
    assert sender(peer, claims, TRUSTED) == expected


def test_by_default_nobody_is_trusted() -> None:
    assert sender("127.0.0.1", ["198.51.100.7"], ()) == "127.0.0.1"
    assert parse_networks("") == ()


@pytest.mark.parametrize("text", ["example.org", "10.0.0.1/8", "10.0.0.0/33"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"network|host bits"):
        parse_networks(text)
