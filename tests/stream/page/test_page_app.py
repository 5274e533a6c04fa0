import json
import socket
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from pydantic import SecretStr

from stream.page.feed import MOST_CLIENTS
from stream.settings import Settings
from tests.page_messages import alert
from tests.served_page import ServedPage, read, served_page

TOKEN = "correct-horse-battery"


@pytest.fixture(scope="module")
def served() -> Iterator[ServedPage]:
    """Give a page with 30 alerts."""
    with served_page() as page:
        page.publish(*(alert(at) for at in range(30)))
        yield page


def get(served: ServedPage, path: str, **headers: str) -> tuple[int, Any]:
    """Return the status and the JSON of an answer."""
    status, _, body = read(served.url + path, **headers)
    return status, json.loads(body)


@pytest.mark.parametrize("path", ["/", "/login", "/static/page.css", "/api/alerts", "/api/nothing", "/live", "/events"])
def test_every_answer_protects_its_reader(served: ServedPage, path: str) -> None:
    """The policy admits own scripts and styles alone, nothing is sniffed, framed, referred or kept without asking."""
    if path == "/events":
        with urllib.request.urlopen(served.url + path, timeout=10) as reply:
            headers = dict(reply.headers)
    else:
        _, headers, _ = read(served.url + path)
    policy = headers["Content-Security-Policy"]
    for rule in ("default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"):
        assert rule in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cache-Control"] == ("no-cache" if path.startswith("/static") else "no-store")
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Python" not in headers["Server"]


def test_alerts_are_given_by_the_page_and_filtered(served: ServedPage) -> None:
    """Pages go back from the newest; filters and limits hold; what cannot be names field, value and remedy."""
    status, first = get(served, "/api/alerts?limit=20")
    assert (status, len(first["alerts"]), first["kept"]) == (200, 20, 30)
    _, second = get(served, f"/api/alerts?limit=20&before={first['before']}")
    assert [int(row["alert_id"], 16) for row in first["alerts"] + second["alerts"]] == list(range(29, -1, -1))
    assert second["before"] is None
    _, found = get(served, "/api/alerts?entity=customer-00007&severity=medium")
    assert [row["entity_id"] for row in found["alerts"]] == ["customer-00007"]
    for query, field in (
        ("limit=0", "limit"),
        ("limit=x", "limit"),
        ("before=-1", "before"),
        ("severity=worst", "severity"),
    ):
        status, refused = get(served, f"/api/alerts?{query}")
        assert (status, refused["error"]["field"]) == (400, field)
        assert refused["error"]["remedy"]


def test_a_whole_alert_is_explained(served: ServedPage) -> None:
    """The alert is there as published, each feature beside what is usual, and the contributions add up."""
    status, detail = get(served, f"/api/alerts/{7:032x}")
    assert status == 200
    assert detail["alert"] == json.loads(msgspec.json.encode(alert(7)))
    assert detail["features"][0] == {"feature": "amount", "value": 412.0, "usual_value": 37.2, "contribution": 0.41}
    assert detail["sum"]["holds"] is True
    assert "the alert came of small 0123456789ab" in detail["note"]
    status, missing = get(served, "/api/alerts/none")
    assert (status, missing["error"]["field"], missing["error"]["value"]) == (404, "id", "none")


def test_a_score_that_does_not_add_up_is_told() -> None:
    """Contributions that miss the score are said to."""
    with served_page() as served:
        served.publish(msgspec.structs.replace(alert(1), score=0.9))
        _, detail = get(served, f"/api/alerts/{1:032x}")
        assert detail["sum"]["holds"] is False
        assert detail["sum"]["missed"] == pytest.approx(0.2)


def test_symbols_and_their_bars_are_given(served: ServedPage) -> None:
    """Every symbol with its zone, and its bars with what was in force for each."""
    _, symbols = get(served, "/api/symbols")
    assert [one["symbol"] for one in symbols["symbols"]] == ["EURUSD", "USDJPY"]
    _, series = get(served, "/api/symbols/EURUSD/series")
    assert len(series["bars"]) == 120
    assert [at for at, bar in enumerate(series["bars"]) if bar["exceeded"]] == [40, 90]
    assert get(served, "/api/symbols/NONE/series")[0] == 404
    _, portfolios = get(served, "/api/portfolios")
    assert portfolios["portfolios"][0]["portfolio"] == "carry"


