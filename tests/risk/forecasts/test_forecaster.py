import msgspec
import pytest

from risk.forecasts.forecaster import Forecaster, Forecasters


def entry(**changed: object) -> Forecaster:
    """Return a valid entry, some of whose fields are changed."""
    fields: dict[str, object] = {
        "model": "arima",
        "key": "*",
        "kind": "arima",
        "description": "ARIMA(0,1,1)",
        "file": "arima.onnx",
        "value": "change",
        "scaling": "running",
        "start": (0.0,),
    }
    return msgspec.convert(fields | changed, Forecaster)


def forecasters(*entries: Forecaster, deviations: dict[str, float] | None = None) -> Forecasters:
    """Return the parameters with these entries."""
    return Forecasters(horizon_bars=2, deviations=deviations or {"*": 1.0}, forecasters=entries)


def test_forecasters_survive_their_stored_form() -> None:
    """Encoded and decoded, the parameters are what they were."""
    before = forecasters(entry(), entry(key="X", value="level", scaling="fixed"), entry(model="gru", kind="gru"))
    assert msgspec.json.decode(msgspec.json.encode(before), type=Forecasters) == before
    assert before.models() == ("arima", "gru")


def test_an_unknown_field_is_refused() -> None:
    """A field that this version does not know is an error that names it."""
    content = msgspec.json.encode(forecasters(entry())).replace(b"horizon_bars", b"horizon_days")
    with pytest.raises(msgspec.ValidationError, match="horizon_days"):
        msgspec.json.decode(content, type=Forecasters)


def test_a_model_without_a_pooled_entry_is_refused() -> None:
    """Every model has an entry for keys that training did not see."""
    with pytest.raises(ValueError, match=r"\['gru'\] lack the pooled entry"):
        forecasters(entry(), entry(model="gru", key="X"))
    with pytest.raises(ValueError, match=r"deviations .* lack the pooled entry"):
        forecasters(entry(), deviations={"X": 1.0})


def test_an_entry_twice_is_refused() -> None:
    """A model has one entry of a key."""
    with pytest.raises(ValueError, match="are there twice"):
        forecasters(entry(), entry(file="other.onnx"))


def test_a_level_is_never_scaled() -> None:
    """A level divided by the deviation of its changes would mean nothing."""
    with pytest.raises(ValueError, match="a level has no scale"):
        entry(value="level")
    with pytest.raises(ValueError, match="start is empty"):
        entry(start=())
