#!/bin/bash
# run.sh TARGET MINUTES: fuzzes one target until its process has had so many minutes of
# CPU, however busy the machine is, starting from the kept corpus and keeping what it found.
#
# No sanitizer: what is fuzzed is safe Rust, whose faults are panics; debug assertions
# and overflow checks are on.
set -euo pipefail
cd "$(dirname "$0")"
target=$1
wanted_s=$(( $2 * 60 ))
corpus=corpus/$target
kept=corpora/$target.tar.gz

export RUSTC_BOOTSTRAP=1
cargo fuzz build -s none "$target"
mkdir -p "$corpus" corpora "artifacts/$target"
[ -e "$kept" ] && tar -xzf "$kept" -C "$corpus"

triple=$(rustc -vV | sed -n 's/^host: //p')
binary=../target/$triple/release/$target
seeds=()
for folder in ../tests/fixtures/*/; do seeds+=("$folder"); done

# libFuzzer leaves without running destructors.
TMPDIR=$(mktemp -d)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT

TIMEFORMAT='%U %S'
had_s=0
while (( had_s < wanted_s )); do
  log=$(mktemp)
  if ! { time "$binary" "$corpus" "${seeds[@]}" "-artifact_prefix=artifacts/$target/" \
      -dict=words.txt -timeout=20 -rss_limit_mb=2048 -max_total_time=120 2>"$log.run"; } 2>"$log"; then
    tail -n 40 "$log.run"
    echo "$target: found something, see fuzz/artifacts/$target"
    exit 1
  fi
  had_s=$(( had_s + $(awk '{ printf "%d", $1 + $2 + 0.5 }' "$log") ))
  echo "$target: $(( had_s / 60 )) of $2 CPU minutes; $(grep -a ' DONE ' "$log.run" || true)"
  rm -f "$log" "$log.run"
done

# Only what adds something, and always the same bytes for the same files.
rm -rf "$corpus.least"
mkdir "$corpus.least"
"$binary" -merge=1 "$corpus.least" "$corpus" >/dev/null 2>&1
rm -rf "$corpus"
mv "$corpus.least" "$corpus"
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C "$corpus" -cf - . | gzip -n9 > "$kept"
echo "$target: $(ls "$corpus" | wc -l) inputs kept in fuzz/$kept"
