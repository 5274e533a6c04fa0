import base64

import pytest

from stream.forward.webhook_signature import signature, signature_headers, signing_key

PUBLISHED_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_published_example_is_signed_as_published() -> None:
    """The test vector of Standard Webhooks' libraries: the same identity, time, body and secret, the same signature."""
    key = signing_key(PUBLISHED_SECRET)
    found = signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_identity_time_and_body_are_all_signed() -> None:
    """A change of any of them changes the signature."""
    key = signing_key(PUBLISHED_SECRET)
    signed = {signature(key, *one) for one in (("a", 1, b"x"), ("b", 1, b"x"), ("a", 2, b"x"), ("a", 1, b"y"))}
    assert len(signed) == 4


def test_without_a_key_there_is_no_signature() -> None:
    """Identity and time are told all the same."""
    assert signature_headers(None, "a1", 5, b"x") == {"webhook-id": "a1", "webhook-timestamp": "5"}
    assert signature_headers(b"k" * 24, "a1", 5, b"x")["webhook-signature"].startswith("v1,")


@pytest.mark.parametrize(
    ("secret", "told"),
    [
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "does not begin"),
        ("whsec_not*base64", "base64"),
        ("whsec_" + base64.b64encode(bytes(23)).decode(), "23 bytes, not 24 to 64"),
        ("whsec_" + base64.b64encode(bytes(65)).decode(), "65 bytes, not 24 to 64"),
    ],
)
def test_a_secret_of_no_use_is_refused_and_not_told(secret: str, told: str) -> None:
    """The error says what is wrong, and holds nothing of the secret."""
    with pytest.raises(ValueError, match=told) as refused:
        signing_key(secret)
    assert secret.removeprefix("whsec_") not in str(refused.value)
