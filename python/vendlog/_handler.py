"""The `logging.Handler`: what the application sees of all this."""

import logging
import os
import time
import weakref
from typing import Any, Dict, Optional

from . import _encode
from ._sender import Sender

# Where the agent listens by default.
SOCKET_PATH = "/run/vendlog/agent.sock"
# While the agent is away records wait in memory, and nowhere else: some minutes of a busy
# application, hours of a quiet one, and little beside the memory of a Python process.
CAPACITY_RECORDS = 10000
CAPACITY_BYTES = 4 * 1024 * 1024
# The most that the end of the application may be held up by records that are still on their way.
EXIT_TIMEOUT_S = 1.0
# A flush looks this often whether it is done.
FLUSH_LOOK_S = 0.005

_handlers = weakref.WeakSet()  # type: weakref.WeakSet[Handler]


class Handler(logging.Handler):
    """Hands log records to the Vendlog agent.

    - A logging call never waits for the agent, the disk or the network, and never raises: it
      makes one line of the record and puts it into a bounded queue in memory.
    - A thread sends the lines and keeps each until the agent says that it is durable. After a
      broken connection they are sent again with the same numbers, so the agent stores none twice.
    - When the queue is full, records are dropped and counted; an entry with `event=gap` says how
      many as soon as there is room.
    - At the end of the program it waits at most `exit_timeout_s` for what is on its way.
    - After `fork` a child has a queue, numbers and a thread of its own. A child that ends by
      `os._exit`, as those of multiprocessing do, should call `logging.shutdown()` first.

    `component` names the part of the machine; without it, it is the last part of the logger's
    name. Fields given by `extra=` become the entry's context, a traceback part of its message.
    """

    def __init__(
        self,
        path: str = SOCKET_PATH,
        level: int = logging.NOTSET,
        component: Optional[str] = None,
        capacity_records: int = CAPACITY_RECORDS,
        capacity_bytes: int = CAPACITY_BYTES,
        exit_timeout_s: float = EXIT_TIMEOUT_S,
    ) -> None:
        super().__init__(level)
        self.path = os.fspath(path)
        self.component = component
        self.capacity_records = max(1, capacity_records)
        self.capacity_bytes = capacity_bytes
        self.exit_timeout_s = exit_timeout_s
        # Records that could not even be made into a line.
        self.failed = 0
        self._gave_up = False
        self._sender = self._new_sender()
        _handlers.add(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Puts the record into the queue. Never waits, never raises."""
        try:
            message = self.format(record) if self.formatter is not None else None
        except Exception:
            message = None
        try:
            self._sender.put(_encode.line(record, self.component, message))
        except Exception:
            self.failed += 1

    def flush(self, timeout: Optional[float] = None) -> bool:  # type: ignore[override]
        """Waits until the agent has everything, at most so many seconds; whether it has."""
        limit = self.exit_timeout_s if timeout is None else timeout
        deadline = time.monotonic() + limit
        sender = self._sender
        sender.is_awaited = True
        try:
            while not sender.is_drained():
                if time.monotonic() >= deadline or sender.closing.is_set():
                    self._gave_up = True
                    return False
                sender.wake()
                time.sleep(FLUSH_LOOK_S)
        finally:
            sender.is_awaited = False
        self._gave_up = False
        return True

    def close(self) -> None:
        """Ends the thread; records after this are dropped. Waits as `flush` does, but not again
        when that was just in vain: `logging.shutdown` calls both."""
        try:
            if not self._gave_up:
                self.flush()
            sender = self._sender
            sender.closing.set()
            if sender.is_running:
                sender.wake()
        finally:
            super().close()

    def stats(self) -> Dict[str, Any]:
        """Counts since the start: `acknowledged`, `waiting`, `dropped`, `refused` (`refusal` is
        what the agent said last), `failed`."""
        sender = self._sender
        return {
            "acknowledged": sender.acknowledged,
            "waiting": len(sender.queue) + len(sender.unanswered),
            "dropped": sender.dropped,
            "refused": sender.refused,
            "refusal": sender.refusal,
            "failed": self.failed,
        }

    def _new_sender(self) -> Sender:
        component = _encode.component_of(self.component or "")
        return Sender(self.path, self.capacity_records, self.capacity_bytes, component)

    def _after_fork(self) -> None:
        """In the child: what waits is the parent's to send, and so is the connection."""
        connection = self._sender.connection
        self._sender = self._new_sender()
        self.failed = 0
        self._gave_up = False
        if connection is not None:
            connection.close()


def _after_fork_in_child() -> None:
    for handler in list(_handlers):
        try:
            handler._after_fork()
        except Exception:
            pass  # a child without its log is better than no child


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
