"""Signs requests by the Standard Webhooks convention, so that a receiver knows who sent them, when, and unchanged.

The specification: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac

SECRET_PREFIX = "whsec_"
KEY_BYTES = range(24, 65)


def signing_key(secret: str) -> bytes:
    """Return the key in a secret; raises ValueError, without telling the secret, where there is none.

    >>> len(signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
    24
    """
    if not secret.startswith(SECRET_PREFIX):
        raise ValueError(f"does not begin with {SECRET_PREFIX}")
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError(f"is not base64 after {SECRET_PREFIX}") from None
    if len(key) not in KEY_BYTES:
        raise ValueError(f"holds {len(key)} bytes, not {KEY_BYTES.start} to {KEY_BYTES.stop - 1}")
    return key


def signature(key: bytes, identity: str, time_seconds: int, body: bytes) -> str:
    """Return the value of the header `webhook-signature`: HMAC-SHA256 over identity, Unix time and body.

    >>> key = signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    >>> signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    signed = b".".join((identity.encode(), str(time_seconds).encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def signature_headers(key: bytes | None, identity: str, time_seconds: int, body: bytes) -> dict[str, str]:
    """Return the headers of a request: identity and time, and the signature where there is a key."""
    headers = {"webhook-id": identity, "webhook-timestamp": str(time_seconds)}
    if key is not None:
        headers["webhook-signature"] = signature(key, identity, time_seconds, body)
    return headers
