from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_address

import pytest

from cloudmr.errors import InvalidRequest
from cloudmr.model.webhooks import check_webhook_url, is_public, signature_headers


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "1.1.1.1", "2001:4860:4860::8888", "64:ff9b::808:808", "::ffff:8.8.8.8", "2002:808:808::1"],
)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "198.18.0.1",
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2001:0:808:808::1",
        "2001:db8::1",
    ],
)
def test_every_way_of_writing_a_private_address_is_known(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "url", ["https://example.org", "https://example.org:8443/hooks?to=cloudmr", "https://8.8.8.8/"]
)
def test_webhooks_go_to_encrypted_addresses(url: str) -> None:
    assert check_webhook_url(url, allows_private=False) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "http://example.org/",
        "ftp://example.org/",
        "https://",
        "https://user:pw@example.org/",
        "https://user@example.org/",
        "https://example.org/#part",
        "https://example.org:0/",
        "https://example.org:99999/",
        "https://example.org/ a",
        "https://example.org/\r\nX-Header: 1",
        "https://[::1",
        "https://[::1]/",
        "https://127.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://münchen.example/",
        "https://example.org/" + "x" * 2048,
    ],
)
def test_webhooks_go_nowhere_else(url: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_webhook_url(url, allows_private=False)
    assert refused.value.instance_code == "webhook_url"


def test_a_setting_lets_them_go_to_this_machine() -> None:
    assert check_webhook_url("http://127.0.0.1:8080/", allows_private=True)


def test_the_signature_is_the_one_that_the_documentation_describes() -> None:
    headers = signature_headers("whsec_1", delivery="d1", body=b'{"a": 1}', now=datetime(2026, 1, 1, tzinfo=UTC))
    # By openssl, over `printf 'v1\n1767225600\nd1\n%s' "$(printf '{"a": 1}' | sha256sum | cut -c-64)"`.
    assert headers == {
        "X-CloudMR-Delivery": "d1",
        "X-CloudMR-Timestamp": "1767225600",
        "X-CloudMR-Signature": "v1=09c8559e77b746bcd750aed9096cf367085a8850364ad7904ee9c9ce7977117b",
    }
