"""Reads a bundle from disk; what it must hold is decided in `risk`, in a file for each kind."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from risk.bundle import MANIFEST_FILE, Bundle, BundleError, open_bundle
from risk.market.market_bundle import MarketBundle, open_market_bundle
from risk.table_bundle import TableBundle, open_table_bundle

AnyBundle = Bundle | TableBundle | MarketBundle


def read_bundle(path: Path) -> Bundle:
    """Return the verified bundle of transactions in a folder; raises as `read_any_bundle`, and for another kind."""
    bundle = read_any_bundle(path)
    if not isinstance(bundle, Bundle):
        raise BundleError("bundle", f"{path}, which {_purpose(bundle)}", "name one that scores transactions")
    return bundle


def read_table_bundle(path: Path) -> TableBundle:
    """Return the verified bundle of a table in a folder; raises as `read_any_bundle`, and for another kind."""
    bundle = read_any_bundle(path)
    if not isinstance(bundle, TableBundle):
        raise BundleError("bundle", f"{path}, which {_purpose(bundle)}", "name one that a recipe made of a table")
    return bundle


def read_market_bundle(path: Path) -> MarketBundle:
    """Return the verified bundle of markets in a folder; raises as `read_any_bundle`, and for another kind."""
    bundle = read_any_bundle(path)
    if not isinstance(bundle, MarketBundle):
        raise BundleError("bundle", f"{path}, which {_purpose(bundle)}", "name one made by riskstream market train")
    return bundle


def _purpose(bundle: AnyBundle) -> str:
    if isinstance(bundle, Bundle):
        return "scores transactions"
    return "scores rows of a table" if isinstance(bundle, TableBundle) else "is of markets"


def read_any_bundle(path: Path) -> AnyBundle:
    """Return the verified bundle in a folder, of whichever kind its manifest says.

    `path` is the folder of a version, `bundles/<name>/<version>`, or `bundles/<name>` while that holds one version.
    Raises BundleError when there is no bundle or more than one, when the folder is not named by its content, and for
    all that `open_bundle`, `open_table_bundle` and `open_market_bundle` refuse.
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
    bundle = _open(files)
    named = folder.resolve().name
    if named != bundle.version:
        raise BundleError("folder name", named, f"copy it again: its content is that of version {bundle.version}")
    return bundle


def _open(files: Mapping[str, bytes]) -> AnyBundle:
    try:
        found = msgspec.json.decode(files[MANIFEST_FILE])
    except (msgspec.DecodeError, UnicodeDecodeError):
        # What opens it says what is wrong with it.
        found = None
    match found.get("kind") if isinstance(found, dict) else None:
        case "table":
            return open_table_bundle(files)
        case "market":
            return open_market_bundle(files)
        case _:
            return open_bundle(files)


def _only_version(path: Path) -> Path:
    if not path.is_dir():
        raise BundleError("folder", f"{path}, which is not there", "name the folder of a bundle")
    versions = sorted(manifest.parent for manifest in path.glob(f"[!.]*/{MANIFEST_FILE}"))
    if len(versions) != 1:
        found = ", ".join(version.name for version in versions) or "none"
        raise BundleError("folder", path, f"name the folder of one version; versions in it: {found}")
    return versions[0]
