#!/usr/bin/env bash
# Renews wit/deps: the WASI 0.2 packages exactly as the pinned wasmtime implements them.
# They come out of the crate wasmtime-wasi-http, so the interface text that
# guests are built against and the host that answers it can never be of two versions.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n 's/^wasmtime-wasi = .*"=\([0-9.]*\)".*/\1/p' Cargo.toml)
[ -n "$version" ] || { echo "Cargo.toml pins no wasmtime-wasi version" >&2; exit 1; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/src" && touch "$scratch/src/lib.rs"
cat >"$scratch/Cargo.toml" <<EOF
[package]
name = "vendor"
edition = "2024"
[dependencies]
wasmtime-wasi-http = { version = "=$version", default-features = false }
EOF
source_of() {
  cargo metadata --format-version 1 --manifest-path "$scratch/Cargo.toml" |
    python3 -c "import json,sys; print(next(p['manifest_path'] for p in json.load(sys.stdin)['packages'] if p['name']=='$1').removesuffix('/Cargo.toml'))"
}
rm -rf wit/deps && mkdir -p wit/deps
cp "$(source_of wasmtime-wasi-http)"/wit/deps/*.wit wit/deps/
chmod 644 wit/deps/*
# The SDK carries a checked copy, so that it can be packaged; a test compares the two.
rm -rf sdk/wit && mkdir -p sdk/wit/deps
cp wit/plugin/*.wit sdk/wit/
cp wit/deps/*.wit sdk/wit/deps/
