"""Nothing is sent into a network that is not public, however its address is written; failures are repeated ever later."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.deliveries import Policy, next_try_s, refused_address, refused_url

PRIVATE = [IPv4Network(net) for net in ("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16")]
PRIVATE += [
    IPv4Network(net) for net in ("172.16.0.0/12", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4")
]


@given(net=st.sampled_from(PRIVATE), offset=st.integers(0, 2**32 - 1))
def test_no_address_of_a_private_network_is_reached_however_it_is_wrapped(net, offset):
    inside = IPv4Address(int(net.network_address) + offset % net.num_addresses)
    assert refused_address(str(inside))
    assert refused_address(str(IPv6Address(f"::ffff:{inside}")))
    assert refused_address(str(IPv6Address(int(IPv6Address("64:ff9b::")) + int(inside))))
    assert refused_address(str(IPv6Address((0x2002 << 112) + (int(inside) << 80))))
    assert refused_url(f"https://{inside}/hook", ()) is not None
    assert refused_url(f"https://[::ffff:{inside}]/hook", ()) is not None


@pytest.mark.parametrize("address", ["::1", "::", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "169.254.169.254"])
def test_loopback_link_local_and_metadata_are_not_public(address):
    assert refused_address(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_public_addresses_are(address):
    assert not refused_address(address)


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.com/", "https://example.com:8443/", "ftp://example.com/", "https://", "example.com", ""),
        *("https://user:secret@example.com/", "https://example.com/#x", "https://localhost/", "https://intranet/"),
        *("https://2130706433/", "https://0x7f.1/", "https://127.1/", "https://printer.local/", "https://[::1]/"),
        *("https://exa mple.com/", "https://example.com/\r\nHost: x", "https://пример.рф/", "https://[nonsense/"),
        *("https://example.com:99999/", "https://metadata.google.internal/", "https://127.0.0.1.:443/"),
    ],
)
def test_an_address_that_is_no_public_https_one_is_refused_with_a_sentence(url):
    assert refused_url(url, ())


@given(url=st.text(max_size=60))
def test_whatever_is_typed_is_a_sentence_or_an_https_address(url):
    for text in (url, f"https://{url}", f"https://example.com/{url}"):
        why = refused_url(text, ())
        assert why or text.lower().startswith("https://")


def test_a_host_that_the_setting_names_may_be_inside_and_by_http_on_that_port_alone():
    hosts = ("127.0.0.1:8099", "CRM.internal:443")
    assert refused_url("http://127.0.0.1:8099/x", hosts) is None
    assert refused_url("https://crm.internal/x", hosts) is None
    assert refused_url("http://127.0.0.1:8098/x", hosts)
    assert refused_url("ftp://127.0.0.1:8099/x", hosts)
    assert refused_url("https://example.com/x?y=1", hosts) is None


@given(tries=st.integers(1, 40), chance=st.floats(0, 1, exclude_max=True))
def test_a_failure_waits_longer_each_time_never_beyond_the_most_and_ends(tries, chance):
    policy = Policy()
    wait_s = next_try_s(tries, chance, policy)
    if tries >= policy.tries:
        assert wait_s is None
        return
    whole = min(policy.first_s * 2 ** (tries - 1), policy.most_s)
    assert whole / 2 <= wait_s <= whole
    if tries > 1:
        assert wait_s >= next_try_s(tries - 1, 0, policy)


def test_a_receiver_is_tried_for_most_of_a_day():
    policy = Policy()
    longest = sum(next_try_s(tries, 0.999, policy) for tries in range(1, policy.tries))
    assert 12 * 3600 < longest < 48 * 3600
