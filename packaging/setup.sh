#!/bin/sh
# Set-up for a Debian-like machine: system libraries, .venv, the pinned packages. Safe to run again; quick when done.
set -eu
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}
VENV=.venv

# What Qt draws with, what a window under Xvfb needs, what LightGBM links, fonts with more than Latin letters, what sets
# the type of a PDF (Pango), and an SSH server and client: the tests start both as ordinary processes of their own. rsync
# is what transfers are measured by.
SYSTEM="libegl1 libgl1 libglib2.0-0 libdbus-1-3 libfontconfig1 libxkbcommon0 libxcb-cursor0 libxkbcommon-x11-0 \
libxcb-icccm4 libxcb-keysyms1 libxcb-shape0 libgomp1 xvfb xauth fonts-dejavu-core fonts-noto-core fonts-noto-cjk \
openssh-server openssh-client rsync libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"

if command -v dpkg-query >/dev/null 2>&1; then
    missing=""
    for name in $SYSTEM; do
        dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $name"
    done
    if [ -n "$missing" ]; then
        if [ "$(id -u)" = 0 ]; then
            export DEBIAN_FRONTEND=noninteractive
            apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing >/dev/null
        else
            echo "Some system libraries are missing. Run this once, then try again:" >&2
            echo "    sudo apt-get install -y$missing" >&2
            exit 1
        fi
    fi
fi

if ! "$PYTHON" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
    echo "MLDesk needs Python 3.11, 3.12 or 3.13; $PYTHON is not one of them. Name one: make PYTHON=python3.12 …" >&2
    exit 1
fi

stamp=$VENV/.set-up
want=$(cat pyproject.toml packaging/constraints.txt packaging/setup.sh | cksum)
if [ -x "$VENV/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ]; then
    exit 0
fi
[ -x "$VENV/bin/python" ] || "$PYTHON" -m venv "$VENV"
echo "Installing the pinned packages into $VENV (once; a few minutes)" >&2
"$VENV/bin/python" -m pip install -qq --disable-pip-version-check -c packaging/constraints.txt torch
"$VENV/bin/python" -m pip install -qq --disable-pip-version-check -c packaging/constraints.txt -e '.[desktop,agent,dev]'
echo "$want" > "$stamp"
