# What ./test.sh and ./bench.sh need on this machine. Whoever reads this has a function fail (SENTENCE..., which ends the script) and a folder $results.

missing() { # the packages that are needed and not there
  [ -n "${TEST_RABBITMQ:-}" ] || [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || command -v rabbitmq-server > /dev/null || echo rabbitmq-server
  [ -n "${TEST_LEDGER:-}" ] || compgen -G '/usr/lib/postgresql/*/bin/initdb' > /dev/null || command -v initdb > /dev/null || echo postgresql
  command -v ffmpeg > /dev/null && command -v ffprobe > /dev/null || echo ffmpeg
}

set_up() { # PACKAGE... : without starting the services that come with them, now or at the next start of the machine
  local policy=/usr/sbin/policy-rc.d log=$results/install.log status=0
  local root=(env DEBIAN_FRONTEND=noninteractive)
  [ "$(id -u)" = 0 ] || root=(sudo -n "${root[@]}")
  "${root[@]}" true 2> /dev/null && command -v apt-get > /dev/null ||
    fail "Not installed: $*; each of them is needed: install with 'apt-get install $*' as root, or run this as root."

  echo "Installing $* ..."
  if [ -e "$policy" ]; then policy=""; else printf '#!/bin/sh\nexit 101\n' | "${root[@]}" install -m 755 /dev/stdin "$policy"; fi
  { "${root[@]}" apt-get -o DPkg::Lock::Timeout=300 update &&
    "${root[@]}" apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"; } > "$log" 2>&1 || status=1
  [ -z "$policy" ] || "${root[@]}" rm -f "$policy"
  [ ! -d /run/systemd/system ] || for package; do "${root[@]}" systemctl disable --now "$package" > /dev/null 2>&1; done
  [ "$status" = 0 ] || { tail -n 20 "$log"; fail "apt-get could not install $*; its last lines are above: install them by hand and run this again."; }
}

need_packages() {
  local packages
  packages=$(missing)
  # shellcheck disable=SC2086 # one word per package
  [ -z "$packages" ] || set_up $packages
}

need_sdk() {
  dotnet --version > "$results/sdk.log" 2>&1 ||
    { cat "$results/sdk.log"; fail "The .NET SDK that global.json asks for is not here: install it (https://dot.net)."; }
}
