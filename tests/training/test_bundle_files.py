"""A bundle is written whole, once, and under the hash of its content."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from risk.bundle import GOLDEN_FILE, MANIFEST_FILE, MODEL_FILE, BundleError, open_bundle
from risk.explainer import EXPLANATION_FILE
from tests.small_bundle import SmallBundle, small_bundle
from training.bundle_files import golden_of, write_bundle

SMALL = small_bundle()


def write(root: Path, bundle: SmallBundle = SMALL) -> Path:
    """Write the small bundle."""
    return write_bundle(root, bundle.manifest, model=bundle.model, golden=bundle.golden, explanation=bundle.explanation)


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file under a folder by its path."""
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def test_a_bundle_lies_under_its_name_and_version(tmp_path: Path) -> None:
    """The folder is <name>/<version>, and its files open as that version."""
    folder = write(tmp_path)
    files = contents(folder)
    assert set(files) == {MANIFEST_FILE, MODEL_FILE, GOLDEN_FILE, EXPLANATION_FILE}
    assert folder == tmp_path / "small" / open_bundle(files).version


def test_equal_arguments_give_equal_bytes_anywhere(tmp_path: Path) -> None:
    """Two roots get the same tree."""
    write(tmp_path / "one")
    write(tmp_path / "two", small_bundle())
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_bundle_that_is_there_is_left_alone(tmp_path: Path) -> None:
    """Writing again changes nothing, not even the time of a file."""
    folder = write(tmp_path)
    before = {one.name: one.stat().st_mtime_ns for one in folder.iterdir()}
    assert write(tmp_path) == folder
    assert {one.name: one.stat().st_mtime_ns for one in folder.iterdir()} == before
    assert [one.name for one in folder.parent.iterdir()] == [folder.name]


def test_another_manifest_is_another_version(tmp_path: Path) -> None:
    """A change of one threshold gives a folder of its own beside the first."""
    thresholds = msgspec.structs.replace(SMALL.manifest.thresholds, review=0.4)
    other = replace(SMALL, manifest=msgspec.structs.replace(SMALL.manifest, thresholds=thresholds))
    assert write(tmp_path) != write(tmp_path, other)
    assert len(list((tmp_path / "small").iterdir())) == 2


def test_a_bundle_that_could_not_be_served_is_not_written(tmp_path: Path) -> None:
    """What the worker would refuse, training refuses, and leaves no trace."""
    other = replace(SMALL, golden=replace(SMALL.golden, score=SMALL.golden.score + 0.1))
    with pytest.raises(BundleError, match="golden row 0"):
        write(tmp_path, other)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk fills up after the first file, no part of a bundle stays."""
    calls = 0

    def full(_descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write(tmp_path)
    assert contents(tmp_path) == {}
    assert list((tmp_path / "small").iterdir()) == []


def test_two_writers_of_one_bundle_both_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When another process finishes the same bundle first, its folder is returned."""
    rename = Path.rename

    def overtaken(unfinished: Path, folder: Path) -> Path:
        monkeypatch.setattr(Path, "rename", rename)
        assert write(tmp_path) == folder
        return rename(unfinished, folder)

    monkeypatch.setattr(Path, "rename", overtaken)
    folder = write(tmp_path)
    assert [one.name for one in (tmp_path / "small").iterdir()] == [folder.name]
    assert set(contents(folder)) == {MANIFEST_FILE, MODEL_FILE, GOLDEN_FILE, EXPLANATION_FILE}


def test_golden_rows_are_what_serving_makes_of_raw_ones() -> None:
    """Golden scores are those of the normalised rows, and the model's own."""
    golden = golden_of(SMALL.model, SMALL.manifest.normaliser, SMALL.golden.raw, SMALL.golden.event_time_ns)
    centre, scale = (np.array(one) for one in (SMALL.manifest.normaliser.centre, SMALL.manifest.normaliser.scale))
    np.testing.assert_allclose(golden.normalised, (golden.raw - centre) / scale, rtol=1e-12, atol=1e-12)
    assert golden.score.min() < 0.5 < golden.score.max()
