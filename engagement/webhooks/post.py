"""One POST to a checked address: connected to the IP address that was checked, no redirects, bounded time and size."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from engagement.models.webhooks import ANSWER_LENGTH
from engagement.webhooks.addresses import AddressRefused, Target, resolve

CONNECT_SECONDS, TOTAL_SECONDS = 5.0, 10.0
ERROR_LENGTH = 500


@dataclass(frozen=True)
class Answer:
    """What came of a POST. `code` is None where there was no answer; then `error` says why."""

    code: int | None
    text: str
    error: str
    duration_ms: int

    @property
    def is_taken(self) -> bool:
        return self.code is not None and 200 <= self.code < 300

    @property
    def is_silence(self) -> bool:
        """Nobody there, or too busy: what else waits for this endpoint would meet the same."""
        return self.code is None or self.code == http.client.TOO_MANY_REQUESTS or self.code >= 500


class PinnedConnection(http.client.HTTPConnection):
    """Connects to the address that was checked; the name only says who is meant (Host, SNI, the certificate)."""

    def __init__(self, target: Target) -> None:
        super().__init__(target.host, target.port, timeout=CONNECT_SECONDS)
        self._target = target
        self.wire: socket.socket | None = None  # kept: `sock` is let go of once an answer begins
        self.default_port = 443 if target.scheme == "https" else 80  # so that Host names no usual port

    def connect(self) -> None:
        self.sock = self.wire = socket.create_connection((self._target.ip, self._target.port), CONNECT_SECONDS)
        if self._target.scheme == "https":
            context = ssl.create_default_context()
            # Its handshake comes after `wire` is known, so that a slow one is cut too.
            self.sock = self.wire = context.wrap_socket(
                self.sock, server_hostname=self._target.host, do_handshake_on_connect=False
            )
            self.sock.do_handshake()


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Never raises for what the other side does; a redirect is an answer like any other that is not 2xx."""
    started = time.monotonic()
    code, text, error = None, "", ""
    try:
        target = resolve(url)
        code, text = _exchange(PinnedConnection(target), target.path, body, headers)
        error = "" if 200 <= code < 300 else _why(code)
    except AddressRefused as refused:
        error = str(refused)
    except TimeoutError:
        error = f"No answer within {TOTAL_SECONDS:.0f} seconds."
    except (OSError, http.client.HTTPException) as failure:
        error = str(failure) or type(failure).__name__
    return Answer(code, text, error[:ERROR_LENGTH], round(1000 * (time.monotonic() - started)))


def _exchange(link: PinnedConnection, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
    """Status and the beginning of the answer. A timeout bounds each wait; the timer bounds them together."""
    is_over = threading.Event()

    def hang_up() -> None:
        is_over.set()
        with suppress(OSError):
            if link.wire:
                link.wire.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(TOTAL_SECONDS, hang_up)
    timer.daemon = True
    timer.start()
    try:
        link.request("POST", path, body, dict(headers))
        answer = link.getresponse()
        if is_over.is_set():  # cut within its headers, which then look complete
            raise TimeoutError
        said = _beginning(answer)
    except (OSError, http.client.HTTPException):
        if is_over.is_set():
            raise TimeoutError from None
        raise
    finally:
        timer.cancel()
        link.close()
    return answer.status, said.decode(errors="replace").replace("\x00", "\ufffd")[:ANSWER_LENGTH]


def _beginning(answer: http.client.HTTPResponse) -> bytes:
    """Of the answer's body; its status stands, whatever becomes of the rest."""
    try:
        return answer.read(ANSWER_LENGTH)
    except http.client.IncompleteRead as cut:
        return cut.partial[:ANSWER_LENGTH]
    except (OSError, http.client.HTTPException):
        return b""


def _why(code: int) -> str:
    if 300 <= code < 400:
        return f"It answered {code}: redirects are not followed. Use the address that it leads to."
    return f"It answered {code}."
