#!/usr/bin/env bash
# Trains the plate detector in the pinned environment: see README.md.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
venv="$here/.venv"
if [ ! -e "$venv/.ready" ]; then
  python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --no-deps --require-hashes -r "$here/requirements.txt"
  touch "$venv/.ready"
fi
exec "$venv/bin/python" "$here/train.py" "$@"
