import pytest

from stream.forward.webhook_address import check_address, shown_address


@pytest.mark.parametrize(
    "url",
    [
        *("https://alerts.example.com/riskstream?token=x", "https://[2001:db8::1]:8443/", "http://localhost:9000/x"),
        *("http://127.0.0.1/", "http://127.9.9.9:80/x", "http://[::1]:8000/"),
    ],
)
def test_https_and_this_machine_are_good(url: str) -> None:
    """Nothing is raised."""
    check_address(url, plain_http=False)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("alerts.example.com/x", "no URL"),
        ("ftp://alerts.example.com/", "no URL"),
        ("https:///path", "no URL"),
        ("https://a:99999/", "no URL"),
        ("https://[::1/", "no URL"),
        ("https://user:word@alerts.example.com/", "user or password"),
        ("https://user@alerts.example.com/", "user or password"),
        ("http://alerts.example.com/", "plain text"),
        ("http://10.0.0.7/", "plain text"),
        ("http://localhost.example.com/", "plain text"),
    ],
)
def test_other_addresses_are_refused(url: str, told: str) -> None:
    """The error says why."""
    with pytest.raises(ValueError, match=told):
        check_address(url, plain_http=False)


def test_plain_text_wants_to_be_asked_for() -> None:
    """It is good then, anywhere; a password is not."""
    check_address("http://10.0.0.7/", plain_http=True)
    with pytest.raises(ValueError, match="password"):
        check_address("http://a:b@10.0.0.7/", plain_http=True)


def test_paths_and_queries_are_not_shown() -> None:
    """They may hold a secret."""
    assert shown_address("https://hooks.example.com/T0/B0/secret?sig=abc#x") == "https://hooks.example.com"
