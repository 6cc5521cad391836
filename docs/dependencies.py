"""Write docs/reference/dependencies.md: what an installation brings, with versions and licences.

    python docs/dependencies.py

Versions are those of requirements/light.txt and of what the dicom extra adds; licences are what the
installed packages state.
"""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution, requires
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "dependencies.md"
EXTRAS = ("dicom",)
_HEAD = """# Dependencies

What `pip install 'breastseg[dicom]'` brings, with the versions that the tests run with and the
licences that the packages state. `python docs/dependencies.py` writes this page. Packages for
training are not listed.

| package | version | licence | wanted by |
|---|---|---|---|
"""


def needed(name: str, extras: tuple[str, ...]) -> set[str]:
    """What a package asks for, with these of its extras."""
    found = set()
    for line in requires(name) or ():
        want = Requirement(line)
        chosen: list[dict[str, str]] = [{"extra": extra} for extra in ("", *extras)]
        if want.marker is None or any(want.marker.evaluate(one) for one in chosen):
            found.add(re.sub(r"[-_.]+", "-", want.name).lower())
    return found


def all_needed() -> dict[str, set[str]]:
    """Every package of an installation, with those that ask for it."""
    wanted: dict[str, set[str]] = {}
    todo = [("breastseg", EXTRAS)]
    while todo:
        name, extras = todo.pop()
        for one in needed(name, extras):
            if one not in wanted:
                wanted[one] = set()
                todo.append((one, ()))
            wanted[one].add(name)
    return wanted


def licence(one: Distribution) -> str:
    """As SPDX expression, else by classifier, else the first line of the licence field."""
    said = one.metadata
    expression = said.get("License-Expression")
    classes = [
        line.rsplit(" :: ", 1)[-1]
        for line in said.get_all("Classifier") or ()
        if line.startswith("License ::") and not line.endswith("OSI Approved")
    ]
    text = (said.get("License") or "").strip().splitlines()
    return expression or ", ".join(classes) or (text[0][:60] if text else "not stated")


def main() -> None:
    """Write the page."""
    rows = []
    for name, wanted_by in sorted(all_needed().items()):
        try:
            one = distribution(name)
        except PackageNotFoundError:
            continue  # for another system
        by = ", ".join(sorted(wanted_by))
        rows.append(f"| {one.metadata['Name']} | {one.version} | {licence(one)} | {by} |")
    PAGE.write_text(_HEAD + "\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
