#!/bin/sh
# `npm test`: gets the packages from npm, the pinned Node among them, when they are missing or not those of
# package-lock.json, and has that Node do the rest.
set -eu
cd -- "$(dirname -- "$0")/.."
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
	echo "test: installing packages (npm ci)" >&2
	npm ci --no-audit --no-fund --loglevel=error
	touch node_modules/.package-lock.json
fi
if [ ! -x node_modules/.bin/node ]; then
	echo "test: the package of the pinned Node is not there for this processor ($(uname -m)); x86-64 and arm64 are supported" >&2
	exit 1
fi
exec node_modules/.bin/node scripts/test.ts "$@"
