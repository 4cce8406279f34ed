"""What leaves the house: where it may go, and when a failed try is repeated.

An address may be reached only if it is a public one: a receiver is typed in by somebody, and must not become a way to
what is beside the service (OWASP ASVS 5.0, V1.3.6; RFC 6890 lists the addresses that are not public).
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Collection

HTTPS_PORT = 443
#: Translated and tunnelled IPv4: whatever is inside would be reached (RFC 6052, RFC 8215, RFC 3056, RFC 4380).
_WRAPPED = tuple(IPv6Network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How long a receiver that fails is tried: after ``first_s``, then twice as long each time, at most ``most_s``."""

    first_s: float = 5.0
    most_s: float = 6 * 3600.0
    tries: int = 16


def next_try_s(tries: int, chance: float, policy: Policy) -> float | None:
    """Seconds until the next try after so many, of which half is chance; None: it is given up.

    Args:
        tries: How often it was tried, at least once.
        chance: Of [0, 1).
        policy: How long it is tried.
    """
    if tries >= policy.tries:
        return None
    whole = min(policy.first_s * float(2 ** min(tries - 1, 60)), policy.most_s)
    return whole * (0.5 + chance / 2)


def refused_address(address: str) -> bool:
    """Whether nothing may be sent to this IP address: it is not a public one, or what is inside it is not."""
    ip: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if isinstance(ip, IPv6Address) and any(ip in net for net in _WRAPPED):
        return True
    return not ip.is_global or ip.is_multicast


def refused_url(url: str, named_hosts: Collection[str]) -> str | None:
    """Why nothing may be sent to this URL, as a sentence; None if it may, as far as can be seen without asking a name.

    Args:
        url: What somebody typed.
        named_hosts: ``host:port`` that the service's setting allows, also by http and inside the own network.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "This is no address of a receiver."
    if not url.isascii() or any(sign <= " " for sign in url) or not host or parts.fragment:
        return "This is no address of a receiver."
    if parts.username is not None or parts.password is not None:
        return "The address holds a user name or password."
    if named(host, port or (HTTPS_PORT if parts.scheme == "https" else 80), named_hosts):
        return None if parts.scheme in {"http", "https"} else "The address begins with https."
    if parts.scheme != "https" or (port or HTTPS_PORT) != HTTPS_PORT:
        return "The address begins with https and has no other port than 443."
    return _refused_host(host)


def named(host: str, port: int, named_hosts: Collection[str]) -> bool:
    """Whether the service's setting names this host and port."""
    return f"{host.lower()}:{port}" in {one.lower() for one in named_hosts}


def _refused_host(host: str) -> str | None:
    try:
        inside = refused_address(host)
    except ValueError:  # a name
        last = host.rstrip(".").rpartition(".")[2].lower()
        # A public name has a dot and does not end in a number: resolvers read 0x7f.1 and 2130706433 as addresses.
        inside = last in {"localhost", "local", "internal", host.lower()} or last[:1].isdigit()
    return "The address leads into a network that is not public." if inside else None
