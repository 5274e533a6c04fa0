"""Keeps ONNX Runtime from reporting what it runs to its makers: import it before anything that may load that.

Its library reads the variable as it is loaded, and opens a store of events under the user's cache without it.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
