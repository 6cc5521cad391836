"""Names of files after cases and methods, whatever those are called."""

from __future__ import annotations

import hashlib
import re


def file_name(text: str) -> str:
    """A text as a file's name on any system, and another text as another name."""

    def escaped(found: re.Match[str]) -> str:
        return "".join(f"~{byte:02X}" for byte in found[0].encode(errors="surrogateescape"))

    name = re.sub(r"^\.|[^\w .,()=+-]|[ .]$", escaped, text)
    if len(name.encode(errors="surrogateescape")) <= 150:
        return name
    digest = hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
    return f"{name[:35]}~~{digest[:16]}"
