import pytest
from pydantic import SecretStr

from stream.page.access import COOKIE, MOST_SESSIONS, Access, AccessError
from stream.page.request_error import RequestError
from stream.settings import Settings

TOKEN = "correct-horse-battery"


@pytest.mark.parametrize(
    ("host", "token", "guarded"),
    [
        ("0.0.0.0", TOKEN, False),
        ("10.0.0.1", "", True),
        ("127.0.0.2", "", False),
        ("::1", "", False),
        ("localhost", "", False),
    ],
)
def test_a_page_that_strangers_cannot_read_may_be_served(host: str, token: str, guarded: bool) -> None:
    """On loopback, with a token, or where the settings say that only this machine gets there."""
    Access(Settings(page_host=host, page_token=SecretStr(token), page_guarded=guarded))


@pytest.mark.parametrize(
    ("host", "token", "named"),
    [
        ("0.0.0.0", "", "RISKSTREAM_PAGE_HOST"),
        ("example.org", "", "RISKSTREAM_PAGE_HOST"),
        ("127.0.0.1", "short", "PAGE_TOKEN"),
    ],
)
def test_a_page_for_strangers_is_refused(host: str, token: str, named: str) -> None:
    """The error names the variable and the remedy, and never the token."""
    with pytest.raises(AccessError, match=named) as refused:
        Access(Settings(page_host=host, page_token=SecretStr(token)))
    assert "short" not in str(refused.value)


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "LOCALHOST:1", "[::1]:8080", "127.0.0.1"])
def test_this_machines_own_names_are_answered(host: str) -> None:
    """Without a token the page is asked for by a name of loopback, whatever the port."""
    Access(Settings()).check("GET", "/api/alerts", {"Host": host})


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:8080",
        "127.0.0.1.evil.example",
        "localhost.evil.example:8080",
        "",
        "[::2]:8080",
        "evil",
        "0.0.0.0:80",
    ],
)
def test_a_strangers_name_for_this_machine_is_refused(host: str) -> None:
    """A name that a stranger's DNS leads here must not open the page (DNS rebinding)."""
    with pytest.raises(RequestError) as refused:
        Access(Settings()).check("GET", "/", {"Host": host})
    assert (refused.value.status, refused.value.field) == (403, "Host")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:3000"},
        {"Origin": "null"},
    ],
)
@pytest.mark.parametrize("token", ["", TOKEN])
def test_what_another_sites_page_asks_for_is_refused(headers: dict[str, str], token: str) -> None:
    """Another site, or another port of this machine, gets nothing, with a token or without."""
    access = Access(Settings(page_token=SecretStr(token)))
    for path in ("/api/alerts", "/events", "/login"):
        with pytest.raises(RequestError) as refused:
            access.check("GET", path, {"Host": "127.0.0.1:8080"} | headers)
        assert refused.value.status == 403


def test_a_link_from_elsewhere_leads_to_the_page() -> None:
    """Following a link is no reading by the other site."""
    headers = {"Host": "127.0.0.1:8080", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    Access(Settings()).check("GET", "/", headers)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/"), ("PUT", "/login"), ("DELETE", "/api/alerts"), ("OPTIONS", "/")]
)
def test_only_reading_is_possible(method: str, path: str) -> None:
    """Every method but GET and HEAD is refused, save for the form of the login."""
    access = Access(Settings())
    with pytest.raises(RequestError) as refused:
        access.check(method, path, {"Host": "127.0.0.1"})
    assert refused.value.status == 405
    access.check("POST", "/login", {"Host": "127.0.0.1", "Origin": "http://127.0.0.1"})


def test_a_reader_is_known_by_session_or_by_bearer() -> None:
    """The token as a bearer, or a session that it opened; nothing else, and not the token as a cookie."""
    access = Access(Settings(page_token=SecretStr(TOKEN)))
    assert access.knows({"Authorization": f"Bearer {TOKEN}"}, {})
    for headers, cookies in (
        ({}, {}),
        ({"Authorization": "Bearer "}, {}),
        ({"Authorization": f"Bearer {TOKEN}x"}, {}),
        ({"Authorization": f"Basic {TOKEN}"}, {}),
        ({"Authorization": "Bearer \u00e9\udcff"}, {}),
        ({}, {COOKIE: TOKEN}),
        ({}, {COOKIE: ""}),
    ):
        assert not access.knows(headers, cookies)
    assert access.knows({}, {COOKIE: access.new_session()})


def test_sessions_end_and_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session is over after its time, and the oldest goes where there are too many."""
    access = Access(Settings(page_token=SecretStr(TOKEN)))
    first = access.new_session()
    last = [access.new_session() for _ in range(MOST_SESSIONS)][-1]
    assert not access.knows({}, {COOKIE: first})
    assert access.knows({}, {COOKIE: last})
    monkeypatch.setattr("time.monotonic", lambda: 1e12)
    assert not access.knows({}, {COOKIE: last})
