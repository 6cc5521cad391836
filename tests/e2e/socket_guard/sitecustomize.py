"""Notes each attempt of a Python process to reach another machine; found through PYTHONPATH."""

import os
import sys

_LOG = os.environ["SOCKET_GUARD_LOG"]
_LOOK_UPS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
_SENDING = ("socket.connect", "socket.sendto", "socket.sendmsg")


def _note(event: str, args: tuple[object, ...]) -> None:
    if event in _LOOK_UPS or (event in _SENDING and not isinstance(args[1], str | bytes)):
        with open(_LOG, "a", encoding="utf-8") as log:
            said = args if event in _LOOK_UPS else args[1:]
            log.write(f"{event} {said} by {sys.argv}\n")


sys.addaudithook(_note)
