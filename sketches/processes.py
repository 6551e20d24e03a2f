"""Sites as processes of this machine, each at the end of a socket pair.

The parent reads without blocking, so a process that stops in the middle of a message holds nobody up. A process whose
parent is gone ends, even when it is busy. Interrupts of the keyboard are for the parent alone, which stops its
processes on the way out.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import IO, TYPE_CHECKING, Final

from paretosql.errors import DataError
from paretosql.sketches.channel import Delivery
from paretosql.sketches.site import Answering
from paretosql.sketches.wire import PREFIX_BYTES

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

PREFIX: Final = struct.Struct("<I")
assert PREFIX.size == PREFIX_BYTES
MAX_MESSAGE_BYTES: Final = 1 << 30  # our choice: a longer one is taken for noise
READ_BYTES: Final = 1 << 20
SEND_S: Final = 5.0  # our choice: a site that takes no request for so long is lost
GRACE_S: Final = 1.0  # our choice: time for all processes to end by themselves

Source = Callable[[], Answering]


@contextlib.contextmanager
def run_processes(sources: Sequence[Source]) -> Iterator[Processes]:
    """Start a process for each source, and stop them all at the end of the block, also after an error or Ctrl-C.

    Args:
        sources: called in the processes, each makes the site there; must be picklable, such as
            `functools.partial(Site, column)`, or a function of a module that reads a file.
    Returns: a channel for `collect`.
    Cost: about 0.5 s of one core per process, for the start of an interpreter and the imports. As with every process
        that is spawned, a script needs its `if __name__ == "__main__":`.
    """
    channel = Processes()
    try:
        for source in sources:
            channel.start(source)
        yield channel
    finally:
        channel.close()


class Processes:
    """A channel to processes; made by `run_processes`."""

    def __init__(self) -> None:
        self._processes: list[BaseProcess] = []
        self._sockets: list[socket.socket] = []
        self._buffers: list[bytearray] = []
        self._selector = selectors.DefaultSelector()
        self._ready: deque[Delivery] = deque()

    @property
    def sites(self) -> int:
        return len(self._processes)

    @property
    def pids(self) -> list[int | None]:
        """The process ids of the sites."""
        return [process.pid for process in self._processes]

    def start(self, source: Source) -> None:
        """Start one more site."""
        import multiprocessing
        from multiprocessing import resource_tracker

        resource_tracker.ensure_running()  # its start would let interrupts through again
        ours, theirs = socket.socketpair()
        process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, source), daemon=True)
        try:
            with _interrupts_held(), theirs:
                process.start()
        except BaseException:
            ours.close()
            raise
        ours.settimeout(SEND_S)
        self._selector.register(ours, selectors.EVENT_READ, len(self._processes))
        self._processes.append(process)
        self._sockets.append(ours)
        self._buffers.append(bytearray())

    def send(self, site: int, data: bytes) -> bool:
        sock = self._sockets[site]
        if sock.fileno() < 0:
            return False
        try:
            sock.sendall(PREFIX.pack(len(data)) + data)
        except TimeoutError:
            self._lose(site, f"it took no request within {SEND_S:g} s")
            return False
        except OSError:
            return False  # reading tells the reason
        return True

    def receive(self, timeout_s: float) -> Delivery | None:
        until = time.monotonic() + timeout_s
        while not self._ready:
            if not self._selector.get_map():
                return None
            events = self._selector.select(max(0.0, until - time.monotonic()))
            for key, _ in events:
                self._read(int(key.data))
            if not self._ready and time.monotonic() >= until:
                return None
        return self._ready.popleft()

    def _read(self, site: int) -> None:
        """Take what is there of a site, and cut it into messages."""
        try:
            data = self._sockets[site].recv(READ_BYTES)
        except OSError:
            data = b""
        if not data:
            self._lose(site, self._end_of(site))
            return
        buffer = self._buffers[site]
        buffer += data
        while len(buffer) >= PREFIX.size:
            (size,) = PREFIX.unpack_from(buffer)
            if size > MAX_MESSAGE_BYTES:
                self._lose(site, f"it announced a message of {size} bytes")
                return
            if len(buffer) < PREFIX.size + size:
                break
            self._ready.append(Delivery(site, bytes(buffer[PREFIX.size : PREFIX.size + size])))
            del buffer[: PREFIX.size + size]

    def _end_of(self, site: int) -> str:
        """How a process ended that has closed its socket."""
        process = self._processes[site]
        process.join(GRACE_S)
        code = process.exitcode
        if code is None:
            return "it closed its connection"
        with contextlib.suppress(ValueError):
            if code < 0:
                return f"its process was killed by {signal.Signals(-code).name}"
        return f"its process ended with status {code}"

    def _lose(self, site: int, reason: str) -> None:
        self._selector.unregister(self._sockets[site])
        self._sockets[site].close()
        self._ready.append(Delivery(site, None, reason))

    def close(self) -> None:
        """Close all sockets and end all processes, by force where they do not end by themselves."""
        self._selector.close()
        for sock in self._sockets:
            sock.close()
        until = time.monotonic() + GRACE_S
        for end in (lambda process: None, _terminate, _kill):
            for process in self._processes:
                end(process)
            for process in self._processes:
                process.join(max(0.01, until - time.monotonic()))
            until = time.monotonic() + GRACE_S
        for process in self._processes:
            process.close()


def _terminate(process: BaseProcess) -> None:
    if process.is_alive():
        process.terminate()


def _kill(process: BaseProcess) -> None:
    if process.is_alive():
        process.kill()


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back until the block is left; what is started inside never gets it, where the system can do that."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(sock: socket.socket, source: Source) -> None:
    """The life of a site's process: answer requests until the parent closes its end."""
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()  # for a site that is busy when its parent is killed
    with sock:
        site = source()
        stream = sock.makefile("rb")
        with contextlib.suppress(ConnectionError):  # the parent may leave in the middle of an answer
            _answer(site, stream, sock)


def _answer(site: Answering, stream: IO[bytes], sock: socket.socket) -> None:
    """Answer requests one after the other until there is none left."""
    while len(prefix := stream.read(PREFIX.size)) == PREFIX.size:
        request = stream.read(PREFIX.unpack(prefix)[0])
        with contextlib.suppress(DataError):  # what is no message has no answer
            reply = site.answer(request)
            sock.sendall(PREFIX.pack(len(reply)) + reply)


def _end_with_parent() -> None:
    """End this process at once when its parent ends."""
    from multiprocessing import parent_process

    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
