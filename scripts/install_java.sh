#!/bin/sh
# See that java (17 or later) and mvn are there, for the real Kafka of the tests; install them on Debian as root.
set -eu

java_version() {
  java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p'
}

enough() {
  command -v mvn >/dev/null && command -v java >/dev/null && [ "$(java_version)" -ge 17 ]
}

if enough; then
  exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "error: the tests run a real Apache Kafka, which needs Java 17 or later and Maven: install them" >&2
  echo "       (Debian, Ubuntu: apt-get install default-jre-headless maven; macOS: brew install openjdk maven)" >&2
  exit 1
fi
apt-get update -q
DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends default-jre-headless maven
if ! enough; then
  echo "error: the tests need Java 17 or later, and this system's packages give version $(java_version)" >&2
  exit 1
fi
