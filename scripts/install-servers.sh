#!/usr/bin/env bash
# Install the real servers that the tests start for themselves: mosquitto, InfluxDB 1.x and Slurm (with munge; and
# openssl, for TLS).
# Needs root on Debian; elsewhere it says what is missing and leaves it at that: the tests that need a server are then
# skipped, each with a line saying how to get it (with CI=true they fail). Nothing is enabled or started here.
set -euo pipefail

# Servers lie in sbin, which is not in every user's PATH.
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

missing=()
command -v mosquitto >/dev/null || missing+=(mosquitto)
command -v influxd >/dev/null || missing+=(influxdb)
command -v openssl >/dev/null || missing+=(openssl)
command -v slurmctld >/dev/null || missing+=(slurm-wlm)
command -v munged >/dev/null || missing+=(munge)
if [ ${#missing[@]} -eq 0 ]; then
  exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "for the tests with real servers, as root on Debian: apt-get install ${missing[*]}" >&2
  exit 0
fi

# Packages start their service when they are installed, unless policy-rc.d answers 101 (action forbidden).
policy=/usr/sbin/policy-rc.d
forbids_start() {
  [ -x "$policy" ] || return 1
  local answer=0
  "$policy" "$1" start >/dev/null 2>&1 || answer=$?
  [ "$answer" -eq 101 ]
}
restore() {
  rm -f "$policy"
  if [ -e "$policy.saved-by-terrawatt" ]; then mv "$policy.saved-by-terrawatt" "$policy"; fi
}
if ! forbids_start mosquitto; then
  if [ -e "$policy" ]; then mv "$policy" "$policy.saved-by-terrawatt"; fi
  trap restore EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
fi

echo "installing ${missing[*]} for the tests" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get -o DPkg::Lock::Timeout=300 update -qq
apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${missing[@]}" >/dev/null

# They are also enabled for the next boot: not by us.
if command -v systemctl >/dev/null; then
  for service in "${missing[@]/slurm-wlm/slurmctld slurmd}"; do
    # shellcheck disable=SC2086  # one package may have two
    if [ "$service" != openssl ]; then systemctl disable --quiet $service 2>/dev/null || true; fi
  done
fi
