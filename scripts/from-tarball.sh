#!/usr/bin/env bash
# Installs the packed packages into an empty folder, as a user would, and runs the quickstart and `evt --help` there.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cd "$root"
for package in sdk cli; do
  npm pack --silent --workspace "@evtkit/$package" --pack-destination "$folder" >/dev/null
done

mkdir "$folder/app"
cd "$folder/app"
npm init -y --silent >/dev/null
npm pkg set type=module >/dev/null
version() { node -p "require('$root/$1').$2"; }
npm install --silent --no-audit --no-fund "$folder"/evtkit-sdk-*.tgz "$folder"/evtkit-cli-*.tgz \
  "zod@$(version examples/quickstart/package.json 'dependencies.zod')" "tsx@$(version package.json 'devDependencies.tsx')"
cp "$root/examples/quickstart/main.ts" .

expected='shipping o-1, worth 4200 cents, asked for by order-service'
printed=$(npx --no-install tsx main.ts)
if [ "$printed" != "$expected" ]; then
  printf 'quickstart: expected\n  %s\ngot\n  %s\n' "$expected" "$printed" >&2
  exit 1
fi
help=$(npx --no-install evt --help)
[[ $help == 'Usage: evt'* ]] || { printf 'evt --help printed no usage, but\n%s\n' "$help" >&2; exit 1; }
echo "quickstart and evt run from their tarballs in an empty folder"
