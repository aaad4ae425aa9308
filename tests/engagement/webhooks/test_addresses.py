"""Which addresses are called, and which never."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import pytest

from engagement.webhooks import addresses
from engagement.webhooks.addresses import AddressRefused, check_url, is_public, resolve
from engagement.webhooks.post import post
from tests.engagement.webhooks.sink import Sink


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "100.127.255.255", "100.100.100.200", "168.63.129.16", "192.0.0.192",
        "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "192.88.99.1", "224.0.0.1", "239.1.1.1", "240.0.0.1",
        "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1",
        "2001:db8::1", "2001::1", "2002:7f00:1::", "2002:808:808::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1",
        "::ffff:0:8.8.8.8",
    ],
)  # fmt: skip
def test_what_is_not_of_the_public_internet_is_never_called(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "1.1.1.1", "172.15.0.1", "172.32.0.1", "100.63.255.255", "100.128.0.0", "2606:4700::1111",
     "::ffff:8.8.8.8", "64:ff9b::808:808"],
)  # fmt: skip
def test_public_addresses_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://example.com/x", "An address begins with https://, not 'http'."),
        ("ftp://example.com/x", "An address begins with https://, not 'ftp'."),
        ("example.com", "An address begins with https://, not 'example.com'."),
        ("https:///x", "The address names no host."),
        ("https://u:p@example.com/", "An address holds no user or password: what is delivered is signed instead."),
        ("https://example.com:99999/", "'https://example.com:99999/' is no address."),
        ("https://example.com:0/", "Nothing listens on port 0."),
        ("https://example.com/a b", "An address has no spaces, control characters or backslashes."),
        ("https://example.com/a\r\nX: y", "An address has no spaces, control characters or backslashes."),
        ("https://example.com\\@127.0.0.1/", "An address has no spaces, control characters or backslashes."),
        ("https://127.0.0.1/", "127.0.0.1 is not an address of the public Internet."),
        ("https://[::1]:8443/", "::1 is not an address of the public Internet."),
        ("https://169.254.169.254/latest/meta-data/", "169.254.169.254 is not an address of the public Internet."),
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_called_is_refused_when_it_is_typed(url: str, message: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        check_url(url)
    assert str(refused.value) == message


@pytest.mark.parametrize("host", ["localhost", "2130706433", "0x7f000001", "0177.0.0.1", "127.1"])
def test_a_name_is_judged_by_what_it_resolves_to(host: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        resolve(f"https://{host}/")
    assert "is not an address of the public Internet" in str(refused.value)


def answers(monkeypatch: Any, *ips: str) -> list[str]:
    """The name server of the test: gives these, one more call further on each time where there are several tuples."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, *args: Any, **options: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in ips]

    monkeypatch.setattr(addresses.socket, "getaddrinfo", getaddrinfo)
    return asked


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch: Any) -> None:
    answers(monkeypatch, "8.8.8.8", "10.0.0.1")
    with pytest.raises(AddressRefused) as refused:
        resolve("https://hooks.example.com/")
    assert str(refused.value) == "hooks.example.com (10.0.0.1) is not an address of the public Internet."


def test_the_checked_address_is_the_one_connected_to(monkeypatch: Any, sink: Sink) -> None:
    """A name server that would say something else the second time is not asked a second time."""
    asked = answers(monkeypatch, "127.0.0.1")
    answer = post(f"http://hooks.example.com:{sink.port}/x?y=1", b"{}", {})
    assert (answer.code, asked) == (200, ["hooks.example.com", "127.0.0.1"])
    (request,) = sink.requests
    assert (request.path, request.headers["host"]) == ("/x?y=1", f"hooks.example.com:{sink.port}")


def test_an_unknown_name_is_said() -> None:
    answer = post("https://nobody.invalid/", b"{}", {})
    assert (answer.code, answer.error) == (None, "The name nobody.invalid is not known.")


def test_redirects_are_not_followed(sink: Sink) -> None:
    sink.codes, sink.headers = [302], {"Location": "http://169.254.169.254/"}
    answer = post(sink.url, b"{}", {})
    assert (answer.code, answer.error, len(sink.requests)) == (
        302, "It answered 302: redirects are not followed. Use the address that it leads to.", 1
    )  # fmt: skip


def test_the_first_kilobyte_of_an_answer_is_kept(sink: Sink) -> None:
    sink.answer = b"x\x00" * 5_000_000
    answer = post(sink.url, b"{}", {})
    assert (answer.is_taken, answer.text) == (True, "x\ufffd" * 512)


@pytest.mark.parametrize(("delay", "drip"), [(30.0, 0.0), (0.0, 0.4)])
def test_a_slow_answer_is_cut(monkeypatch: Any, sink: Sink, delay: float, drip: float) -> None:
    monkeypatch.setattr("engagement.webhooks.post.TOTAL_SECONDS", 1.0)
    sink.delay_seconds, sink.dripping_seconds, sink.answer = delay, drip, b"x" * 100
    started = time.monotonic()
    answer = post(sink.url, b"{}", {})
    assert time.monotonic() - started < 3
    assert (answer.code, answer.error) == ((None, "No answer within 1 seconds.") if delay else (200, ""))


def test_dripping_headers_are_cut(monkeypatch: Any, settings: Any) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = True
    monkeypatch.setattr("engagement.webhooks.post.TOTAL_SECONDS", 1.0)
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        link, _ = listener.accept()
        try:
            link.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            for _ in range(100):
                link.sendall(b"x")
                time.sleep(0.1)
        except OSError:
            pass
        finally:
            link.close()

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    answer = post(f"http://127.0.0.1:{listener.getsockname()[1]}/", b"{}", {})
    thread.join(5)
    listener.close()
    assert (answer.code, answer.error, answer.duration_ms < 3000) == (None, "No answer within 1 seconds.", True)
