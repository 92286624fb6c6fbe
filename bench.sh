#!/usr/bin/env bash
# Measures speed and footprint against references in the same run: ./bench.sh for all scenarios, ./bench.sh SCENARIO... for some of them;
# --json FILE writes the rows as JSON too, --quick tries the harness itself with few operations and judges nothing.
# What is measured and how is in docs/performance.md. The page is on the standard output, progress on the error output. Ends with 0 where no goal was
# missed (what the machine is too noisy for is not judged), 1 where one was, 2 for wrong words.
set -u
exec < /dev/null
here=$(dirname "$(readlink -f "$0")")
json=() words=()
while [ $# != 0 ]; do # the file is meant from where the caller is
  if [ "$1" = --json ] && [ $# -gt 1 ]; then json=(--json "$(realpath -m -- "$2")"); shift 2; else words+=("$1"); shift; fi
done
cd "$here" || exit 1
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DEBIAN_FRONTEND=noninteractive
results=$(mktemp -d) || exit 1
trap 'rm -rf "$results"' EXIT

fail() { # SENTENCE...
  printf '%s\n' "$*" >&2
  exit 1
}

. tests/packages.sh
# What is measured are servers of the run's own.
unset TEST_RABBITMQ TEST_LEDGER
need_packages >&2
need_sdk

published=artifacts/bench
case $(uname -m) in x86_64) rid=linux-x64 ;; aarch64) rid=linux-arm64 ;; *) fail "The machine is $(uname -m); expected x86_64 or aarch64." ;; esac
echo "Publishing ..." >&2
for project in src/CallbackGateway src/Worker src/Sandbox bench; do # as the Dockerfile does, and in folders that the other builds do not know
  dotnet publish "$project" -c Release -r "$rid" --self-contained false -o "$published/$(basename "$project")" --artifacts-path "$published/build" \
    -p:PublishReadyToRun=true -p:UseAppHost=false -p:DebugType=none -p:GenerateDocumentationFile=false -p:RunAnalyzers=false \
    -nodeReuse:false -v quiet > "$results/publish.log" 2>&1 || { tail -n 40 "$results/publish.log" >&2; fail "Publishing $project failed: correct what is above."; }
done

rm -rf "$results"
exec dotnet "$published/bench/Mavi.Bench.dll" "${words[@]}" "${json[@]}"
