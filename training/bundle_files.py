"""Writes a bundle to disk: whole or not at all, under the hash of its content, and never over another."""

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec
import numpy as np
import numpy.typing as npt

from risk.bundle import GOLDEN_FILE, MANIFEST_FILE, MODEL_FILE, normaliser_from, open_bundle
from risk.golden import Golden, golden_bytes
from risk.manifest import Manifest, NormaliserStatistics, manifest_bytes
from risk.market.market_bundle import MarketManifest, market_manifest_bytes, open_market_bundle
from risk.scorer import Scorer

GOLDEN_ROWS = 256
NOTHING: Mapping[str, bytes] = MappingProxyType({})


def golden_of(
    model: bytes,
    statistics: NormaliserStatistics,
    raw: npt.NDArray[np.float64],
    event_time_ns: npt.NDArray[np.int64],
) -> Golden:
    """Return golden rows of a model: what serving makes of raw features float64[n, F] at times int64[n].

    Rows are in order of time; GOLDEN_ROWS of them are plenty.
    """
    normalised = normaliser_from(statistics).advance(raw, event_time_ns)
    return Golden(raw, event_time_ns, normalised, Scorer(model).score(normalised))


def write_bundle(
    root: Path,
    manifest: Manifest,
    *,
    model: bytes,
    golden: Golden,
    explanation: Mapping[str, bytes] = NOTHING,
) -> Path:
    """Write a bundle and return its folder, `root/<name>/<version>`.

    `explanation` are the files of `training.explanation`, by name; without any, scores are explained by scoring. The
    manifest's `files` are filled in here. Equal arguments give the same folder and bytes; a bundle that is there
    already is left as it is. A reader, and a crash, see the whole bundle or none. Raises BundleError, and writes
    nothing, when the bundle could not be opened again; OSError when it cannot be written.
    """
    files = {MODEL_FILE: model, GOLDEN_FILE: golden_bytes(golden), **explanation}
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    files[MANIFEST_FILE] = manifest_bytes(msgspec.structs.replace(manifest, files=hashes))
    return write_folder(root / manifest.name / open_bundle(files).version, files)


def write_market_bundle(root: Path, manifest: MarketManifest, files: Mapping[str, bytes], golden: bytes) -> Path:
    """Write a bundle of markets from its parameters and graphs, by name; returns and raises as `write_bundle`."""
    whole = {GOLDEN_FILE: golden, **files}
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in whole.items()}
    whole[MANIFEST_FILE] = market_manifest_bytes(msgspec.structs.replace(manifest, files=hashes))
    return write_folder(root / manifest.name / open_market_bundle(whole).version, whole)


def write_folder(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files by name into a folder, which is returned: whole or not at all, and never over one that is there.

    Raises OSError when it cannot be written.
    """
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=folder.parent))
    try:
        for name, content in files.items():
            _write_durably(unfinished / name, content)
        unfinished.chmod(0o755)  # mkdtemp lets nobody else read
        _make_durable(unfinished)
        try:
            unfinished.rename(folder)
        except OSError:
            # Another process may have written the same bundle first: a folder with content cannot be renamed over.
            if not folder.exists():
                raise
        _make_durable(folder.parent)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _make_durable(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        # Some file systems cannot sync a folder; they have nothing to make durable.
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
