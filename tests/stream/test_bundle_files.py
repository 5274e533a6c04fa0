"""A worker finds its bundle on disk, or says why not."""

import shutil
from pathlib import Path

import msgspec
import pytest

from risk.bundle import MODEL_FILE, BundleError
from stream.bundle_files import read_any_bundle, read_bundle, read_table_bundle
from tests.small_bundle import small_bundle
from tests.small_table_bundle import write_small_table_bundle
from training.bundle_files import write_bundle

SMALL = small_bundle()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give the folder of a bundle's version."""
    return write_bundle(tmp_path, SMALL.manifest, model=SMALL.model, golden=SMALL.golden)


def test_a_bundle_is_read_by_its_version_and_by_its_name(folder: Path) -> None:
    """Both paths lead to the one version there is."""
    assert read_bundle(folder).version == folder.name
    assert read_bundle(folder.parent).version == folder.name


def test_hidden_files_are_nobodys_business(folder: Path) -> None:
    """What a file manager or an unfinished write leaves behind does no harm."""
    (folder / ".DS_Store").write_bytes(b"x")
    shutil.copytree(folder, folder.parent / ".unfinished-x")
    assert read_bundle(folder.parent).version == folder.name


def test_of_two_versions_one_must_be_named(folder: Path) -> None:
    """A name that holds two versions is refused, and both are listed."""
    manifest = msgspec.structs.replace(SMALL.manifest, command="riskstream train --seed 2")
    other = write_bundle(folder.parents[1], manifest, model=SMALL.model, golden=SMALL.golden)
    with pytest.raises(BundleError, match=", ".join(sorted([folder.name, other.name]))):
        read_bundle(folder.parent)


def test_a_path_without_a_bundle_is_refused(tmp_path: Path) -> None:
    """A folder that is absent or empty says what to name instead."""
    with pytest.raises(BundleError, match="absent, which is not there"):
        read_bundle(tmp_path / "absent")
    with pytest.raises(BundleError, match="versions in it: none"):
        read_bundle(tmp_path)


def test_a_changed_file_is_refused(folder: Path) -> None:
    """One byte more is another file."""
    with (folder / MODEL_FILE).open("ab") as model:
        model.write(b"\0")
    with pytest.raises(BundleError, match=r"sha256 of model\.onnx"):
        read_bundle(folder)


def test_a_folder_not_named_by_its_content_is_refused(folder: Path) -> None:
    """A manifest edited by hand no longer fits the name of its folder."""
    manifest = folder / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"EUR"', b'"USD"'))
    with pytest.raises(BundleError, match="folder name"):
        read_bundle(folder)


def test_each_kind_of_bundle_is_told_from_the_other(folder: Path, tmp_path: Path) -> None:
    """A bundle opens as what it is, and is refused as what it is not."""
    table = write_small_table_bundle(tmp_path / "tables", scorecard=True)
    assert read_any_bundle(folder).version == read_bundle(folder).version
    assert read_any_bundle(table).version == read_table_bundle(table).version
    with pytest.raises(BundleError, match="scores rows of a table"):
        read_bundle(table)
    with pytest.raises(BundleError, match="scores transactions"):
        read_table_bundle(folder)
