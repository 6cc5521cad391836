#!/bin/sh
# Install breastseg on Debian without a network: run as root in an empty system or container.
#
#   install.sh WHEELS
#
# WHEELS is a folder that wheels.sh has filled on a machine with a network. python3 and python3-venv
# are taken from the system where they are there, else by apt. What an earlier run has installed is
# replaced, once all wheels are known to be there.
set -eu

wheels=${1:?usage: install.sh WHEELS}
home=/opt/breastseg

if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
        python3 python3-venv >/dev/null
    rm -rf /var/lib/apt/lists/*
fi

# the user that everything runs as: it owns nothing but its data
id breastseg >/dev/null 2>&1 || useradd --system --home-dir /var/lib/breastseg --shell /usr/sbin/nologin breastseg
install -d -o breastseg -g breastseg -m 0700 /var/lib/breastseg
install -d -m 0755 /etc/breastseg

python3 -m venv "$home"
"$home/bin/python" -m pip install --quiet --no-index --no-cache-dir --find-links "$wheels" \
    --force-reinstall 'breastseg[dicom]'
ln -sf "$home/bin/breastseg" /usr/local/bin/breastseg

# byte code and font lists are made now: at run time the folder cannot be written
"$home/bin/python" -m compileall -q "$home/lib" >/dev/null || true
"$home/bin/breastseg" models list >/dev/null
