"""Where a URL that a user named leads, and whether this service may go there (no server-side request forgery)."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

import msgspec

from domain.decider import Rejected

Ip = IPv4Address | IPv6Address

MAX_URL: Final = 2048
PORTS: Final = {"https": 443, "http": 80}
NAT64: Final = IPv6Network("64:ff9b::/96")
METADATA: Final = frozenset(map(ip_address, ("168.63.129.16", "100.100.100.200", "fd00:ec2::254", "fd20:ce::254")))
"""Where clouds tell a machine its secrets, beside the link-local 169.254.169.254; none is ever reached."""


class Destination(msgspec.Struct, frozen=True):
    """The server of a URL, and what to ask it for."""

    secure: bool
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """The `Host` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS["https" if self.secure else "http"] else f"{host}:{self.port}"


def destination(url: str, *, private_hosts: bool, field: str = "url") -> Destination:
    """Read a URL: https (http too with private hosts), no user info, plain ASCII.

    Raises Rejected: `unsupported` for another kind of URL, `forbidden` for an address that may not be reached.
    """
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise Rejected("unsupported", field)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Rejected("unsupported", field) from None
    known = parts.scheme == "https" or (private_hosts and parts.scheme == "http")
    if not known or not host or port == 0 or "@" in parts.netloc or "%" in host:
        raise Rejected("unsupported", field)
    address = _literal(host)
    if address is not None and not reachable(address, private_hosts=private_hosts):
        raise Rejected("forbidden", field)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Destination(parts.scheme == "https", host, port or PORTS[parts.scheme], target)


def reachable(address: Ip, *, private_hosts: bool) -> bool:
    """Whether a connection may go to the address. Loopback and private networks count as private hosts."""
    real = _wrapped(address)
    if real in METADATA or real.is_link_local or real.is_multicast or real.is_unspecified:
        return False
    old = isinstance(real, IPv6Address) and real.is_site_local
    return private_hosts or (real.is_global and not real.is_reserved and not old)


def _wrapped(address: Ip) -> Ip:
    """Give the IPv4 address that an IPv6 one stands for (mapped, 6to4, Teredo, NAT64), or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    teredo = address.teredo[1] if address.teredo is not None else None
    nat64 = IPv4Address(int(address) & 0xFFFFFFFF) if address in NAT64 else None
    return address.ipv4_mapped or address.sixtofour or teredo or nat64 or address


def _literal(host: str) -> Ip | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
