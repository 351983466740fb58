#!/usr/bin/env bash
# Trains the plate detector in a pinned environment: see README.md.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
venv="$here/.venv"
python=/usr/bin/python3 # Debian's own: its torch serves no other
packages=(python3-torch python3-venv fonts-dejavu-core fonts-liberation)

if [ ! -e "$venv/.ready" ]; then
  if ! dpkg-query -W "${packages[@]}" >/dev/null 2>&1; then
    sudo="$([ "$(id -u)" = 0 ] || echo sudo)"
    $sudo apt-get update -qq
    $sudo apt-get install -y -qq --no-install-recommends "${packages[@]}"
  fi
  "$python" -m venv --system-site-packages "$venv"
  "$venv/bin/python" -m pip install --quiet --no-deps --require-hashes --ignore-installed \
    -r "$here/requirements.txt"
  touch "$venv/.ready"
fi
[ "${1-}" = --setup ] || exec "$venv/bin/python" "$here/train.py" "$@"
