#!/bin/sh
# Plays the main job on the embedded AWS: a commit is rolled out, then a second one, then a bad one that the circuit breaker
# rolls back. Needs Rust and git. The page stays up afterwards; Ctrl-C ends everything and removes what was made.
#
#   sh examples/first-rollout/play.sh [--once]
#
# --once ends after the story. LONGSHORE names a binary that is already built. PORT (8080) is the page's port.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
port=${PORT:-8080}
once=${1:-}

if [ -z "${LONGSHORE:-}" ]; then
  echo "building longshore (the first time takes some minutes)"
  (cd "$here/../.." && cargo build --release --locked --package longshore)
  LONGSHORE=${CARGO_TARGET_DIR:-$here/../../target}/release/longshore
fi

place=$(mktemp -d)
operator=
finish() {
  status=$?
  trap - EXIT INT TERM
  if [ -n "$operator" ]; then kill "$operator" 2>/dev/null || true; wait "$operator" 2>/dev/null || true; fi
  rm -rf "$place"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

say() { printf '\n== %s\n' "$*"; }

commit() { # message
  git -C "$place/fleet" add --all
  git -C "$place/fleet" -c user.name=Ada -c user.email=ada@example.com commit --quiet --message "$1"
  git -C "$place/fleet" push --quiet origin main
}

version() { # service version
  sed "s|\(image: .*/shop/$1:\).*|\1$2|" "$place/fleet/services/$1.yaml" >"$place/changed"
  cat "$place/changed" >"$place/fleet/services/$1.yaml"
}

# Waits until the log says this of a service, counted from where the last wait ended.
seen=0
until_log() { # service reason
  tries=0
  while ! tail -n +"$((seen + 1))" "$place/log" | grep -q "service=shop/$1 .*reason=$2"; do
    kill -0 "$operator" 2>/dev/null || { echo "longshore has ended:"; tail -n 20 "$place/log"; exit 1; }
    tries=$((tries + 1))
    if [ "$tries" -gt 600 ]; then echo "this takes too long:"; tail -n 20 "$place/log"; exit 1; fi
    sleep 0.2
  done
  seen=$(wc -l <"$place/log")
}

git init --quiet --bare --initial-branch=main "$place/fleet.git"
git init --quiet --initial-branch=main "$place/fleet"
git -C "$place/fleet" remote add origin "$place/fleet.git"
cp -R "$here/services" "$place/fleet/services"
commit "shop: web v1.0.0 and api v3.4.1"

"$LONGSHORE" run --source "$place/fleet.git" --path services --listen "127.0.0.1:$port" \
  --sandbox "$here/sandbox.yaml" --time-scale 4 >"$place/log" 2>&1 &
operator=$!

say "page: http://127.0.0.1:$port/   log: $place/log"
say "1. the first commit: both services are created"
until_log web RolloutSucceeded

say "2. a second commit: web v1.1.0"
version web v1.1.0
commit "web: v1.1.0"
until_log web RolloutSucceeded

say "3. a bad commit: web v1.2.0 ends with exit code 1"
version web v1.2.0
commit "web: v1.2.0"
until_log web RolledBack

say "what happened"
grep "service=shop/web" "$place/log" | sed 's/^.*INFO //'

if [ "$once" = --once ]; then exit 0; fi
say "The page stays up at http://127.0.0.1:$port/ ; the repository is $place/fleet : commit there, push, and watch. Ctrl-C ends."
wait "$operator"
