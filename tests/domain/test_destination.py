"""Where a URL leads, and which addresses are none of a user's business."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from domain.decider import Rejected
from domain.destination import Destination, destination, reachable

PUBLIC = ("93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822")
PRIVATE = (
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "::1", "fd00::1", "::ffff:127.0.0.1",
    "64:ff9b::7f00:1", "2002:7f00:1::", "255.255.255.255", "240.0.0.1", "0.1.2.3", "192.0.2.1", "::127.0.0.1",
    "fec0::1",
)  # fmt: skip
NEVER = (
    "169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "168.63.129.16",
    "224.0.0.1", "ff02::1", "0.0.0.0", "::", "64:ff9b::a9fe:a9fe", "100.100.100.200",  # noqa: S104
)  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_can_be_reached(address: str) -> None:
    assert reachable(ip_address(address), private_hosts=False)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_only_where_they_are_allowed(address: str) -> None:
    assert not reachable(ip_address(address), private_hosts=False)
    assert reachable(ip_address(address), private_hosts=True)


@pytest.mark.parametrize("address", NEVER)
def test_metadata_link_local_and_multicast_never(address: str) -> None:
    assert not reachable(ip_address(address), private_hosts=False)
    assert not reachable(ip_address(address), private_hosts=True)


def test_a_url_tells_server_and_target() -> None:
    found = destination("https://Example.com:8443/a/b?c=d#e", private_hosts=False)
    assert found == Destination(secure=True, host="example.com", port=8443, target="/a/b?c=d")
    assert found.authority == "example.com:8443"
    assert destination("https://example.com", private_hosts=False).authority == "example.com"
    assert destination("http://[::1]:81", private_hosts=True).authority == "[::1]:81"


@pytest.mark.parametrize(
    "url",
    [
        "", "example.com", "ftp://example.com/", "file:///etc/passwd", "https://", "https:///path", "https://a b.com/",
        "http://example.com/", "https://user@example.com/", "https://user:word@example.com/", "https://@example.com/",
        "https://example.com:0/", "https://example.com:99999/", "https://example.com:x/",
        "https://example.com/\r\nX: y", "https://example.com\\@evil.test/", "https://bücher.test/", "https://[::1/", "https://[fe80::1%25eth0]/",
        f"https://example.com/{'a' * 2048}",
    ],
)  # fmt: skip
def test_other_urls_are_not_supported(url: str) -> None:
    with pytest.raises(Rejected) as refused:
        destination(url, private_hosts=False)
    assert refused.value.fields == {"url": "unsupported"}


def test_an_address_in_the_url_is_checked_at_once() -> None:
    with pytest.raises(Rejected) as refused:
        destination("https://127.0.0.1/", private_hosts=False)
    assert refused.value.fields == {"url": "forbidden"}
    with pytest.raises(Rejected):
        destination("http://169.254.169.254/latest/meta-data/", private_hosts=True)
