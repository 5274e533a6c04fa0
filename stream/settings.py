"""Every setting of a worker, each with one name in the environment."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings, read from variables named RISKSTREAM_<FIELD>; the defaults suit one machine.

    >>> Settings(partitions=2).topic("alerts")
    'alerts'
    >>> Settings(topic_prefix="eu.").topic("alerts")
    'eu.alerts'
    """

    model_config = SettingsConfigDict(env_prefix="RISKSTREAM_", frozen=True, extra="forbid")

    broker: Annotated[str, Field(pattern=r"^[^/\s]+:\d+$")] = "127.0.0.1:9092"
    """Kafka bootstrap server, host:port."""

    application_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")] = "riskstream"
    """Consumer group and prefix of transactional ids; state goes by the topic prefix, so one group a prefix."""

    topic_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]*$")] = ""
    """Put before every topic's name."""

    partitions: Annotated[int, Field(ge=1, le=1024)] = 4
    """Partitions of every topic; fixed once the topics exist."""

    replication_factor: Annotated[int, Field(ge=1)] = 1
    """Copies of every partition."""

    bundle: Path = Path("bundles/demo")
    """Directory of the bundle that scores: a version, or a name that holds one version."""

    credit_bundle: str = ""
    """Directory of the bundle that decides on credit applications, likewise; none, and applications are not read."""

    market_bundle: str = ""
    """Directory of the bundle of markets, likewise; none, and ticks, rates and positions are not read."""

    checkpoint_interval_seconds: Annotated[float, Field(gt=0)] = 1.0
    """Time between the checkpoints of a partition."""

    session_timeout_seconds: Annotated[float, Field(ge=1, le=300)] = 10.0
    """How long a worker may be silent before its partitions go to the others."""

    instance_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]*$")] = ""
    """A name that this worker keeps over restarts, no other's: it then takes its partitions up again at once."""

    publish_scores: bool = False
    """Whether every scored event is published on the scores topic, not only alerts."""

    web_host: str = "127.0.0.1"
    """Address that /metrics, /live and /ready are served on."""

    web_port: Annotated[int, Field(ge=1, le=65535)] = 6066
    """Port that /metrics, /live and /ready are served on."""

    page_host: str = "127.0.0.1"
    """Address of the live page; another than this machine's own wants a token."""

    page_port: Annotated[int, Field(ge=1, le=65535)] = 8080
    """Port of the live page."""

    page_token: SecretStr = SecretStr("")
    """What a reader of the live page shows to be let in; none, and only this machine's own browsers are."""

    page_guarded: bool = False
    """Whether the page may listen beyond this machine without a token, since only it can get there: a container's
    port that is published on loopback alone."""

    workers: Annotated[str, Field(pattern=r"^[^/\s,]+:\d+(,[^/\s,]+:\d+)*$")] = "127.0.0.1:6066"
    """Where the live page asks workers how they are, host:port, by commas; a name of many addresses is all of them."""

    monitor_host: str = "127.0.0.1"
    """Address that the monitor's /metrics are served on."""

    monitor_port: Annotated[int, Field(ge=1, le=65535)] = 6067
    """Port that the monitor's /metrics are served on."""

    monitor_window_days: Annotated[float, Field(gt=0, le=366)] = 30.0
    """How far back, in event time, the monitor holds alerts and scores against their labels."""

    webhook_secret: SecretStr = SecretStr("")
    """What `riskstream forward webhook` signs with: whsec_ and, in base64, 24 to 64 bytes that nobody can guess."""

    symbol_label_limit: Annotated[int, Field(ge=1)] = 50
    """How many symbols get a volatility series in the metrics."""

    log_level: Annotated[str, Field(pattern=r"^(debug|info|warning|error)$")] = "info"
    """Least severe level that is logged."""

    def topic(self, name: str) -> str:
        """Return a topic's full name."""
        return self.topic_prefix + name
