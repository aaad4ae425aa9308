"""Which addresses are called: those of the public Internet, by what a name resolves to and held to it."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

IP = ipaddress.IPv4Address | ipaddress.IPv6Address
PORTS = {"http": 80, "https": 443}
# Of IPv6, what is given to hosts (less 6to4, a way back to IPv4), and what stands for an IPv4 address that is public.
UNICAST, SIX_TO_FOUR = ipaddress.IPv6Network("2000::/3"), ipaddress.IPv6Network("2002::/16")
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# Of IPv4, what counts as global in some versions of Python: shared (CGNAT), protocol assignments, relays of 6to4, and
# the metadata service of Azure.
NEVER = tuple(map(ipaddress.IPv4Network, ("100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32")))


class AddressRefused(ValueError):
    """This address is not called; the message says why."""


@dataclass(frozen=True)
class Target:
    """Where a connection goes: the IP address that was checked, and the name that it was found by."""

    scheme: str
    host: str
    port: int
    path: str
    ip: str


def check_url(url: str) -> SplitResult:
    """Whether it can be the address of an endpoint at all; names are not resolved.

    Raises: AddressRefused.
    """
    if any(ord(letter) <= ord(" ") or ord(letter) == 127 for letter in url) or "\\" in url:
        raise AddressRefused("An address has no spaces, control characters or backslashes.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressRefused(f"{url!r} is no address.") from None
    allowed = ("https", "http") if settings.WEBHOOK_ALLOW_PRIVATE else ("https",)
    if parts.scheme not in allowed:
        raise AddressRefused(f"An address begins with https://, not {parts.scheme or url[:20]!r}.")
    if not parts.hostname:
        raise AddressRefused("The address names no host.")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("An address holds no user or password: what is delivered is signed instead.")
    if port == 0:
        raise AddressRefused("Nothing listens on port 0.")
    _literal(parts.hostname)
    return parts


def resolve(url: str) -> Target:
    """Resolve the name once, and refuse it where any of its addresses is not public.

    Any and not the one taken: a name with one private address among public ones is a trick.

    Raises: AddressRefused, also where the name is not known.
    """
    parts = check_url(url)
    host = parts.hostname or ""
    port = parts.port or PORTS[parts.scheme]
    try:
        found = socket.getaddrinfo(_ascii(host), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise AddressRefused(f"The name {host} is not known.") from None
    addresses = [str(record[4][0]) for record in found]
    for address in addresses:
        refuse_private(address, host)
    path = parts.path or "/"
    return Target(parts.scheme, _ascii(host), port, f"{path}?{parts.query}" if parts.query else path, addresses[0])


def refuse_private(address: str, host: str) -> None:
    """Raises AddressRefused unless the IP address is one of the public Internet, or the settings allow others."""
    if not settings.WEBHOOK_ALLOW_PRIVATE and not is_public(address):
        named = address if address == host else f"{host} ({address})"
        raise AddressRefused(f"{named} is not an address of the public Internet.")


def is_public(address: str) -> bool:
    """False for private, loopback, link-local, shared (CGNAT), multicast, reserved and unspecified ones."""
    ip: IP = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or (ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in NAT64 else None)
        if inner is None:
            return ip.is_global and ip in UNICAST and ip not in SIX_TO_FOUR
        ip = inner
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not any(ip in network for network in NEVER)


def _literal(host: str) -> None:
    """Refuse an IP address that is written out in the URL at once, when it is typed."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return
    refuse_private(host, host)


def _ascii(host: str) -> str:
    return host.encode("idna").decode() if not host.isascii() else host
