"""The local SES as a process: settings, files, memory, pages, and nobody from outside."""

import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from config.local.ses.client import LocalSes
from config.local.ses.process import NotStartedError, local_ses
from config.local.ses.settings import Settings, UnsafeHostError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ses")


@pytest.fixture(scope="module")
def ses(folder: Path) -> Iterator[LocalSes]:
    with local_ses(folder, LOCAL_SES_KEEP="3", LOCAL_SES_AUTO_EVENTS="") as running:
        yield running


def send(ses: LocalSes, number: int, html: str = "<p>Hi</p>") -> str:
    body = {"Subject": {"Data": f"Mail <{number}>"}, "Body": {"Html": {"Data": html}}}
    content: Any = {"Simple": {**body, "Headers": [{"Name": "X-Number", "Value": str(number)}]}}
    return ses.boto3().send_email(
        FromEmailAddress="news@example.com",
        Destination={"ToAddresses": [f"p{number}@example.org"]},
        Content=content,
        EmailTags=[{"Name": "number", "Value": str(number)}],
    )["MessageId"]


def get(ses: LocalSes, path: str, **headers: str) -> tuple[int, str]:
    connection = HTTPConnection(urlsplit(ses.url).netloc)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8000/webhooks/ses",
        "http://127.8.9.10/webhooks/ses",
        "http://[::1]:8000/webhooks/ses",
        "http://api:8000/webhooks/ses",
    ],
)
def test_a_webhook_on_this_machine_or_in_the_network_of_containers_is_accepted(url: str) -> None:
    assert Settings.read({"SES_WEBHOOK_URL": url, "LOCAL_SES_ALLOW_HOSTS": "api, ses"}).webhook_url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/webhooks/ses",
        "http://192.168.0.7/webhooks/ses",
        "http://0.0.0.0/webhooks/ses",
        "http://other:8000/webhooks/ses",
        "http://example.org:8000/webhooks/ses",
        "http://2130706433/webhooks/ses",
        "http://0x7f000001/webhooks/ses",
        "http://localhost@example.com/webhooks/ses",
        "https://127.0.0.1/webhooks/ses",
        "file:///etc/passwd",
        "/webhooks/ses",
    ],
)
def test_a_webhook_elsewhere_is_refused(url: str) -> None:
    allowed = "api,example.org,2130706433,0x7f000001"
    with pytest.raises(UnsafeHostError):
        Settings.read({"SES_WEBHOOK_URL": url, "LOCAL_SES_ALLOW_HOSTS": allowed})


@pytest.mark.parametrize(
    "environment",
    [
        {"LOCAL_SES_HOST": "0.0.0.0"},  # noqa: S104 - is refused
        {"LOCAL_SES_PORT": "port"},
        {"LOCAL_SES_PORT": "65536"},
        {"LOCAL_SES_KEEP": "-1"},
    ],
)
def test_a_wrong_setting_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"LOCAL_SES_|loopback"):
        Settings.read(environment)


def test_the_process_says_in_one_line_what_is_wrong(tmp_path: Path) -> None:
    environment = {"DATA_DIR": str(tmp_path), "LOCAL_SES_PORT": "0", "LOCAL_SES_AUTO_EVENTS": "Teleported"}
    ended = subprocess.run(
        [sys.executable, "-m", "config.local.ses"], env=environment, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("local SES: Invalid enum value 'Teleported'")
    assert ended.stderr.count("\n") == 1


def test_a_port_that_is_taken_is_told(ses: LocalSes, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    port = str(urlsplit(ses.url).port)
    with pytest.raises(NotStartedError), local_ses(tmp_path, LOCAL_SES_PORT=port):
        pass
    assert capfd.readouterr().err == f"local SES: cannot listen on port {port}: Address already in use\n"


def test_the_key_is_made_once_and_only_its_owner_reads_it(folder: Path, ses: LocalSes) -> None:
    files = sorted((folder / "ses").iterdir())
    assert [file.name for file in files] == ["certificate.pem", "signing.pem"]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert files[0].read_bytes() == ses.certificate()
    with local_ses(folder) as second:
        assert second.certificate() == ses.certificate()


def test_old_mail_keeps_its_envelope_and_loses_its_body(ses: LocalSes) -> None:
    ses.empty()
    for number in range(5):
        send(ses, number)
    old, *_, new = ses.messages()
    assert (old.content_kept, old.html, old.headers) == (False, None, ())
    assert (old.subject, old.tags, old.to) == ("Mail <0>", {"number": "0"}, ("p0@example.org",))
    assert (new.content_kept, new.html, new.header("X-Number")) == (True, "<p>Hi</p>", "4")
    assert [mail.content_kept for mail in ses.messages()] == [False, False, True, True, True]


def test_the_pages_show_the_inbox_and_run_nothing_of_a_mail(ses: LocalSes) -> None:
    ses.empty()
    evil = "<script>alert('\"')</script>"
    ids = [send(ses, number, evil) for number in range(60)]
    status, page = get(ses, "/")
    assert status == 200
    assert page.index("Mail &lt;59&gt;") < page.index("Mail &lt;58&gt;")
    assert page.count('<th scope="row">') == 50
    assert 'href="/?page=2"' in page
    assert get(ses, "/?page=2")[1].count('<th scope="row">') == 10
    assert get(ses, "/?to=p7@example.org")[1].count('<th scope="row">') == 1
    assert "not an email address" in get(ses, "/?to=%3Cscript%3E")[1]
    status, page = get(ses, f"/messages/{ids[-1]}")
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert "<script" not in page
    assert "&lt;script&gt;alert(&#39;&#34;&#39;)&lt;/script&gt;" in page
    assert "was let go" in get(ses, f"/messages/{ids[0]}")[1]
    assert get(ses, "/messages/none")[0] == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "rebound.example.com"}, 403),
        ({"Origin": "https://example.com"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "localhost:8025", "Origin": "http://localhost:8025"}, 200),
    ],
)
def test_foreign_pages_cannot_read_the_inbox(ses: LocalSes, headers: dict[str, str], status: int) -> None:
    assert get(ses, "/inbox.json", **headers)[0] == status


@pytest.mark.parametrize("query", ["to=nobody", "limit=x", "offset=-1", "at_least=-1", "seconds=x", "limit=-1"])
def test_a_wrong_query_is_told(ses: LocalSes, query: str) -> None:
    assert get(ses, f"/inbox.json?{query}")[0] == 400