def test_history_wants_an_alert_on_who_is_asked_for(served: ServedPage) -> None:
    """A symbol has its bars; an alert of somebody else, an unknown kind and an unknown customer are refused."""
    _, symbol = get(served, "/api/entities/symbol/EURUSD/history")
    assert len(symbol["bars"]) == 120
    for path, status in (
        ("/api/entities/merchant/m/history", 404),
        ("/api/entities/customer/nobody/history", 404),
        (f"/api/entities/customer/customer-00001/history?alert={2:032x}", 400),
        ("/api/entities/customer/customer-00001/history?alert=none", 404),
    ):
        assert get(served, path)[0] == status, path
    status, failed = get(served, "/api/entities/customer/customer-00001/history")
    assert (status, failed["error"]["field"]) == (503, "history")


def test_the_servers_own_files_are_not_fetched_twice(served: ServedPage) -> None:
    """A file that the browser has is answered by 304; one that is not there, or not one of ours, by 404."""
    status, headers, body = read(served.url + "/static/page.css")
    assert (status, body[:2]) == (200, b"/*")
    assert read(served.url + "/static/page.css", If_None_Match=headers["ETag"])[0] == 304
    status, headers, body = read(served.url + "/static/page.css", Accept_Encoding="gzip")
    assert (headers["Content-Encoding"], body[:2]) == ("gzip", b"\x1f\x8b")
    for name in ("none.css", "..%2Fpage_app.py", "%2e%2e%2fapi.py", "__init__.py"):
        assert read(f"{served.url}/static/{name}")[0] == 404


def test_strangers_are_refused_by_the_server(served: ServedPage) -> None:
    """A foreign Host, Origin or site is answered by 403 and a reason, another method by 405."""
    assert get(served, "/api/alerts", Host="evil.example")[0] == 403
    assert get(served, "/api/alerts", Origin="http://evil.example")[0] == 403
    assert get(served, "/api/alerts", Sec_Fetch_Site="cross-site")[0] == 403
    request = urllib.request.Request(served.url + "/api/alerts", method="DELETE")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    assert refused.value.code == 405
    refused.value.close()


def test_with_a_token_nothing_is_told_without_it() -> None:
    """Documents lead to the login, data are refused; a bearer and a session are let in; probes are answered anyway."""
    with served_page(Settings(page_token=SecretStr(TOKEN))) as served:
        assert read(served.url + "/")[:2][0] == 303
        for path in ("/api/alerts", "/api/health", "/events", f"/api/alerts?token={TOKEN}"):
            assert get(served, path)[0] == 401
        for path in ("/live", "/login", "/static/page.css"):
            assert read(served.url + path)[0] == 200
        # Whoever holds the token may have another name for the page.
        assert get(served, "/api/alerts", Authorization=f"Bearer {TOKEN}", Host="risk.example")[0] == 200
        began = time.monotonic()
        assert log_in(served, "wrong")[0] == 403
        assert time.monotonic() - began >= 1.0
        status, headers = log_in(served, TOKEN)
        assert (status, headers["Location"]) == (303, "/")
        cookie = headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert TOKEN not in cookie
        assert get(served, "/api/alerts", Cookie=cookie.partition(";")[0])[0] == 200
        assert log_in(served, TOKEN, Origin="http://evil.example")[0] == 403
        assert log_in(served, "x" * 10_000)[0] in (403, 413)


def log_in(served: ServedPage, token: str, **headers: str) -> tuple[int, dict[str, str]]:
    """Send the form of the login; return status and headers."""
    form = urllib.parse.urlencode({"token": token}).encode()
    host, _, port = served.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), 10) as connection:
        lines = [
            "POST /login HTTP/1.1",
            f"Host: {host}:{port}",
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(form)}",
            "Connection: close",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + form)
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
    head = answer.split(b"\r\n\r\n")[0].decode().split("\r\n")
    return int(head[0].split()[1]), dict(line.split(": ", 1) for line in head[1:])


def test_readers_beyond_the_limit_are_told_to_come_later(served: ServedPage) -> None:
    """The stream of events is refused with 503 where there are too many, and given again when one has left."""
    host, _, port = served.url.removeprefix("http://").partition(":")
    request = f"GET /events HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode()
    readers = [socket.create_connection((host, int(port)), 10) for _ in range(MOST_CLIENTS)]
    for reader in readers:
        reader.sendall(request)
        assert b"200 OK" in reader.recv(4_096)
    assert get(served, "/events")[0] == 503
    for reader in readers:
        reader.close()
    deadline = time.monotonic() + 30
    while served.feed.log.clients and time.monotonic() < deadline:
        time.sleep(0.05)
    with urllib.request.urlopen(served.url + "/events", timeout=10) as reply:
        assert reply.status == 200
