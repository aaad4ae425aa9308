"""A real SMTP server on this machine that keeps what it is given, and can be told to be difficult."""

from __future__ import annotations

import asyncio
import email
import email.policy
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller


@dataclass
class Sink:
    """`refusals`: the answer for an address at RCPT. `on_data`: its result answers DATA, after the mail was kept."""

    port: int
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)
    data_answer: str = "250 OK"
    greeting_seconds: float = 0.0  # before it takes a recipient
    delay_seconds: float = 0.0  # between having the mail and saying so

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        await asyncio.sleep(self.greeting_seconds)
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        if self.data_answer.startswith("250"):
            self.mails.append(mail)
            self.recipients.append(envelope.rcpt_tos)
        await asyncio.sleep(self.delay_seconds)
        return self.data_answer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def smtp_sink(port: int | None = None) -> Iterator[Sink]:
    sink = Sink(port or free_port())
    controller = Controller(sink, hostname="127.0.0.1", port=sink.port)
    controller.start()
    try:
        yield sink
    finally:
        controller.stop()


def wait_for_mail(sink: Sink, count: int = 1, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while len(sink.mails) < count:
        assert time.monotonic() < until, f"{len(sink.mails)} of {count} mails came"
        time.sleep(0.02)
