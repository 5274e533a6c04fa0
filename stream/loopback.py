"""Which names and addresses are this machine's own, seen from itself."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Tell whether a name or an address is this machine's own, seen from itself.

    >>> is_loopback("localhost"), is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
