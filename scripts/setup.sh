#!/bin/sh
# Makes the checkout ready to run: packages from npm (the pinned Node among them), keel, and the bundle. Each part is
# done only when it is missing or older than what it is made from. Prints only what it really does, on stderr.
# Two first starts at once wait for each other.
set -eu
cd -- "$(dirname -- "$0")/.."
mkdir -p build

say() { printf 'sampan: %s\n' "$*" >&2; }
fail() {
	say "Cannot set up: $1"
	exit 125
}

if [ -z "${SAMPAN_SETUP_LOCKED:-}" ] && command -v flock >/dev/null; then
	SAMPAN_SETUP_LOCKED=1 exec flock build/setup.lock sh scripts/setup.sh
fi

if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
	command -v npm >/dev/null || fail "npm is missing (Debian: apt-get install npm)"
	say "installing packages (npm ci)"
	npm ci --no-audit --no-fund --loglevel=error >build/setup.log 2>&1 || { cat build/setup.log >&2; fail "npm ci failed"; }
	touch node_modules/.package-lock.json
fi
[ -x node_modules/.bin/node ] || fail "the package of the pinned Node is not there for this processor ($(uname -m)); x86-64 and arm64 are supported"

keel=build/native/keel
if [ ! -x $keel ] || [ -n "$(find native/keel -newer $keel \( -name '*.[ch]' -o -name '*flags' \) -print -quit)" ]; then
	command -v "${CC:-gcc}" >/dev/null || fail "a C compiler is missing (Debian: apt-get install gcc libc6-dev)"
	say "building keel"
	mkdir -p build/native
	"${CC:-gcc}" @native/keel/flags -o $keel.new native/keel/*.c @native/keel/link-flags >build/setup.log 2>&1 || {
		cat build/setup.log >&2
		fail "keel does not build"
	}
	mv $keel.new $keel
fi

if [ ! -e dist/sampan.cjs ] || [ -n "$(find src package.json -newer dist/sampan.cjs -type f -print -quit)" ]; then
	say "bundling the program"
	node_modules/.bin/node scripts/bundle.ts
fi
touch build/ready
