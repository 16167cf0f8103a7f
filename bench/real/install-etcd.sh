#!/usr/bin/env bash
# Installs Debian's etcd-server, which the benchmark runs beside blixard. Starts nothing.
set -euo pipefail

command -v etcd >/dev/null && exit 0
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
"${as_root[@]}" apt-get update
"${as_root[@]}" apt-get install --yes --no-install-recommends etcd-server
