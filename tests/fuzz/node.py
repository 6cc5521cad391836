"""``python -m tests.fuzz.node --count 2000``: hostile peers by the thousand against a DICOM node.

A node in a process of its own meets damaged DICOM files, AE titles that it does not know, objects
that are too large, connections that say nothing or a byte now and then, peers that drop in the
middle of an object, and a destination that refuses or drops. After each kind a polite peer must
get its echo. Prints counts by kind and outcome, the lines of the log by their words, and the most
memory that the node took; the exit code is 1 where the node ended or a polite peer was not served.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

from pydicom import Dataset, dcmread
from pynetdicom import AE, _config, evt
from pynetdicom.association import Association

from .mutate import damaged
from .samples import dicoms

_IDLE_S = 10
_CONFIG = f"""
folder = "node"
min_free_mib = 16
default_rules = false
objects = ["sr"]
workers = 1
attempts = 3
first_wait_s = 0.5
[listen]
port = 0
peers = ["FUZZ"]
associations = 32
max_object_mib = 1
idle_s = {_IDLE_S}
[[rules]]
method = "otsu"
[[dicom]]
name = "hostile"
ae_title = "HOSTILE"
host = "127.0.0.1"
port = {{port}}
"""
_ECHO = "1.2.840.10008.1.1"
_UID = "2.25.100000000000"
_ASSOCIATE = bytes.fromhex("0100000000cd0001")
"""How an association request begins: its type, its length and its version."""


class Hostile:
    """The node, and what is done to it."""

    def __init__(self, folder: Path, destination: int) -> None:
        (folder / "node.toml").write_text(_CONFIG.format(port=destination))
        self.folder = folder
        self.log = folder / "log"
        command = [sys.executable, "-m", "breastseg.cli.main", "node", "--config", "node.toml"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=folder, stderr=log)
        while (found := re.search(r"on port (\d+)", self.log.read_text())) is None:
            if self.process.poll() is not None:
                raise SystemExit(self.log.read_text())
            time.sleep(0.2)
        self.port = int(found[1])

    def associated(self, title: str = "FUZZ", called: str = "BREASTSEG") -> Association:
        entity = AE(title)
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 120
        entity.add_requested_context(_ECHO)
        for _, data, _ in dicoms():
            meta = dcmread(BytesIO(data)).file_meta
            entity.add_requested_context(meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID)
        return entity.associate("127.0.0.1", self.port, ae_title=called)

    def polite(self) -> str:
        """What a polite peer gets."""
        association = self.associated()
        if not association.is_established:
            return "no association"
        status = association.send_c_echo().get("Status")
        association.release()
        return "served" if status == 0 else f"echo {status}"

    def mutated(self, count: int, seed: int) -> Counter[str]:
        """Damaged files by C-STORE, as they are."""
        found: Counter[str] = Counter()
        samples, association = _samples(), self.associated()
        for number in range(count):
            data, header = samples[number % len(samples)]
            own = f"{_UID[:-8]}{number:08d}"
            start = _start_of_data_set(data)
            hurt, _ = damaged(data[start:], max(1, header - start), seed + number)
            file = self.folder / "sent.dcm"
            file.write_bytes((data[:start] + hurt).replace(_UID.encode(), own.encode()))
            if not association.is_established:
                association = self.associated()
            try:
                status = association.send_c_store(file).get("Status")
            except (ValueError, AttributeError, RuntimeError, OSError) as error:
                found[f"not sent ({type(error).__name__})"] += 1
                continue
            found["lost" if status is None else f"0x{status:04X}"] += 1
        if association.is_established:
            association.release()
        return found

    def strangers(self, count: int) -> Counter[str]:
        """AE titles that may not send, and titles that the node has not."""
        found: Counter[str] = Counter()
        for number in range(count):
            one = self.associated(f"EVIL{number}") if number % 2 else self.associated(called="WHO")
            # one that is closed right after its rejection may not see it: the node's log has all
            seen = "accepted" if one.is_established else "closed"
            found["rejected" if one.is_rejected else seen] += 1
            if one.is_established:
                one.abort()
        return found

    def oversized(self, count: int) -> Counter[str]:
        """Objects above the limit."""
        found: Counter[str] = Counter()
        for _ in range(count):
            one = _large()
            association = self.associated()
            status = association.send_c_store(one).get("Status")
            found["ended" if status is None else f"0x{status:04X}"] += 1
            if association.is_established:
                association.release()
        return found

    def silent(self, first: bytes, every_s: float = 0.0) -> str:
        """A connection that sends something, then nothing or a byte now and then."""
        with socket.create_connection(("127.0.0.1", self.port), 300) as peer:
            try:
                peer.sendall(first)
                peer.settimeout(every_s or 300)
                while True:
                    try:
                        if not peer.recv(4096):
                            return "closed by the node"
                    except TimeoutError:
                        if not every_s:
                            return "left open"
                        peer.sendall(b"\0")
            except OSError:
                return "closed by the node"

    def dropping(self, count: int) -> Counter[str]:
        """Peers that go away in the middle of an object."""
        found: Counter[str] = Counter()
        for number in range(count):
            association = self.associated()
            raw = association.dul.socket
            assert raw is not None
            # a P-DATA of 60,000 bytes, of which some come
            raw.send(bytes.fromhex("04000000ea60") + bytes(100 + number))
            raw.close()
            found["dropped"] += 1
        return found

    def memory_mib(self) -> int:
        """The most that the node has taken so far."""
        said = Path(f"/proc/{self.process.pid}/status").read_text()
        peak = re.search(r"VmHWM:\s+(\d+)", said)
        return 0 if peak is None else int(peak[1]) >> 10


def _samples() -> list[tuple[bytes, int]]:
    """Files of many transfer syntaxes with one UID, and where their pixels begin."""
    found = []
    for _, data, header in dicoms():
        one = dcmread(BytesIO(data))
        one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = _UID
        stream = BytesIO()
        one.save_as(stream, enforce_file_format=True)
        found.append((stream.getvalue(), header + len(stream.getvalue()) - len(data)))
    return found


def _start_of_data_set(data: bytes) -> int:
    """Where the data set of a file begins, behind the meta information."""
    length = int.from_bytes(data[140:144], "little")
    return 144 + length


def _large() -> Dataset:
    one = dcmread(BytesIO(dicoms()[0][1]))
    one.NumberOfFrames, one.PixelData = 2000, bytes(2000 * one.Rows * one.Columns)
    return one


def destination(rng: random.Random) -> tuple[object, int]:
    """A storage peer that refuses, drops, or takes, as it likes."""
    entity = AE("HOSTILE")
    entity.add_supported_context("1.2.840.10008.5.1.4.1.1.88.33")

    def answer(event: evt.Event) -> int:
        if rng.random() < 0.2:
            event.assoc.abort()
        return rng.choice((0x0000, 0xA700, 0xA900, 0xC000, 0x0122))

    handlers = [(evt.EVT_C_STORE, answer)]
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    return server, server.server_address[1]


def run(count: int, seed: int) -> dict[str, object]:
    """All kinds, one after the other."""
    _config.STORE_SEND_CHUNKED_DATASET = True  # a file as it is, not as it would be read
    few = max(2, count // 40)
    with tempfile.TemporaryDirectory() as folder:
        server, port = destination(random.Random(seed))
        node = Hostile(Path(folder), port)
        kinds = {
            "damaged files": lambda: node.mutated(count, seed),
            "wrong AE titles": lambda: node.strangers(few * 4),
            "objects above the limit": lambda: node.oversized(few),
            "half-open connections": lambda: _together(node, [b"", _ASSOCIATE] * (few // 2), 0.0),
            "slow senders": lambda: _together(node, [_ASSOCIATE] * (few // 2), 1.0),
            "peers that drop in the middle": lambda: node.dropping(few),
        }
        found: dict[str, object] = {}
        for name, attack in kinds.items():
            outcomes, polite = attack(), node.polite()
            found[name] = {**outcomes, "then a polite peer": polite, "MiB": node.memory_mib()}
        alive = node.process.poll() is None
        lines = Counter(_words(line) for line in node.log.read_text().splitlines())
        node.process.terminate()
        node.process.wait()
        server.shutdown()  # type: ignore[attr-defined]
    found["log"] = dict(lines.most_common(40))
    found["the node ran to the end"] = alive
    return found


def _together(node: Hostile, firsts: list[bytes], every_s: float) -> Counter[str]:
    with ThreadPoolExecutor(len(firsts)) as pool:
        return Counter(pool.map(lambda first: node.silent(first, every_s), firsts))


def _words(line: str) -> str:
    """A line of the log without its time and what differs from case to case."""
    said = line.partition(" ")[2]
    said = re.sub(r"[\w?.-]+@[\d.]+|127\.0\.0\.1", "PEER", said)
    said = re.sub(r"'[^']*'", "TITLE", said)
    return re.sub(r"\d+", "N", said)


def main() -> None:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    found = run(chosen.count, chosen.seed)
    print(json.dumps(found, indent=2))
    served = all(
        one["then a polite peer"] == "served"
        for one in found.values()
        if isinstance(one, dict) and "MiB" in one
    )
    raise SystemExit(0 if served and found["the node ran to the end"] else 1)


if __name__ == "__main__":
    main()
