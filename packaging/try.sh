#!/bin/sh
# Run install.sh in an empty Debian root, then segment there as the user and without a network.
#
#   try.sh ROOT      (as root; see docs/how-to/install.md)
#
# ROOT is what debootstrap makes:
#   debootstrap --variant=minbase --include=python3,python3-venv bookworm ROOT
set -eu

root=${1:?usage: try.sh ROOT}
here=$(dirname "$0")

rm -rf "$root/tmp/wheels"
mkdir -p "$root/tmp"
test -d "$here/../wheels" || (cd "$here/.." && sh packaging/wheels.sh wheels)
cp -r "$here/../wheels" "$root/tmp/wheels"
cp "$here/install.sh" "$root/tmp/install.sh"

# a network of its own, in which there is nothing: what still works needs none
unshare --net chroot "$root" sh /tmp/install.sh /tmp/wheels
unshare --net chroot "$root" su -s /bin/sh breastseg -c '
    cd "$(mktemp -d)" && export HOME="$PWD"
    /opt/breastseg/bin/breastseg data phantom phantoms --dicom >/dev/null
    /opt/breastseg/bin/breastseg segment phantoms/studies/us-still --dicom seg,sr,ps --out out
    test -s out/*_seg.dcm
    ! touch /opt/breastseg/written 2>/dev/null
    echo "segmented as $(id -un), without a network"'
