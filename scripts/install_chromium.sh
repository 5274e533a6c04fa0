#!/bin/sh
# See that chromium is there, in which the tests look at the live page; install it on Debian as root.
set -eu

if command -v chromium >/dev/null; then
  exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "error: the tests look at the live page in Chromium: install it, by the name chromium on the PATH" >&2
  echo "       (Debian: apt-get install chromium; macOS: brew install --cask chromium)" >&2
  exit 1
fi
apt-get update -q
DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends chromium fonts-dejavu-core
if ! chromium --version; then
  echo "error: this system's package of chromium does not run" >&2
  exit 1
fi
