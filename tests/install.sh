#!/usr/bin/env bash
# Installs what tests need besides Python packages: Redis, PostgreSQL, MariaDB and Chromium from Debian,
# and ClickHouse's engine as a library that tests run as a server. Quick when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."

CLICKHOUSE_PACKAGE='@chdb/lib-linux-x64-gnu'
CLICKHOUSE_VERSION='26.7.3-stable.1'
CLICKHOUSE_SHA512='XP97mMqnc5tZpKQywR8N7cLTsHNiTmHr30pC5mzo3jWmukjKn2IBa60c2B/gWUNcuFjOMjWoorQICCqBVj5wpw=='
CLICKHOUSE_DIR="$PWD/.tools/clickhouse"

fail() {
  echo "tests/install.sh: $1" >&2
  exit 1
}

has_postgres() { compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || command -v postgres >/dev/null; }
has_python_headers() { [ -f "$(python3 -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" ]; }
can_build_mysqlclient() { command -v gcc >/dev/null && pkg-config --exists libmariadb 2>/dev/null && has_python_headers; }
has_font() { compgen -G '/usr/share/fonts/truetype/dejavu/*.ttf' >/dev/null; }

missing_packages() {
  command -v redis-server >/dev/null || echo redis-server
  has_postgres || echo postgresql
  command -v mariadbd >/dev/null || echo mariadb-server
  can_build_mysqlclient || printf '%s\n' gcc libmariadb-dev pkg-config python3-dev
  command -v chromium >/dev/null || echo chromium
  has_font || echo fonts-dejavu-core
  has_clickhouse && has_exporters || command -v npm >/dev/null || echo npm
}

# Packages that bring a server start it and enable it at boot. Tests start servers of their own, so
# policy-rc.d forbids the start while we install, and a unit that was not there before is disabled.
keep_services_stopped() {
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
}

disable_service() {
  if [ -d /run/systemd/system ]; then
    systemctl disable --quiet "$1" || true
  else
    update-rc.d "$1" disable >/dev/null 2>&1 || true
  fi
}

install_debian_packages() {
  local packages=("$@")
  echo "Installing ${packages[*]} with apt-get"
  command -v apt-get >/dev/null || fail "there is no apt-get here. Install by hand: ${packages[*]}, then run this again."
  [ "$(id -u)" = 0 ] || fail "not root. Run 'sudo apt-get install --no-install-recommends ${packages[*]}', then run this again."
  keep_services_stopped
  export DEBIAN_FRONTEND=noninteractive
  local options=(-qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
  apt-get "${options[@]}" update
  apt-get "${options[@]}" install --no-install-recommends "${packages[@]}" </dev/null >/dev/null
  local package
  for package in "${packages[@]}"; do
    case $package in redis-server | postgresql) disable_service "$package" ;; mariadb-server) disable_service mariadb ;; esac
  done
}

has_clickhouse() {
  [ "$(cat "$CLICKHOUSE_DIR/version" 2>/dev/null)" = "$CLICKHOUSE_VERSION" ] && [ -f "$CLICKHOUSE_DIR/libchdb.so" ]
}

install_clickhouse() {
  [ "$(uname -sm)" = 'Linux x86_64' ] || fail "the ClickHouse library is for Linux on x86_64 only; this is $(uname -sm)."
  echo "Installing ClickHouse $CLICKHOUSE_VERSION (170 MB) into .tools/clickhouse"
  mkdir -p "$CLICKHOUSE_DIR"
  rm -f "$CLICKHOUSE_DIR"/*.tgz "$CLICKHOUSE_DIR/version"
  (cd "$CLICKHOUSE_DIR" && npm pack --silent "$CLICKHOUSE_PACKAGE@$CLICKHOUSE_VERSION" >/dev/null)
  local archive=("$CLICKHOUSE_DIR"/*.tgz) sha512
  sha512=$(python3 -c 'import base64, hashlib, sys; print(base64.b64encode(hashlib.file_digest(open(sys.argv[1], "rb"), "sha512").digest()).decode())' "${archive[0]}")
  [ "$sha512" = "$CLICKHOUSE_SHA512" ] || fail "$CLICKHOUSE_PACKAGE@$CLICKHOUSE_VERSION has the wrong checksum ($sha512). Do not use it; try again later."
  tar -xzf "${archive[0]}" -C "$CLICKHOUSE_DIR" --strip-components=1 package/libchdb.so
  rm -f "${archive[0]}"
  echo "$CLICKHOUSE_VERSION" >"$CLICKHOUSE_DIR/version"
}

# With the lock file's checksums; anew when the lock file has changed.
has_exporters() { cmp -s tests/exporters_js/package-lock.json .tools/exporters_js/package-lock.json && [ -d .tools/exporters_js/node_modules ]; }

install_exporters() {
  echo "Installing OpenTelemetry's JavaScript exporters into .tools/exporters_js"
  rm -rf .tools/exporters_js
  mkdir -p .tools/exporters_js
  cp tests/exporters_js/package.json tests/exporters_js/package-lock.json .tools/exporters_js/
  (cd .tools/exporters_js && npm ci --silent --ignore-scripts --no-audit --no-fund) || {
    rm -rf .tools/exporters_js
    fail "npm could not install the packages of tests/exporters_js. Is there a connection? Try again."
  }
}

mapfile -t packages < <(missing_packages)
if [ "${#packages[@]}" -gt 0 ]; then
  install_debian_packages "${packages[@]}"
fi
if ! has_clickhouse; then
  install_clickhouse
fi
if ! has_exporters; then
  install_exporters
fi
