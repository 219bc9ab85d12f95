#!/usr/bin/env bash
# Makes the picture in the README: starts the demonstration and photographs its console in headless Chromium.
# usage: Deploy/screenshot.sh [PORT] [FOLDER FOR MORE PAGES]
set -euo pipefail
cd "$(dirname "$0")/.."
port=${1:-8080}
.build/debug/wellward demo --port "$port" >/dev/null 2>&1 &
demo=$!
trap 'kill -TERM $demo 2>/dev/null; wait $demo 2>/dev/null || true' EXIT
for _ in $(seq 120); do curl -fs "http://127.0.0.1:$port/readyz" >/dev/null && break; sleep 0.5; done
# Until the collapse has become a case.
sleep 60
shoot() {
  chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size="$1" --timeout=4000 \
    --screenshot="$PWD/shot.png" "http://127.0.0.1:$port$2" >/dev/null 2>&1
  mv shot.png "$3"
}
shoot 1440,1100 / Deploy/console.png
if [ -n "${2:-}" ]; then
  for page in overview:/ home:/homes/h-1101 case:/cases/c-1 lifts:/elevators devices:/devices; do
    shoot 500,1400 "${page#*:}" "$2/${page%%:*}-phone.png"
    shoot 1440,1100 "${page#*:}" "$2/${page%%:*}-desk.png"
  done
fi
