#!/usr/bin/env bash
# record.sh GREYPLANE OUT.mp4: half a minute of the drawn street, 1080p25, as its camera sends it.
set -euo pipefail
greyplane=$1 out=$2
log=$(mktemp)
"$greyplane" sim --size 1920x1080 --motion slow-pan --rtsp-port 0 --onvif-port 0 --control-port 0 >"$log" 2>&1 &
camera=$!
trap 'kill "$camera" 2>/dev/null || true; rm -f "$log"' EXIT
for _ in $(seq 100); do
  url=$(grep -o 'rtsp://[^ ]*' "$log" | head -1) && break
  sleep 0.2
done
mkdir -p "$(dirname "$out")"
ffmpeg -loglevel error -y -rtsp_transport tcp -i "$url" -t 30 -an -c copy "$out.part.mp4"
mv "$out.part.mp4" "$out"
