import pytest

from stream.jobs_app import create_jobs_app
from stream.metrics import Metrics
from stream.settings import Settings


@pytest.mark.parametrize("seconds", [1.0, 10.0, 91.0, 300.0])
def test_every_session_timeout_that_settings_take_is_one_that_faust_takes(seconds: float) -> None:
    """Faust's consumer refuses to start where a session may last longer than a request."""
    app = create_jobs_app(Settings(session_timeout_seconds=seconds), (), Metrics(1))
    assert app.conf.broker_session_timeout == seconds
    assert app.conf.broker_request_timeout >= seconds
