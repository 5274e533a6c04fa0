"""Reads a bundle from disk; what it must hold is decided in `risk/bundle.py`."""

from pathlib import Path

from risk.bundle import MANIFEST_FILE, Bundle, BundleError, open_bundle


def read_bundle(path: Path) -> Bundle:
    """Return the verified bundle in a folder.

    `path` is the folder of a version, `bundles/<name>/<version>`, or `bundles/<name>` while that holds one version.
    Raises BundleError when there is no bundle or more than one, when the folder is not named by its content, and for
    all that `open_bundle` refuses.
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
    bundle = open_bundle(files)
    named = folder.resolve().name
    if named != bundle.version:
        raise BundleError("folder name", named, f"copy it again: its content is that of version {bundle.version}")
    return bundle


def _only_version(path: Path) -> Path:
    if not path.is_dir():
        raise BundleError("folder", f"{path}, which is not there", "name the folder of a bundle")
    versions = sorted(manifest.parent for manifest in path.glob(f"[!.]*/{MANIFEST_FILE}"))
    if len(versions) != 1:
        found = ", ".join(version.name for version in versions) or "none"
        raise BundleError("folder", path, f"name the folder of one version; versions in it: {found}")
    return versions[0]
