#!/usr/bin/env bash
# Runs a video through Sandbox, worker and gateway in one process and checks what comes out: ./demo.sh [VIDEO]
# Without an argument the demo makes its own video. Needs the .NET SDK; ffmpeg is installed where that is allowed.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DEBIAN_FRONTEND=noninteractive
export DOTNET_CLI_HOME="${DOTNET_CLI_HOME:-${HOME:-/tmp}}"
log="$(mktemp)"
trap 'rm -f "$log"' EXIT

fail() {
  echo "$1" >&2
  exit 1
}

# Quiet unless it fails.
quietly() {
  "$@" >"$log" 2>&1 </dev/null || { cat "$log" >&2; return 1; }
}

install_ffmpeg() {
  local as_root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null && sudo -n true 2>/dev/null || return 1
    as_root=(sudo -n)
  fi
  command -v apt-get >/dev/null || return 1
  echo "Installing ffmpeg…"
  quietly "${as_root[@]}" apt-get update && quietly "${as_root[@]}" apt-get install -y --no-install-recommends ffmpeg
}

[ $# -le 1 ] || fail "$# arguments were given; expected at most one video: ./demo.sh [VIDEO]"
case "${1-}" in -h | --help) sed -n '2,3s/^# //p' "$0"; exit 0 ;; esac

command -v dotnet >/dev/null || fail "The .NET SDK is missing: install .NET 10 (https://dotnet.microsoft.com/download) and run the demo again."
if ! command -v ffmpeg >/dev/null || ! command -v ffprobe >/dev/null; then
  install_ffmpeg || fail "ffmpeg is missing and could not be installed from here: install it (Debian, Ubuntu: sudo apt-get install ffmpeg) and run the demo again."
fi

echo "Building…"
build() (cd "$here" && dotnet build src/AllInOne -c Release -v quiet --disable-build-servers)
quietly build || fail "The build failed; see above."
rm -f "$log"

# exec: Ctrl-C and SIGTERM go to the demo itself.
exec dotnet "$here/artifacts/bin/AllInOne/release/Mavi.AllInOne.dll" "$here/demo-output" ${1+"$1"} </dev/null
