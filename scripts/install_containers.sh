#!/bin/sh
# See that buildah and debootstrap are there, for the tests of the container image; install them on Debian as root.
set -eu

all_there() {
  for program in buildah debootstrap unshare chroot; do
    command -v "$program" >/dev/null || return 1
  done
}

if all_there; then
  exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "error: the tests build and run the container image, which needs Debian, root, buildah and debootstrap" >&2
  exit 1
fi
apt-get update -q
# Of the two programs that can run containers, crun or runc, the second is asked for: builds need neither.
DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends buildah debootstrap runc
all_there
