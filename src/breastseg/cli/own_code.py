"""How the command line says that a recipe or run wants to run code of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from breastseg.core.errors import OwnCodeError


@contextmanager
def naming_the_option() -> Iterator[None]:
    """Add to the refusal of such code with what it would be allowed."""
    try:
        yield
    except OwnCodeError as error:
        raise OwnCodeError(
            error.given, "--own-code, once you have read that code and trust it"
        ) from error
