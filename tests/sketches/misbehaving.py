"""Sites that do what sites should not, to be run in processes of their own."""

from __future__ import annotations

import os
import signal
import struct
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from paretosql.sketches.site import Answering, Site
from paretosql.sketches.wire import Message


class Longer(bytes):
    """Bytes that call themselves shorter than they are, so that the rest follows as something unasked for."""

    length = 0

    def __len__(self) -> int:
        return self.length


class Misbehaving:
    """A site of the values 1000 * number .. 1000 * number + 99 that misbehaves from the given round on."""

    def __init__(self, number: int, how: str, from_round: int = 1) -> None:
        self._site = Site(np.arange(1000 * number, 1000 * number + 100))
        self._how, self._from = how, from_round

    def answer(self, request: bytes) -> bytes:
        if Message.from_bytes(request).round < self._from:
            return self._site.answer(request)
        return getattr(self, f"_{self._how}")(request)

    def _dies(self, request: bytes) -> bytes:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("dead")

    def _exits(self, request: bytes) -> bytes:
        os._exit(7)

    def _hangs(self, request: bytes) -> bytes:
        time.sleep(600)
        raise AssertionError("nobody waits so long")

    def _talks_nonsense(self, request: bytes) -> bytes:
        return b"nonsense, more than the header and checksum of a message"

    def _flips_a_bit(self, request: bytes) -> bytes:
        reply = bytearray(self._site.answer(request))
        reply[len(reply) // 2] ^= 4
        return bytes(reply)

    def _answers_twice(self, request: bytes) -> bytes:
        reply = self._site.answer(request)
        both = Longer(reply + struct.pack("<I", len(reply)) + reply)
        both.length = len(reply)
        return both

    def _answers_another_round(self, request: bytes) -> bytes:
        message = Message.from_bytes(self._site.answer(request))
        return replace(message, round=9).to_bytes()

    def _answers_another_run(self, request: bytes) -> bytes:
        message = Message.from_bytes(self._site.answer(request))
        return replace(message, run=message.run ^ 1).to_bytes()

    def _answers_another_question(self, request: bytes) -> bytes:
        message = Message.from_bytes(self._site.answer(request))
        return replace(message, kind=message.kind + 1).to_bytes()

    def _sends_more_rows(self, request: bytes) -> bytes:
        return Site(np.arange(5_000)).answer(request)

    def _stops_in_the_middle(self, request: bytes) -> bytes:
        half = Longer(b"only the beginning")
        half.length = 1_000
        return half

    def _announces_too_much(self, request: bytes) -> bytes:
        half = Longer(b"?")
        half.length = 2**31
        return half


class Once(Misbehaving):
    """Misbehaves at the first request only."""

    def answer(self, request: bytes) -> bytes:
        self._from, now = 99, self._from
        return super().answer(request) if now == 99 else getattr(self, f"_{self._how}")(request)


def announced(folder: Path, number: int, source: Callable[[], Answering]) -> Answering:
    """The site of `source`, once a file says that it is ready."""
    site = source()
    (folder / str(number)).touch()
    return site
