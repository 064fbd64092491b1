#!/usr/bin/env bash
# Installs the packed packages into empty folders, as a user would: runs the quickstart in one, and in another lets
# `evt init` make a service whose test, types and program then have to work.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cd "$root"
for package in sdk local-stack cli; do
  npm pack --silent --workspace "@evtkit/$package" --pack-destination "$folder" >/dev/null
done
version() { node -p "require('$root/$1').$2"; }
install() { npm install --silent --no-audit --no-fund --prefer-offline "$@"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

# A service of its own.
mkdir "$folder/orders"
cd "$folder/orders"
install "$folder"/evtkit-*.tgz
npx --no-install evt init . --name tarball-orders >/dev/null 2>&1 || fail "evt init failed in an empty folder"
install
npm test --silent >test.log 2>&1 || fail "the test of the new service failed:" "$(cat test.log)"
npm run check --silent >check.log 2>&1 || fail "the new service does not pass its own check:" "$(cat check.log)"
printed=$(npm start --silent)
[[ $printed == *'shipping '*'worth 42 EUR'* ]] || fail "the new service printed" "$printed"
help=$(npx --no-install evt --help)
[[ $help == 'Usage: evt'* ]] || fail "evt --help printed no usage, but" "$help"

# The quickstart, beside it: what it needs besides is installed already.
mkdir "$folder/app"
cd "$folder/app"
npm init -y --silent >/dev/null
npm pkg set type=module >/dev/null
install "$folder"/evtkit-sdk-*.tgz "zod@$(version examples/quickstart/package.json 'dependencies.zod')" \
  "tsx@$(version package.json 'devDependencies.tsx')"
cp "$root/examples/quickstart/main.ts" .
expected='shipping o-1, worth 4200 cents, asked for by order-service'
printed=$(npx --no-install tsx main.ts)
[ "$printed" = "$expected" ] || fail "quickstart: expected" "  $expected" "got" "  $printed"

echo "the quickstart, evt init and the service it makes run from the tarballs in empty folders"
