"""HTTP to hosts that users name, against a server on loopback."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from consumers.outside import Outside, OutsideError, Response
from tests.consumers.hosts import Asked, Host, serving

INSIDE = Outside(private_hosts=True)


@pytest.fixture
def host() -> Iterator[Host]:
    with serving() as host:
        yield host


def code(outside: Outside, url: str, *, seconds: float = 10.0, limit: int = 1000) -> str:
    with pytest.raises(OutsideError) as refused:
        outside.request("GET", url, seconds=seconds, limit=limit)
    return refused.value.code


def test_asks_and_gives_the_answer(host: Host) -> None:
    def page(asked: Asked) -> None:
        body = asked.rfile.read(int(asked.headers["Content-Length"]))
        asked.say(201, body + asked.headers["X-Word"].encode() + asked.headers["Host"].encode(), X_Answer="yes")

    host.pages["/in"] = page
    answer = INSIDE.request("POST", host.url("/in?a=b#c", "localhost"), body=b"hello ", headers={"X-Word": "world "})
    assert (answer.status, answer.headers["x-answer"]) == (201, "yes")
    assert answer.body == f"hello world localhost:{host.server_port}".encode()
    assert host.asked == ["POST /in?a=b"]


def test_reads_chunks_as_they_come(host: Host) -> None:
    def page(asked: Asked) -> None:
        asked.send_response(200)
        asked.send_header("Transfer-Encoding", "chunked")
        asked.end_headers()
        asked.wfile.write(b"3\r\none\r\n")
        asked.server.over.wait(10)
        asked.wfile.write(b"3\r\ntwo\r\n0\r\n\r\n")

    host.pages["/"] = page
    with INSIDE.stream("GET", host.url("/"), seconds=10, limit=6) as answer:
        chunks = answer.chunks()
        assert next(chunks) == b"one"
        host.over.set()
        assert list(chunks) == [b"two"]


def test_a_redirect_is_an_answer_and_is_not_followed(host: Host) -> None:
    host.pages["/"] = lambda asked: asked.say(302, Location=host.url("/secret"))
    answer = INSIDE.request("GET", host.url("/"))
    assert (answer.status, answer.body) == (302, b"")
    assert host.asked == ["GET /"]


def test_no_proxy_of_the_environment_is_asked(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    host.pages["/"] = lambda asked: asked.say(200, b"direct")
    assert INSIDE.request("GET", host.url("/")).body == b"direct"


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "127.1", "2130706433", "0"])
def test_names_and_spellings_of_this_machine_are_forbidden(host: Host, name: str) -> None:
    assert code(Outside(private_hosts=False), f"https://{name}:{host.server_port}/") == "forbidden"
    assert host.asked == []


def test_refuses_other_urls() -> None:
    assert code(INSIDE, "ftp://127.0.0.1/") == "unsupported"
    assert code(Outside(private_hosts=False), "http://example.com/") == "unsupported"


def test_nobody_there() -> None:
    with serving() as host:
        url = host.url("/")
    assert code(INSIDE, url) == "unreachable"
    assert code(INSIDE, "https://name.invalid/") == "unreachable"
    assert code(INSIDE, f"https://{'a' * 64}.invalid/") == "unreachable"


def test_not_http(host: Host) -> None:
    host.pages["/"] = lambda asked: asked.wfile.write(b"220 mail.example.com ESMTP\r\n")
    assert code(INSIDE, host.url("/")) == "unreachable"


def test_an_answer_broken_off(host: Host) -> None:
    host.pages["/"] = lambda asked: asked.say(200, b"half", Content_Length="8")
    assert code(INSIDE, host.url("/")) == "unreachable"


def test_an_answer_that_is_too_large(host: Host) -> None:
    host.pages["/told"] = lambda asked: asked.say(200, b"", Content_Length="1001")

    def untold(asked: Asked) -> None:
        asked.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        asked.drip(b"x" * 600)

    host.pages["/untold"] = untold
    assert code(INSIDE, host.url("/told")) == "too_large"
    assert code(INSIDE, host.url("/untold")) == "too_large"


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 O", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nA: ", b""])
def test_a_drip_ends_with_its_time(host: Host, head: bytes) -> None:
    def page(asked: Asked) -> None:
        asked.wfile.write(head)
        asked.drip(b"x")

    host.pages["/"] = page
    assert code(INSIDE, host.url("/"), seconds=0.3) == "timed_out"


def test_silence_ends_with_its_time(host: Host) -> None:
    host.pages["/"] = lambda asked: asked.server.over.wait(10)
    assert code(INSIDE, host.url("/"), seconds=0.2) == "timed_out"
    assert code(INSIDE, host.url("/").replace("http:", "https:"), seconds=0.2) in {"timed_out", "unreachable"}


def certified(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate for the name, and the context of one who trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "both.pem").write_bytes(secret + pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "both.pem")
    return server, ssl.create_default_context(cadata=pem.decode())


def test_the_certificate_is_checked_for_the_name(tmp_path: Path) -> None:
    server, trust = certified(tmp_path, "localhost")
    with serving(server) as host:
        host.pages["/"] = lambda asked: asked.say(200, b"safe")
        outside = Outside(private_hosts=True, trust=trust)
        answer = outside.request("GET", host.url("/", "localhost"))
        assert (answer.status, answer.body) == (200, b"safe")
        assert code(outside, host.url("/", "127.0.0.1")) == "unreachable"
        assert code(INSIDE, host.url("/", "localhost")) == "unreachable"
    assert isinstance(answer, Response)
