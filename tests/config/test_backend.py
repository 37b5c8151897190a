"""The block `backend`, beyond what every block has."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from malexbot.config.backend import Backend


@pytest.mark.parametrize(
    "written, meant",
    [
        ("10.0.0.1", ("10.0.0.1",)),
        (["10.0.0.0/8", "::1"], ("10.0.0.0/8", "::1")),
        (["10.0.0.1", "10.0.0.1"], ("10.0.0.1",)),
        ([], ()),
    ],
)
def test_proxies_are_addresses_and_networks(
    written: object, meant: tuple[str, ...]
) -> None:
    assert Backend(trusted_proxies=written).trusted_proxies == meant


def test_a_proxy_on_this_machine_is_trusted_unless_told_otherwise() -> None:
    assert Backend().trusted_proxies == ("127.0.0.1", "::1")


@pytest.mark.parametrize("written", ["proxy.example.org", "10.0.0.7/8", "*", "1.2.3"])
def test_what_is_no_address_cannot_be_trusted(written: str) -> None:
    with pytest.raises(ValidationError, match="needs addresses, or networks"):
        Backend(trusted_proxies=["127.0.0.1", written])
