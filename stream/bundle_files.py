"""Reads a bundle from disk; what it must hold is decided in `risk/bundle.py` and `risk/table_bundle.py`."""

from pathlib import Path

import msgspec

from risk.bundle import MANIFEST_FILE, Bundle, BundleError, open_bundle
from risk.table_bundle import TableBundle, open_table_bundle
from stream.settings import Settings


def read_bundle(path: Path) -> Bundle:
    """Return the verified bundle of transactions in a folder; raises as `read_any_bundle`, and for one of a table."""
    bundle = read_any_bundle(path)
    if isinstance(bundle, TableBundle):
        raise BundleError("bundle", f"{path}, which scores rows of a table", "name one that scores transactions")
    return bundle


def read_table_bundle(path: Path) -> TableBundle:
    """Return the verified bundle of a table in a folder; raises as `read_any_bundle`, and for one of transactions."""
    bundle = read_any_bundle(path)
    if isinstance(bundle, Bundle):
        raise BundleError("bundle", f"{path}, which scores transactions", "name one that a recipe made of a table")
    return bundle


def read_credit_bundle(settings: Settings) -> TableBundle | None:
    """Return the verified bundle that decides on applications, None where the settings name none.

    Raises BundleError as `read_table_bundle`, its message beginning with the variable.
    """
    if not settings.credit_bundle:
        return None
    try:
        return read_table_bundle(Path(settings.credit_bundle))
    except BundleError as wrong:
        raise BundleError(f"RISKSTREAM_CREDIT_BUNDLE: {wrong.field}", wrong.value, wrong.remedy) from wrong


def read_any_bundle(path: Path) -> Bundle | TableBundle:
    """Return the verified bundle in a folder, of whichever kind its manifest says.

    `path` is the folder of a version, `bundles/<name>/<version>`, or `bundles/<name>` while that holds one version.
    Raises BundleError when there is no bundle or more than one, when the folder is not named by its content, and for
    all that `open_bundle` and `open_table_bundle` refuse.
    """
    folder = path if (path / MANIFEST_FILE).is_file() else _only_version(path)
    try:
        files = {
            file.name: file.read_bytes()
            for file in folder.iterdir()
            if file.is_file() and not file.name.startswith(".")
        }
    except OSError as error:
        raise BundleError("folder", folder, f"let this user read it ({error})") from error
    bundle = open_table_bundle(files) if _is_of_a_table(files[MANIFEST_FILE]) else open_bundle(files)
    named = folder.resolve().name
    if named != bundle.version:
        raise BundleError("folder name", named, f"copy it again: its content is that of version {bundle.version}")
    return bundle


def _is_of_a_table(manifest: bytes) -> bool:
    try:
        found = msgspec.json.decode(manifest)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # What opens it says what is wrong with it.
        return False
    return isinstance(found, dict) and found.get("kind") == "table"


def _only_version(path: Path) -> Path:
    if not path.is_dir():
        raise BundleError("folder", f"{path}, which is not there", "name the folder of a bundle")
    versions = sorted(manifest.parent for manifest in path.glob(f"[!.]*/{MANIFEST_FILE}"))
    if len(versions) != 1:
        found = ", ".join(version.name for version in versions) or "none"
        raise BundleError("folder", path, f"name the folder of one version; versions in it: {found}")
    return versions[0]
