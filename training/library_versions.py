"""Which releases a bundle was made with."""

from importlib.metadata import PackageNotFoundError, version

LIBRARIES = (
    *("numpy", "onnxruntime", "onnx", "scikit-learn", "lightgbm", "xgboost", "xgboost-cpu"),
    *("keras", "tensorflow-cpu", "tensorflow", "arch"),
)


def library_versions() -> dict[str, str]:
    """Return the version of each library that is installed, by name.

    >>> "numpy" in library_versions()
    True
    """
    found = {}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found
