"""Two hundred scans queued by ten clients at once, the service killed in the middle.

python benchmarks/service.py [--scans 200] [--clients 10] [--port 8799]

Each scan is a loop of two frames, so that it is a job. The service is killed (SIGKILL) when a third
of the jobs is done, and started again. It must finish all, none twice, within bounded memory. The
script prints the figures as JSON and exits with 1 where that does not hold.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import tifffile

METHOD = "ultrasound-fast"


class Running:
    """A service process, and the most memory that it and its workers have taken together."""

    def __init__(self, root: Path, port: int) -> None:
        words = [sys.executable, "-m", "breastseg.cli.main", "serve", "--root", str(root)]
        self.process = subprocess.Popen([*words, "--port", str(port), "--threads", "1"])
        self.peak_mib = 0.0
        self._watch = threading.Thread(target=self._measure, daemon=True)
        self._watch.start()

    def kill(self) -> None:
        """End it as a power cut does; its workers notice that it has gone."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """End it as a user does."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait()

    def _measure(self) -> None:
        while self.process.poll() is None:
            pids = [self.process.pid, *children(self.process.pid)]
            self.peak_mib = max(self.peak_mib, sum(map(resident_mib, pids)))
            time.sleep(0.2)


def children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        text += " ".join((one / "children").read_text() for one in threads)
    except OSError:
        return []
    return sorted({int(word) for word in text.split()})


def resident_mib(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def call(port: int, method: str, path: str, body: bytes = b"", kind: str = "") -> object:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api{path}", method=method)
    if body:
        request.data = body
        request.add_header("Content-Type", kind)
    with urllib.request.urlopen(request, timeout=300) as answer:
        return json.load(answer)


def ready(port: int) -> None:
    for _ in range(600):
        try:
            call(port, "GET", "/about")
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    raise SystemExit("the service did not start")


def loop(number: int) -> bytes:
    """Two frames with a dark disc, another one for each number."""
    generator = np.random.default_rng(number)
    rows, columns = np.indices((256, 320))
    disc = np.hypot(rows - 128, columns - 160) < generator.integers(20, 60)
    frames = np.where(disc, 60, 150) + generator.normal(0, 20, (2, 256, 320))
    stream = io.BytesIO()
    tifffile.imwrite(stream, np.clip(frames, 0, 255).astype(np.uint8), photometric="minisblack")
    return stream.getvalue()


def queue(port: int, number: int) -> str:
    """Upload one loop and queue it; returns the segmentation's name."""
    edge = uuid.uuid4().hex
    head = 'Content-Disposition: form-data; name="files"; filename="loop.tif"'
    form = f"--{edge}\r\n{head}\r\n\r\n".encode() + loop(number) + f"\r\n--{edge}--\r\n".encode()
    scan = call(port, "POST", "/scans", form, f"multipart/form-data; boundary={edge}")
    body = json.dumps({"scan": scan["id"], "method": METHOD}).encode()  # type: ignore[index]
    made = call(port, "POST", "/segmentations", body, "application/json")
    return str(made["id"])  # type: ignore[index]


def wait_until_done(port: int, count: int) -> list[dict[str, object]]:
    """All jobs once so many are done; every one has a state of its own."""
    while True:
        jobs: list[dict[str, object]] = call(port, "GET", "/jobs?limit=1000")  # type: ignore[assignment]
        if sum(job["state"] == "done" for job in jobs) >= count:
            return jobs
        failed = [job for job in jobs if job["state"] == "failed"]
        if failed:
            raise SystemExit(f"a job failed: {failed[0]}")
        time.sleep(1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scans", type=int, default=200)
    parser.add_argument("--clients", type=int, default=10)
    parser.add_argument("--port", type=int, default=8799)
    given = parser.parse_args()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        first = Running(Path(folder), given.port)
        ready(given.port)
        with ThreadPoolExecutor(given.clients) as clients:
            names = list(clients.map(lambda n: queue(given.port, n), range(given.scans)))
        queued_s = time.perf_counter() - started
        done_before = len(
            [j for j in wait_until_done(given.port, given.scans // 3) if j["state"] == "done"]
        )
        first.kill()
        second = Running(Path(folder), given.port)
        ready(given.port)
        jobs = wait_until_done(given.port, given.scans)
        with_result = sum(
            call(given.port, "GET", f"/segmentations/{name}")["document"] is not None  # type: ignore[index]
            for name in names
        )
        second.stop()
    attempts = [int(str(job["attempts"])) for job in jobs]
    figures = {
        "scans": given.scans,
        "clients": given.clients,
        "different_results": len(set(names)),
        "with_result": with_result,
        "jobs": len(jobs),
        "done_before_the_kill": done_before,
        "begun_twice": sum(count > 1 for count in attempts),
        "queued_after_s": round(queued_s, 1),
        "all_done_after_s": round(time.perf_counter() - started, 1),
        "peak_mib_before": round(first.peak_mib),
        "peak_mib_after": round(second.peak_mib),
    }
    print(json.dumps(figures, indent=2))
    whole = figures["different_results"] == with_result == len(jobs) == given.scans
    # only what was running when it was killed may have been begun a second time
    return int(not whole or figures["begun_twice"] > 1)  # type: ignore[operator]


if __name__ == "__main__":
    sys.exit(main())
