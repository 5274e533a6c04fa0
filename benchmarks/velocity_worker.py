"""A worker that serves velocity-v1 until it is ended: `python -m benchmarks.velocity_worker ALERT_FRACTION`.

Its settings are those of any worker, in the environment; the fraction says of how many events it makes an alert.
"""

import sys

from benchmarks.contenders import serve_velocity

if __name__ == "__main__":
    serve_velocity(float(sys.argv[1]))
