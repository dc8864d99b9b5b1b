"""A reader at the other end of a pseudo terminal, as tests of uploads need it: small, at rest
in 7, able to say a thing once, to fall silent, to be slow. Without CRCs; the one that is true to the
protocol is `vendlog-sim reader`.
"""

import array
import fcntl
import os
import select
import termios
import threading
import time
import tty
from typing import List, Optional


class Port:
    """What an application's serial object does, and what becomes of it when it fails or hangs."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        # So many looks at the port fail.
        self.failures = 0
        # The next write hangs until this is set.
        self.hangs = None  # type: Optional[threading.Event]

    @property
    def in_waiting(self) -> int:
        if self.failures > 0:
            self.failures -= 1
            raise OSError("device reports readiness to read but returned no data")
        count = array.array("i", [0])
        fcntl.ioctl(self.fd, termios.FIONREAD, count)
        return count[0]

    def read(self, size: int = 1) -> bytes:
        return os.read(self.fd, size)

    def write(self, data: bytes) -> int:
        hangs, self.hangs = self.hangs, None
        if hangs is not None:
            hangs.wait(10)
        return os.write(self.fd, data)


class Reader:
    """Hears and answers on a thread of its own."""

    def __init__(self) -> None:
        self.status = b"7"
        self.is_open = False
        # The codes of the commands, in order.
        self.said = []  # type: List[int]
        # When this command has come, the next STATUS gets that answer, once.
        self.answers_after = 0
        self.answer = b""
        # From this command on nothing is answered.
        self.silent_from = 0
        # STATUS takes so long while there is an answer to be said once.
        self.delay_s = 0.0
        # Set when a STATUS has come that gets it.
        self.is_asked = threading.Event()
        self._pending = b""
        self._fd, fd = os.openpty()
        tty.setraw(fd)
        self.port = Port(fd)
        self._ends = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ends = True
        self._thread.join(5)
        os.close(self._fd)
        os.close(self.port.fd)

    def send(self, data: bytes) -> None:
        os.write(self._fd, data)

    def settle(self) -> None:
        """Until what was written has been obeyed."""
        time.sleep(0.15)

    def _run(self) -> None:
        heard = b""
        while not self._ends:
            if not select.select([self._fd], [], [], 0.02)[0]:
                continue
            heard += os.read(self._fd, 4096)
            while b"\r" in heard:
                command, heard = heard.split(b"\r", 1)
                code = int(command.split(b"\x1e", 1)[0])
                self.said.append(code)
                if not (self.silent_from and self.silent_from in self.said):
                    self._obey(code)

    def _obey(self, code: int) -> None:
        if code == 1:
            said, self._pending = self._pending, b""
            if said and said == self.answer:
                self.is_asked.set()
                time.sleep(self.delay_s)
            self.send((said or (b"12" if self.is_open else self.status)) + b"\r")
            return
        if code == 8:
            self._pending = b"13" if self.is_open else b"10\x1e8\x1eOut of sequence"
            self.is_open = False
        elif self.is_open and code != 25:
            self._pending = b"10\x1e%d\x1eOut of sequence" % code
        elif code == 24:
            self.is_open = True
        elif code in (5, 6):
            self.status = b"7" if code == 5 else b"6"
        if code == self.answers_after:
            self._pending, self.answers_after = self.answer, 0
        self.send(b"\x06")
