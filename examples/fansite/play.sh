#!/bin/sh
# Plays the life of the site on the embedded AWS: a tag, its image, a release candidate, a late build, fans, a rotated secret.
# Needs Rust, git, curl and openssl. The page stays up afterwards; Ctrl-C ends everything and removes what was made.
#
#   sh examples/fansite/play.sh [--once]
#
# --once ends after the story. LONGSHORE names a binary that is already built. PORT (8080) is the page's port, AWS_PORT (4510)
# that of the embedded AWS.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
port=${PORT:-8080}
aws_port=${AWS_PORT:-4510}
once=${1:-}

if [ -z "${LONGSHORE:-}" ]; then
  echo "building longshore (the first time takes some minutes)"
  (cd "$here/../.." && cargo build --release --locked --package longshore)
  LONGSHORE=${CARGO_TARGET_DIR:-$here/../../target}/release/longshore
fi

# What the deployment would get as secrets.
export GITHUB_TOKEN=not-needed-here WEBHOOK_SECRET=made-up-for-the-webhook STATUS_TOKEN=made-up-for-the-page
export LONGSHORE_SERVER="http://127.0.0.1:$port" LONGSHORE_TOKEN=$STATUS_TOKEN

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

as_ada() { git -c user.name=Ada -c user.email=ada@example.com -c commit.gpgsign=false -c tag.gpgsign=false "$@"; }

# Calls the embedded AWS as the console, CI and Lambda functions do.
aws() { # operation body
  curl --fail --silent --show-error --header "X-Amz-Target: $1" --header 'Content-Type: application/x-amz-json-1.1' \
    --data "$2" "http://127.0.0.1:$aws_port/"
}

# A developer pushes a tag, and GitHub calls the webhook.
tag() { # tag
  as_ada -C "$place/app" commit --quiet --allow-empty --message "$1"
  as_ada -C "$place/app" tag --annotate --message "$1" "$1"
  git -C "$place/app" push --quiet origin main "$1"
  body="{\"ref\": \"refs/tags/$1\", \"repository\": {\"full_name\": \"acme/fansite\"}}"
  signature=$(printf %s "$body" | openssl dgst -sha256 -hmac "$WEBHOOK_SECRET" -r | cut -d' ' -f1)
  curl --fail --silent --show-error --output "$place/answer" --header 'X-GitHub-Event: push' \
    --header "X-GitHub-Delivery: $1" --header "X-Hub-Signature-256: sha256=$signature" \
    --header 'Content-Type: application/json' --data "$body" "$LONGSHORE_SERVER/webhooks/github/fleet"
}

# CI has built the tag, and pushes its image.
push() { # tag
  digest=$(printf %s "$1" | openssl dgst -sha256 -r | cut -d' ' -f1)
  config="{\\\"mediaType\\\": \\\"application/vnd.oci.image.config.v1+json\\\", \\\"size\\\": 10, \\\"digest\\\": \\\"sha256:$digest\\\"}"
  manifest="{\\\"schemaVersion\\\": 2, \\\"mediaType\\\": \\\"application/vnd.oci.image.manifest.v1+json\\\", \\\"config\\\": $config, \\\"layers\\\": []}"
  aws AmazonEC2ContainerRegistry_V20150921.PutImage \
    "{\"repositoryName\": \"fansite\", \"imageTag\": \"$1\", \"imageManifest\": \"$manifest\"}" >"$place/answer"
}

# Fans come: CloudWatch finds the CPU of `web` too high.
surge() {
  aws GraniteServiceVersion20100801.DescribeAlarms '{"AlarmNamePrefix": "TargetTracking-service/fansite/web-AlarmHigh-"}' \
    >"$place/answer"
  alarm=$(grep -o 'TargetTracking-service/fansite/web-AlarmHigh-[0-9a-f-]*' "$place/answer" | head -n 1)
  aws GraniteServiceVersion20100801.SetAlarmState \
    "{\"AlarmName\": \"$alarm\", \"StateValue\": \"ALARM\", \"StateReason\": \"fans\"}" >"$place/answer"
}

