"""Deliveries over TLS, to a real server on this machine whose certificate an authority of our own has signed."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from engagement.webhooks.addresses import Target
from engagement.webhooks.post import PinnedConnection, post
from tests.engagement.webhooks.sink import Sink, http_sink

HOST = "hooks.example.test"  # resolves nowhere: whoever reaches it went by the address that was pinned
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Authority:
    """Signs certificates into a folder. `path`: its own, for those who trust it."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def path(self) -> Path:
        return self.folder / "authority.pem"

    def serve_as(self, name: str, *, ends: dt.timedelta = DAY) -> ssl.SSLContext:
        """What a server shows that says it is `name`."""
        key = ec.generate_private_key(ec.SECP256R1())
        is_address = name[0].isdigit()
        said = x509.IPAddress(ipaddress.ip_address(name)) if is_address else x509.DNSName(name)
        names = x509.SubjectAlternativeName([said])
        built = _builder(name, key, issuer=self.certificate.subject, ends=ends).add_extension(names, critical=False)
        about = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        certificate = built.add_extension(about, critical=False).sign(self.key, hashes.SHA256())
        path = self.folder / f"{name}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def _builder(
    name: str, key: ec.EllipticCurvePrivateKey, *, issuer: x509.Name | None = None, ends: dt.timedelta = DAY
) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 2 * DAY)
        .not_valid_after(now + ends)
    )


def make_authority(folder: Path) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    built = _builder("Authority of the tests", key)
    built = built.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    built = built.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = built.add_extension(usage, critical=True).sign(key, hashes.SHA256())
    authority = Authority(folder, key, certificate)
    authority.path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return authority


@pytest.fixture
def authority(tmp_path: Path, settings: Any) -> Authority:
    settings.WEBHOOK_ALLOW_PRIVATE = True
    return make_authority(tmp_path)


@pytest.fixture
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority of a company of its own is trusted as elsewhere: by SSL_CERT_FILE."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    return authority


def deliver_pinned(sink: Sink, host: str) -> tuple[int, str]:
    """To the address of the sink, meaning `host`."""
    link = PinnedConnection(Target("https", host, sink.port, "/hooks", "127.0.0.1"))
    try:
        link.request("POST", "/hooks", b"{}", {})
        answer = link.getresponse()
        return answer.status, answer.read().decode()
    finally:
        link.close()


def test_a_delivery_goes_to_the_pinned_address_under_the_name_that_is_meant(trusted: Authority) -> None:
    with http_sink(tls=trusted.serve_as(HOST)) as sink:
        assert deliver_pinned(sink, HOST) == (200, "ok")
    assert [(one.path, one.headers["host"], one.body) for one in sink.requests] == [
        ("/hooks", f"{HOST}:{sink.port}", b"{}")
    ]


def test_a_certificate_for_another_name_is_refused_before_anything_is_sent(trusted: Authority) -> None:
    with http_sink(tls=trusted.serve_as("other.example.test")) as sink:
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            deliver_pinned(sink, HOST)
        # Nor is it one for the address itself: names are checked, however the server was found.
        with pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch"):
            deliver_pinned(sink, "127.0.0.1")
    assert sink.requests == []


def test_a_post_resolves_checks_and_delivers(trusted: Authority) -> None:
    with http_sink(tls=trusted.serve_as("127.0.0.1")) as sink:
        answer = post(f"https://127.0.0.1:{sink.port}/hooks?a=1", b"{}", {"webhook-id": "msg_1"})
    assert (answer.code, answer.text, answer.error) == (200, "ok", "")
    assert [(one.path, one.headers["webhook-id"]) for one in sink.requests] == [("/hooks?a=1", "msg_1")]


def test_a_post_says_what_is_wrong_with_a_certificate(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    with http_sink(tls=authority.serve_as("127.0.0.1")) as sink:
        unknown = post(f"https://127.0.0.1:{sink.port}/", b"{}", {})
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    with http_sink(tls=authority.serve_as("127.0.0.1", ends=-DAY)) as sink_of_old:
        expired = post(f"https://127.0.0.1:{sink_of_old.port}/", b"{}", {})
    assert (unknown.code, expired.code) == (None, None)
    assert "unable to get local issuer certificate" in unknown.error
    assert "certificate has expired" in expired.error
    assert sink.requests == sink_of_old.requests == []


def test_a_server_that_speaks_no_tls_is_no_answer(trusted: Authority) -> None:
    with http_sink() as sink:
        answer = post(f"https://127.0.0.1:{sink.port}/", b"{}", {})
    assert answer.code is None
    assert answer.is_silence
    assert sink.requests == []
