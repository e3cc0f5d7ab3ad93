"""Loaded by every Python that starts with this folder on its path: any way out of this machine ends the process.

The notebooks' own processes inherit the path, so it holds for them too. Loopback stays open: a notebook's process talks
to the runner by it.
"""

import os
import sys
from pathlib import Path

_INWARD = ("127.", "::1", "localhost")
_WAYS_OUT = ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendmsg")


def _watch(event: str, arguments: tuple) -> None:
    if event not in _WAYS_OUT:
        return
    target = arguments[1] if event in ("socket.connect", "socket.sendto", "socket.sendmsg") else arguments[0]
    host = target[0] if isinstance(target, tuple) else target
    if not isinstance(host, str) or host in ("", "0.0.0.0") or host.startswith((*_INWARD, "/", "\0")):
        return  # files of this machine, and loopback
    with Path(os.environ["NETWORK_LOG"]).open("a") as log:
        log.write(f"{event} {target!r} in {sys.argv[:1]}\n")
    os._exit(97)


sys.addaudithook(_watch)