patiently() { # what command…
  what=$1
  shift
  tries=0
  until "$@"; do
    kill -0 "$operator" 2>/dev/null || { echo "longshore has ended:"; tail -n 20 "$place/log"; exit 1; }
    tries=$((tries + 1))
    if [ "$tries" -gt 600 ]; then echo "this takes too long: $what"; tail -n 20 "$place/log"; exit 1; fi
    sleep 0.2
  done
}

is_up() { "$LONGSHORE" get sources >"$place/answer" 2>&1; }
release_says() { "$LONGSHORE" get releases 2>&1 | grep -q "$1"; }
has_tasks() { "$LONGSHORE" get services --output json 2>&1 | tr -d ' \n' | grep -q "\"current\":$1"; }

# What the log says is counted from the last `from_here` on.
from_here() { seen=$(wc -l <"$place/log"); }
has_rolled() { tail -n +"$((seen + 1))" "$place/log" | grep -q "service=fansite/$1 .*reason=RolloutSucceeded"; }
until_rolled() { for service in web worker; do patiently "$service rolls out" has_rolled "$service"; done; }

mkdir "$place/acme"
git init --quiet --bare --initial-branch=main "$place/acme/fansite.git"
git init --quiet --initial-branch=main "$place/app"
git -C "$place/app" remote add origin "$place/acme/fansite.git"
as_ada -C "$place/app" commit --quiet --allow-empty --message "the site"
as_ada -C "$place/app" tag --annotate --message v2.0.8 v2.0.8
git -C "$place/app" push --quiet origin main v2.0.8

# The example itself, with the two repositories of GitHub on this machine.
git init --quiet --bare --initial-branch=main "$place/acme/fansite-fleet.git"
git init --quiet --initial-branch=main "$place/fleet"
git -C "$place/fleet" remote add origin "$place/acme/fansite-fleet.git"
mkdir "$place/fleet/services"
for file in controller.yaml services/release.yaml services/web.yaml services/worker.yaml; do
  sed "s|https://github.com/acme/|$place/acme/|" "$here/$file" >"$place/fleet/$file"
done
git -C "$place/fleet" add --all
as_ada -C "$place/fleet" commit --quiet --message "the site runs what is tagged"
git -C "$place/fleet" push --quiet origin main

: >"$place/log"
from_here
XDG_CACHE_HOME="$place/cache" "$LONGSHORE" run --config "$place/fleet/controller.yaml" --listen "127.0.0.1:$port" \
  --sandbox "$here/sandbox.yaml" --sandbox-listen "127.0.0.1:$aws_port" --time-scale 4 >"$place/log" 2>&1 &
operator=$!

say "page: $LONGSHORE_SERVER/   token: $STATUS_TOKEN   log: $place/log"
say "1. the first commit: both services are created with v2.0.8, the newest version that is tagged and built"
patiently "it answers" is_up
until_rolled
"$LONGSHORE" get services

say "2. v2.1.0 is tagged: its image is awaited"
tag v2.1.0
patiently "v2.1.0 is awaited" release_says "v2.1.0 was tagged in Git"
"$LONGSHORE" get releases

say "3. CI pushes the image: both services move to its digest"
from_here
push v2.1.0
until_rolled
"$LONGSHORE" get releases

say "4. a release candidate, and an old version that comes late: nothing moves"
for version in v2.2.0-rc.1 v2.0.9; do tag "$version"; push "$version"; done
sleep 8
"$LONGSHORE" get releases
release_says ' v2.1.0 '

say "5. fans come while v2.2.0 is rolled out: the number of tasks is scaling's, and stays"
from_here
tag v2.2.0
push v2.2.0
surge
until_rolled
patiently "four tasks" has_tasks 4
"$LONGSHORE" get services

say "6. the secret of the database rotates: the tasks are replaced once, and run the same revision"
from_here
aws secretsmanager.PutSecretValue '{"SecretId": "fansite/aurora", "SecretString": "made up"}' >"$place/answer"
until_rolled
"$LONGSHORE" history web

if [ "$once" = --once ]; then exit 0; fi
say "The page stays up at $LONGSHORE_SERVER/ ; tag and push in $place/app, commit and push in $place/fleet. Ctrl-C ends."
wait "$operator"
