#!/usr/bin/env bash
# Runs the tests: ./test.sh for all of them and a short night of chaos, ./test.sh NAME for those whose full name contains NAME, ./test.sh --compose [NAME] for
# the composed system from outside (it needs a container engine with docker compose, and removes all it started), or one of the long runs on real processes:
# ./test.sh --chaos   [--requests N] [--kills N] [--seed S] [--minutes M] [--cluster]  everything is killed at random until the history checker is satisfied
# ./test.sh --limit   [--workers 1,2,4,8] [--minutes M]        the account's rate is used to the full, and every pause obeyed by all
# ./test.sh --outage  [--requests N] [--minutes M] [--seed S]  Mavi is out of order while requests wait
# ./test.sh --spool   [--minutes M] [--rate N]                 RabbitMQ is away while callbacks come, a gateway is killed, its disk is full
# ./test.sh --fuzz    [--count N] [--seed S]                   hostile callbacks and commands
# Each takes --keep too, which keeps the logs of a run that passed.
# Installs what they need where that is allowed. The last line is "N passed, N failed"; anything but a clean run gives an exit code of 1.
set -u
exec < /dev/null
cd "$(dirname "$(readlink -f "$0")")" || exit 1
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DEBIAN_FRONTEND=noninteractive
results=$(mktemp -d) || exit 1
trap 'rm -rf "$results"' EXIT

fail() { # SENTENCE... : ends a run without tests, which counts as one failure
  printf '\n%s\n' "$*"
  echo "0 passed, 1 failed"
  exit 1
}

. tests/packages.sh

summary() { # TRX CODE NIGHT : counts per area (the folder of the tests), then the totals with the night of chaos (passed, failed or none) as the last line
  awk -v code="$2" -v night="$3" '
    function attribute(name) { return match($0, " " name "=\"[^\"]*\"") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4) : "" }
    /<UnitTestResult / {
      name = attribute("testName"); sub(/\(.*/, "", name); split(name, part, "."); split(attribute("duration"), time, ":")
      area = part[3]; outcome = attribute("outcome"); tests[area]++; seconds[area] += time[1] * 3600 + time[2] * 60 + time[3]
      if (outcome == "Passed") passed++; else if (outcome == "NotExecuted") { skipped++; skip = name } else { failed++; failures[area]++ }
    }
    skip && match($0, /<Message>.*<\/Message>/) { skips = skips "skipped " skip ": " substr($0, RSTART + 9, RLENGTH - 19) "\n"; skip = "" }
    END {
      printf "\n%-20s %6s %7s %9s\n", "Area", "tests", "failed", "seconds"
      for (area in tests) printf "%-20s %6d %7d %9.1f\n", area, tests[area], failures[area], seconds[area] | "sort"
      close("sort")
      printf "%s", skips
      if (passed + failed == 0) print "No test ran, which counts as one failure: see above."
      else if (code != 0 && failed == 0) print "The run itself ended with code " code ", which counts as one failure: see above."
      if (passed + failed == 0 || (code != 0 && failed == 0)) failed++
      if (night == "passed") passed++; else if (night == "failed") failed++
      printf "%d passed, %d failed%s\n", passed, failed, skipped ? ", " skipped " skipped" : ""
      exit failed > 0
    }' "$1"
}

compose() { docker compose --env-file tests/Compose/settings.env --profile sandbox "$@"; }

free_port() { # a port of 127.0.0.1 that nobody listens on
  local port
  while port=$((RANDOM % 20000 + 12000)); (: < "/dev/tcp/127.0.0.1/$port") 2> /dev/null; do :; done
  echo "$port"
}

child=''
apart() { # COMMAND... : in a process group of its own, so that who interrupts this script waits for nothing and leaves nothing running
  local code
  set -m
  "$@" &
  child=$!
  set +m
  wait "$child"
  code=$?
  child=''
  return "$code"
}

timed() { # NAME COMMAND... : says how long it took; what it printed only where it failed
  local name=$1 from=$SECONDS
  shift
  apart "$@" > "$results/$name.log" 2>&1 || { tail -n 60 "$results/$name.log"; echo "$name failed after $((SECONDS - from)) s: docker $*"; return 1; }
  echo "$name took $((SECONDS - from)) s"
}

lower_system() { timed down compose down --volumes --remove-orphans; }

raise_system() { # builds and starts the composed system under a name of its own; at the end of this script, however it comes, nothing of it is left
  docker compose version > /dev/null 2>&1 && docker info > /dev/null 2>&1 ||
    fail "There is no container engine with docker compose that answers: install Docker Engine with the compose plugin and start it."
  export COMPOSE_PROJECT_NAME=mavi-test-$$ SECRETS_DIR=./deploy/secrets-for-trying
  for name in RABBITMQ_PORT RABBITMQ_MANAGEMENT_PORT GATEWAY_PORT SANDBOX_PORT; do export "$name=$(free_port)"; done
  trap '{ lower_system; docker image rm mavi-worker:e2e-next; } > /dev/null 2>&1; rm -rf "$results"' EXIT
  trap '[ -z "$child" ] || kill -KILL -- "-$child"; exit 130' INT TERM HUP
  timed build compose build && timed up compose up --detach --wait --wait-timeout 240 || { compose ps --all; compose logs --tail 60; fail "The composed system did not start: see above."; }
  compose ps
}

long_run=() composed='' build=MaviWorker.slnx tests=tests verbosity=minimal
case "${1-}" in
  --chaos | --limit | --outage | --spool | --fuzz) long_run=("${1#--}" "${@:2}"); set -- ;;
  --compose) shift; composed=1 build=tests/Compose tests=tests/Compose verbosity=detailed ;;
esac
[ $# -le 1 ] || fail "Received $# names; expected at most one, ./test.sh [--compose] [NAME], or a long run first: --chaos, --limit, --outage, --spool or --fuzz."
[ -n "$composed" ] || need_packages
need_sdk

echo "Building ..."
dotnet build "$build" -warnaserror -nodeReuse:false -v quiet > "$results/build.log" 2>&1 ||
  { grep -E ': (error|warning) ' "$results/build.log" | sort -u | head -n 60 || tail -n 40 "$results/build.log"
    fail "The build failed: correct what is above."; }

if [ ${#long_run[@]} != 0 ]; then
  dotnet artifacts/bin/Chaos/debug/Mavi.Chaos.dll "${long_run[@]}" && { echo "1 passed, 0 failed"; exit 0; }
  echo "0 passed, 1 failed"
  exit 1
fi

[ -z "$composed" ] || raise_system
filter=()
[ $# = 0 ] || filter=(--filter "FullyQualifiedName~$(printf '%s' "$1" | sed 's/[\\()&|=!~]/\\&/g')")
echo "Testing ..."
${composed:+apart} dotnet test "$tests" --no-build --results-directory "$results" --logger "trx;LogFileName=tests.trx" --logger "console;verbosity=$verbosity" \
  --blame-hang-timeout 4m --blame-hang-dump-type none "${filter[@]}" 2>&1
code=$?
if [ -n "$composed" ]; then
  [ "$code" = 0 ] || { compose ps --all; compose logs --timestamps --tail 400; }
  lower_system
fi
night=''
if [ $# = 0 ] && [ -z "$composed" ]; then
  printf '\nA short night of chaos ...\n'
  dotnet artifacts/bin/Chaos/debug/Mavi.Chaos.dll chaos && night=passed || night=failed
fi
[ -s "$results/tests.trx" ] || fail "The tests ended with code $code and left no results${1:+ (asked for: $1)}."
echo
echo "Took $SECONDS s."
summary "$results/tests.trx" "$code" "$night"
