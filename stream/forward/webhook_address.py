"""Which addresses alerts may be sent to, and how much of one may be shown."""

from urllib.parse import urlsplit

from stream.loopback import is_loopback


def check_address(url: str, *, plain_http: bool) -> None:
    """Raise ValueError, with the remedy, for an address that alerts must not be sent to.

    It must be https. Plain http is let through to this machine itself, and anywhere with `plain_http`.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as wrong:
        raise ValueError(f"is no URL ({wrong}): give one such as https://alerts.example.com/riskstream") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("is no URL of a web server: give one such as https://alerts.example.com/riskstream")
    if parts.username is not None or parts.password is not None:
        raise ValueError(
            "holds a user or password, which every list of processes shows: leave it out, and let the "
            "receiver verify the signature"
        )
    if parts.scheme == "http" and not plain_http and not is_loopback(host):
        raise ValueError("would send alerts in plain text: use https, or --plain-http in a network that you trust")


def shown_address(url: str) -> str:
    """Return scheme, host and port alone, since paths and queries may hold a secret.

    >>> shown_address("https://hooks.example.com:8443/T0/secret?token=abc")
    'https://hooks.example.com:8443'
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
