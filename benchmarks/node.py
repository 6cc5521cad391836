"""A DICOM node under load, kills and a full disk: does every acknowledged instance come back once?

    python benchmarks/node.py --folder FOLDER
    sudo python benchmarks/node.py --tmpfs 96

Sends instances over several associations side by side, each again until the node says that it has
it. Meanwhile the node is killed with SIGKILL at random moments and started again, and its disk is
filled once. A storage peer notes what comes. Each instance that was acknowledged must come back as
one report, which refers to it, under one UID; a report that is sent again after a kill between the
peer's answer and the node's note of it must be the same object, byte for byte. ``--tmpfs`` mounts
a small file system for the node, which needs root; with ``--folder`` its disk is not filled.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import hashlib
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from pydicom import Dataset
from pynetdicom import AE, evt

from breastseg.data.phantoms.dicom import dicom_phantoms

SR = "1.2.840.10008.5.1.4.1.1.88.33"
CONFIG = """
folder = "{folder}"
min_free_mib = 8
objects = ["sr"]
default_rules = false
first_wait_s = 0.5
longest_wait_s = 5
attempts = 1000
[listen]
peers = ["BENCH"]
port = {port}
associations = 32
[[rules]]
modality = "US"
method = "{method}"
[[dicom]]
name = "peer"
ae_title = "PEER"
host = "127.0.0.1"
port = {peer}
"""


@dataclass
class Peer:
    """What came to the destination.

    Attributes:
        objects: UIDs of the reports about an instance, by its UID.
        digests: of the reports, by their UID.
        times: how often each report came.
    """

    objects: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    digests: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    times: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def store(self, event: evt.Event) -> int:
        """Note a report, and say so."""
        one = event.dataset
        series = one.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
        sources = {
            item.ReferencedSOPInstanceUID for s in series for item in s.ReferencedSOPSequence
        }
        digest = hashlib.sha256(event.request.DataSet.getvalue()).hexdigest()
        with self.lock:
            self.times[one.SOPInstanceUID] += 1
            self.digests[one.SOPInstanceUID].add(digest)
            for source in sources:
                self.objects[source].add(one.SOPInstanceUID)
        return 0

    @contextlib.contextmanager
    def listening(self) -> Iterator[int]:
        """Take reports on the port that it gives."""
        entity = AE("PEER")
        entity.add_supported_context(SR)
        server = entity.start_server(
            ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, self.store)]
        )
        yield server.server_address[1]
        server.shutdown()


class Node:
    """The node's process, killed and started again."""

    def __init__(self, config: Path, log: Path) -> None:
        self._command = [sys.executable, "-m", "breastseg.cli.main", "node", "--config", config]
        self._log = log.open("wb")
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, stderr=self._log)

    def kill(self) -> None:
        """Kill it at once, and start it again."""
        self.process.kill()
        self.process.wait()
        self.process = self._start()

    def stop(self) -> None:
        """Let it end."""
        self.process.terminate()
        self.process.wait()
        self._log.close()


def instances(count: int, side: int) -> list[Dataset]:
    """Small ultrasound images, each of a study of its own."""
    still = next(iter(dicom_phantoms(0))).objects[0]
    pixels = still.pixel_array[:side, :side]
    made = []
    for number in range(count):
        one = copy.deepcopy(still)
        one.Rows, one.Columns = pixels.shape
        one.PixelData = (pixels + number % 7).astype("u1").tobytes()
        one.SOPInstanceUID = f"2.25.1000{number:06d}"
        one.SeriesInstanceUID = f"2.25.2000{number:06d}"
        one.StudyInstanceUID = f"2.25.3000{number:06d}"
        one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
        made.append(one)
    return made


def send_all(todo: list[Dataset], port: int, acknowledged: set[str]) -> Counter[str]:
    """Send over one association after the other until all are acknowledged."""
    said: Counter[str] = Counter()
    waiting = list(todo)
    while waiting:
        entity = AE("BENCH")
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 60
        entity.add_requested_context(waiting[0].SOPClassUID)
        association = entity.associate("127.0.0.1", port, ae_title="BREASTSEG")
        while association.is_established and waiting:
            status = association.send_c_store(waiting[0]).get("Status")
            said["lost" if status is None else f"0x{status:04X}"] += 1
            if status == 0:
                acknowledged.add(waiting.pop(0).SOPInstanceUID)
            elif status is not None:
                break
        if association.is_established:
            association.release()
        if waiting:
            time.sleep(0.5)
    return said


