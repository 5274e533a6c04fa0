"""A worker opens the bundles that its settings name, each of its kind."""

from collections.abc import Callable
from pathlib import Path

import pytest

from risk.bundle import BundleError
from stream.bundle_files import AnyBundle, read_any_bundle, read_bundle, read_market_bundle, read_table_bundle
from stream.bundles import read_bundles
from stream.settings import Settings
from tests.small_bundle import small_bundle
from tests.small_market_bundle import write_small_market_bundle
from tests.small_table_bundle import write_small_table_bundle
from training.bundle_files import write_bundle

READERS: dict[str, Callable[[Path], AnyBundle]] = {
    "transactions": read_bundle,
    "table": read_table_bundle,
    "market": read_market_bundle,
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Give the folder of a bundle of each kind."""
    root, small = tmp_path_factory.mktemp("bundles"), small_bundle()
    return {
        "transactions": write_bundle(root, small.manifest, model=small.model, golden=small.golden),
        "table": write_small_table_bundle(root, scorecard=True),
        "market": write_small_market_bundle(root / "markets"),
    }


def settings(**variables: object) -> Settings:
    """Return settings, whatever the environment holds."""
    return Settings.model_validate({"bundle": "nowhere"} | variables)


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("wanted", READERS)
def test_each_kind_is_refused_where_another_is_wanted(folders: dict[str, Path], kind: str, wanted: str) -> None:
    """A bundle opens as what it is; elsewhere the error tells its path, what it is, and what to name."""
    folder = folders[kind]
    if kind == wanted:
        assert READERS[wanted](folder).version == read_any_bundle(folder).version == folder.name
        return
    is_of = {"transactions": "scores transactions", "table": "scores rows of a table", "market": "is of markets"}
    remedy = {
        "transactions": "one that scores transactions",
        "table": "one that a recipe made of a table",
        "market": "one made by riskstream market train",
    }
    with pytest.raises(BundleError) as refused:
        READERS[wanted](folder)
    for told in (str(folder), is_of[kind], f"name {remedy[wanted]}"):
        assert told in str(refused.value)


def test_a_worker_has_the_bundles_that_are_named(folders: dict[str, Path]) -> None:
    """All three are there; those that are not named are not."""
    named = {"bundle": folders["transactions"]}
    alone = read_bundles(settings(**named))
    assert (alone.credit, alone.market, len(alone.all())) == (None, None, 1)
    every = read_bundles(
        settings(**named, credit_bundle=str(folders["table"]), market_bundle=str(folders["market"].parent))
    )
    assert [one.version for one in every.all()] == [folders[kind].name for kind in READERS]


@pytest.mark.parametrize(
    ("variable", "kind", "told"),
    [
        ("market_bundle", "transactions", "scores transactions"),
        ("market_bundle", "table", "riskstream market train"),
        ("market_bundle", None, "is not there"),
        ("credit_bundle", "market", "is of markets"),
    ],
)
def test_the_variable_of_a_wrong_bundle_is_named(
    folders: dict[str, Path], variable: str, kind: str | None, told: str
) -> None:
    """The error begins with the variable, so that one sees which to correct."""
    path = "elsewhere" if kind is None else str(folders[kind])
    with pytest.raises(BundleError) as refused:
        read_bundles(settings(bundle=folders["transactions"], **{variable: path}))
    assert f"RISKSTREAM_{variable.upper()}: " in str(refused.value)
    assert told in str(refused.value)


def test_a_changed_file_of_a_market_bundle_is_refused(folders: dict[str, Path], tmp_path: Path) -> None:
    """One byte more is another file; a name changed by hand is another version."""
    folder = write_small_market_bundle(tmp_path)
    graph = folder / "decay.onnx"
    content = graph.read_bytes()
    graph.write_bytes(content + b"\0")
    with pytest.raises(BundleError, match=r"sha256 of decay\.onnx"):
        read_market_bundle(folder)
    graph.write_bytes(content)
    manifest = folder / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"small"', b'"large"'))
    with pytest.raises(BundleError, match="folder name"):
        read_market_bundle(folder)
