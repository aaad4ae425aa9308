"""A real HTTP server on this machine that keeps what it is sent, and answers as it is told."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Sink:
    """`codes`: the answers to come; the last one stands for all after it. `dripping_seconds`: between two bytes."""

    port: int = 0
    requests: list[Request] = field(default_factory=list)
    codes: list[int] = field(default_factory=lambda: [200])
    answer: bytes = b"ok"
    headers: dict[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    dripping_seconds: float = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks?a=1"


@contextmanager
def http_sink(*, tls: ssl.SSLContext | None = None) -> Iterator[Sink]:
    """With `tls` it speaks HTTPS by that certificate."""
    sink = Sink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            sink.requests.append(Request(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            code = sink.codes.pop(0) if len(sink.codes) > 1 else sink.codes[0]
            time.sleep(sink.delay_seconds)
            self.send_response(code)
            for name, value in sink.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(sink.answer)))
            self.end_headers()
            try:
                for byte in sink.answer if sink.dripping_seconds else ():
                    self.wfile.write(bytes([byte]))
                    time.sleep(sink.dripping_seconds)
                if not sink.dripping_seconds:
                    self.wfile.write(sink.answer)
            except OSError:
                pass

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls:
        # A handshake that the other side breaks off is no error of ours.
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        server.handle_error = lambda request, client_address: None  # type: ignore[method-assign]
    sink.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield sink
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
