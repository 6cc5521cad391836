"""From C-STORE to SEG and SR in Orthanc: wall and processor time of an image.

    python benchmarks/node_time.py [--images 20] [--method ultrasound ultrasound-fast]

Starts Orthanc (Debian's package) and a node on the loopback, sends one ultrasound phantom after the
other, each of a study of its own, and waits until its segmentation and report can be read from
Orthanc's REST interface. The processor time is the node's alone. Prints Markdown.
"""

from __future__ import annotations

import argparse
import copy
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from pydicom import Dataset
from pynetdicom import AE
from tests.dicom.orthanc import Orthanc, orthanc_in

from breastseg.data.phantoms.dicom import dicom_phantoms

CONFIG = """
folder = "node"
min_free_mib = 16
default_rules = false
[listen]
peers = ["BENCH"]
port = 0
[[rules]]
method = "{method}"
[[dicom]]
name = "pacs"
ae_title = "ORTHANC"
host = "127.0.0.1"
port = {port}
"""
TICKS = os.sysconf("SC_CLK_TCK")


def stills(count: int) -> list[Dataset]:
    """So many images that differ in their UIDs."""
    still = next(iter(dicom_phantoms(0))).objects[0]
    found = []
    for number in range(count):
        one = copy.deepcopy(still)
        one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = f"2.25.41{number:06d}"
        one.SeriesInstanceUID, one.StudyInstanceUID = f"2.25.42{number:06d}", f"2.25.43{number:06d}"
        found.append(one)
    return found


def processor_s(process: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def measured(folder: Path, orthanc: Orthanc, method: str, images: list[Dataset]) -> str:
    """A row of the table."""
    (folder / "node.toml").write_text(CONFIG.format(method=method, port=orthanc.dicom_port))
    command = [sys.executable, "-m", "breastseg.cli.main", "node", "--config", "node.toml"]
    with (folder / "log").open("w") as log:
        node = subprocess.Popen(command, cwd=folder, stderr=log)
    try:
        while (port := re.search(r"on port (\d+)", (folder / "log").read_text())) is None:
            time.sleep(0.1)
        before = len(orthanc.uids())
        wall, cpu = [], []
        for number, image in enumerate(images, 1):
            begun, used = time.monotonic(), processor_s(node.pid)
            entity = AE("BENCH")
            entity.add_requested_context(image.SOPClassUID)
            association = entity.associate("127.0.0.1", int(port[1]), ae_title="BREASTSEG")
            assert association.send_c_store(image).Status == 0
            association.release()
            while len(orthanc.get("/instances")) < before + 2 * number:
                time.sleep(0.02)
            wall.append(time.monotonic() - begun)
            cpu.append(processor_s(node.pid) - used)
    finally:
        node.terminate()
        node.wait()
    # the first loads what the others find loaded
    return f"| `{method}` | {median(wall[1:]):.2f} | {median(cpu[1:]):.2f} | {wall[0]:.1f} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--method", nargs="*", default=["ultrasound", "ultrasound-fast"])
    options = parser.parse_args()
    rows = []
    for method in options.method:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            (folder / "orthanc").mkdir()
            with orthanc_in(folder / "orthanc") as orthanc:
                rows.append(measured(folder, orthanc, method, stills(options.images)))
    print("| method | wall, s | processor time of the node, s | the first image, wall, s |")
    print("|---|---|---|---|")
    print("\n".join(rows))
    print(f"\n{options.images} images of each, one after the other; load {os.getloadavg()[0]:.0f}")


if __name__ == "__main__":
    main()
