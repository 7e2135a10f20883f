#!/bin/sh
# Install both programs for systemd, from the project's root and as root:
#
#     deploy/systemd/install.sh && systemctl enable --now pricing-proxy d365-sync
#
# Called again it brings an installation to this version; configuration and secrets are never touched.
# pip's own configuration says where packages come from. PYTHON names another Python than python3.
set -eu
cd "$(dirname "$0")/../.."

programs=/opt/pricing-proxy
settings=/etc/pricing-proxy
say() { echo "install.sh: $*" >&2; }

[ "$(id -u)" = 0 ] || { say "call it as root"; exit 1; }
"${PYTHON:=python3}" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' || {
    say "$PYTHON is no Python 3.11 or later with venv (Debian: apt-get install python3-venv)"
    exit 1
}

getent passwd pricing-proxy > /dev/null ||
    useradd --system --no-create-home --shell /usr/sbin/nologin pricing-proxy

# Nothing but wheels whose hashes are locked, and ours. What builds ours stays outside.
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
"$PYTHON" -m venv "$tools/venv"
sed -n '/^setuptools==/,/# via/p' requirements.lock > "$tools/build.lock"
pip() { "$tools/venv/bin/python" -m pip --quiet --disable-pip-version-check "$@"; }
pip install --no-deps --require-hashes --only-binary=:all: -r "$tools/build.lock"
# Out of a copy: building leaves files beside what it reads.
mkdir "$tools/source"
cp -R pyproject.toml README.md LICENSE pricing_proxy sync "$tools/source"
pip wheel --no-deps --no-build-isolation --wheel-dir "$tools" "$tools/source"

[ -x "$programs/bin/python" ] || "$PYTHON" -m venv --without-pip "$programs"
pip --python "$programs/bin/python" install --no-deps --require-hashes --only-binary=:all: \
    -r requirements-runtime.lock
pip --python "$programs/bin/python" install --no-deps --no-index --force-reinstall "$tools"/*.whl

install -d -o root -g pricing-proxy -m 0750 "$settings" "$settings/secrets"
install -m 0644 deploy/systemd/*.service /etc/systemd/system/
# Where there is none, as in an image that is being made, units are read when it starts.
[ ! -d /run/systemd/system ] || systemctl daemon-reload

say "$("$programs/bin/pricing-proxy" --version) is in $programs"
[ -e "$settings/pricing-proxy.toml" ] ||
    say "write $settings/pricing-proxy.toml; begin with: $programs/bin/pricing-proxy config example"
