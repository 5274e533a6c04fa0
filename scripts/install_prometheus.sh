#!/bin/sh
# See that prometheus, promtool, alertmanager and amtool are there, for the tests of the monitoring; install them on
# Debian as root, without starting the services that come with the packages.
set -eu

all_there() {
  for program in prometheus promtool alertmanager amtool; do
    command -v "$program" >/dev/null || command -v "prometheus-$program" >/dev/null || return 1
  done
}

if all_there; then
  exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "error: the tests run a real Prometheus (2.42 or later) and Alertmanager (0.25 or later): install them" >&2
  echo "       (Debian, Ubuntu: apt-get install prometheus prometheus-alertmanager, then stop their services;" >&2
  echo "       macOS: brew install prometheus alertmanager)" >&2
  exit 1
fi
# This file keeps the package manager from starting daemons; one that is there already is its administrator's.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
fi
apt-get update -q
DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends prometheus prometheus-alertmanager
# Nor shall they start with the machine: the tests run their own, on ports of their own.
if command -v systemctl >/dev/null; then
  systemctl disable prometheus prometheus-alertmanager
fi
all_there
