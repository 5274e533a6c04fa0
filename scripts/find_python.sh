#!/bin/sh
# Print the path of a Python that can make our virtual environment: version 3.11 to 3.13, with venv and pip's installer.
set -eu

in_range='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
without_venv=''

old_ifs=$IFS
IFS=:
for name in python3.11 python3.12 python3.13 python3 python; do
  for folder in $PATH; do
    candidate="$folder/$name"
    [ -x "$candidate" ] || continue
    # A version manager's shim may exist and yet run nothing: believe only what runs.
    "$candidate" -c "$in_range" 2>/dev/null || continue
    if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
      echo "$candidate"
      exit 0
    fi
    without_venv=${without_venv:-$candidate}
  done
done
IFS=$old_ifs

if [ -z "$without_venv" ]; then
  echo "error: no Python 3.11, 3.12 or 3.13 on the PATH: install one, or name it: make PYTHON=/path/to/python3.11" >&2
  exit 1
fi
package=$("$without_venv" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "error: $without_venv has no venv and ensurepip: install them (Debian, Ubuntu: apt-get install $package)" >&2
  exit 1
fi
apt-get update -q >&2
apt-get install -q -y --no-install-recommends "$package" >&2
echo "$without_venv"
