#!/bin/sh
# Run install.sh in an empty Debian root, then segment there as the user and without a network: a
# file, and what a node is sent.
#
#   try.sh ROOT WHEELS      (as root; see docs/how-to/install.md)
#
# ROOT is what debootstrap makes:
#   debootstrap --variant=minbase --include=python3,python3-venv bookworm ROOT
set -eu

root=${1:?usage: try.sh ROOT WHEELS}
wheels=${2:?usage: try.sh ROOT WHEELS}

rm -rf "$root/tmp/wheels"
mkdir -p "$root/tmp"
cp -r "$wheels" "$root/tmp/wheels"
cp "$(dirname "$0")/install.sh" "$root/tmp/install.sh"

# a network of its own, in which there is nothing: what still works needs none
unshare --net chroot "$root" sh /tmp/install.sh /tmp/wheels
cat >"$root/tmp/segment.sh" <<'END'
set -eu
cd "$(mktemp -d)"
export HOME="$PWD" PATH="/opt/breastseg/bin:$PATH"
breastseg data phantom phantoms --dicom >/dev/null
breastseg segment phantoms/studies/us-still --dicom seg,sr,ps --out out
test -s out/*_seg.dcm
! touch /opt/breastseg/written 2>/dev/null

cat >node.toml <<'TOML'
folder = "node"
min_free_mib = 1
listen = { peers = ["ROOM"] }
folders = [{ name = "results", path = "results" }]
TOML
breastseg node --config node.toml 2>node.log &
trap "kill $!" EXIT
listening() { grep -q 'listening as' node.log; }
sent() { grep -q 'sr.dcm sent to results' node.log; }
within_a_minute() {
    for _ in $(seq 60); do "$1" && return; sleep 1; done
    cat node.log && return 1
}
within_a_minute listening
python -m pynetdicom storescu -aet ROOM -aec BREASTSEG 127.0.0.1 11112 phantoms/studies/us-still/0001.dcm
within_a_minute sent
echo "segmented as $(id -un), from a file and by the node, without a network"
END
# nor processes of others, but those that there are: ONNX Runtime asks for the processor
unshare --net --mount --pid --fork sh -c '
    mount -t proc proc "$1/proc"
    ip link set lo up
    exec chroot "$1" su -s /bin/sh breastseg /tmp/segment.sh' sh "$root"