def fill(folder: Path, seconds: float) -> int:
    """Fill the disk to the last byte for a while; returns how many bytes that took."""
    path, size = folder / "filler", 0
    with path.open("wb", buffering=0) as stream, contextlib.suppress(OSError):
        while True:
            size += stream.write(bytes(2**16)) or 0
    time.sleep(seconds)
    path.unlink()
    return size


@contextlib.contextmanager
def node_folder(options: argparse.Namespace) -> Iterator[Path]:
    if options.folder is not None:
        options.folder.mkdir(parents=True, exist_ok=True)
        yield options.folder
        return
    with tempfile.TemporaryDirectory() as place:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={options.tmpfs}m", "node", place], check=True
        )
        try:
            yield Path(place)
        finally:
            subprocess.run(["umount", "-l", place], check=True)


def run(options: argparse.Namespace, folder: Path, work: Path) -> dict[str, object]:
    peer, acknowledged, rng = Peer(), set[str](), random.Random(0)
    every = instances(options.instances, options.side)
    with peer.listening() as peer_port:
        config = work / "node.toml"
        config.write_text(
            CONFIG.format(
                folder=folder / "node", port=options.port, peer=peer_port, method=options.method
            )
        )
        begun = time.monotonic()
        node = Node(config, work / "node.log")
        parts = [every[number :: options.associations] for number in range(options.associations)]
        with ThreadPoolExecutor(options.associations) as pool:
            senders = [pool.submit(send_all, part, options.port, acknowledged) for part in parts]
            filled, taken, kills = 0, 0, 0
            while kills < options.kills:
                if not kills:  # while it receives; later kills meet it segmenting and sending
                    goal = options.instances // 3
                    while len(acknowledged) < goal:
                        time.sleep(0.02)
                    if options.folder is None:
                        taken, filled = len(acknowledged), fill(folder, 5)
                else:
                    goal = len(peer.objects) + options.instances // (options.kills + 2)
                    while len(peer.objects) < min(goal, options.instances - 1):
                        time.sleep(0.05)
                time.sleep(rng.random())
                node.kill()
                kills += 1
            answers = sum((one.result() for one in senders), Counter())
        received = time.monotonic() - begun
        while len(peer.objects) < len(acknowledged) and time.monotonic() < begun + options.limit:
            time.sleep(0.2)
        done = time.monotonic() - begun
        time.sleep(3)  # for what would come too often
        node.stop()
    return {
        "instances": len(every),
        "associations": options.associations,
        "kills": kills,
        "bytes that filled the disk": filled,
        "acknowledged before it was filled": taken,
        "answers": dict(answers),
        "acknowledged": len(acknowledged),
        "acknowledged with exactly one object": sum(
            len(peer.objects[uid]) == 1 for uid in acknowledged
        ),
        "objects": len(peer.times),
        "objects with two contents": sum(len(one) > 1 for one in peer.digests.values()),
        "objects sent again under their UID": sum(one > 1 for one in peer.times.values()),
        "seconds until all were received": round(received, 1),
        "seconds until all results were sent": round(done, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--folder", type=Path, help="for the node; its disk is not filled")
    where.add_argument("--tmpfs", type=int, help="MiB of a file system that is mounted for it")
    parser.add_argument("--instances", type=int, default=1000)
    parser.add_argument("--associations", type=int, default=8)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--side", type=int, default=96, help="pixels")
    parser.add_argument("--method", default="otsu")
    parser.add_argument("--port", type=int, default=11119)
    parser.add_argument("--limit", type=float, default=3600, help="seconds to wait for results")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work, node_folder(options) as folder:
        found = run(options, folder, Path(work))
        if found["acknowledged with exactly one object"] != options.instances:
            print((Path(work) / "node.log").read_text()[-3000:], file=sys.stderr)
    print(json.dumps(found, indent=2))
    return 0 if found["acknowledged with exactly one object"] == options.instances else 1


if __name__ == "__main__":
    sys.exit(main())
