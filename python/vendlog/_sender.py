"""Brings lines to the agent: numbered, in order, sent again until the agent says they are durable.

Runs on one thread of its own. What it shares with the application's threads are a deque, counters
that only one side writes, and a lock used as a bell; the application never waits for any of them,
and rings the bell without giving up the interpreter.
"""

import errno
import json
import os
import select
import socket
import threading
import time
from collections import deque
from typing import Any, Deque, Dict, Optional, Tuple

from . import _encode

try:
    from _thread import start_new_thread
except ImportError:  # an interpreter without threads
    start_new_thread = None  # type: ignore[assignment]

# At most so much is on its way without an answer: enough that the agent's syncs of up to a second
# do not slow a busy application, small enough to be sent again quickly.
WINDOW_RECORDS = 2000
# Written to the socket at once; a short piece keeps the interpreter's lock free for others.
CHUNK_BYTES = 32 * 1024
CHUNK_RECORDS = 100
# The agent answers within its own deadline of two seconds even when it must refuse; one that
# says nothing for this long hangs, and a new connection is tried.
ANSWER_TIMEOUT_S = 10.0
CONNECT_TIMEOUT_S = 2.0
# Pauses between two attempts: the agent is back within seconds of a restart, or gone for long.
BACKOFF_FIRST_S = 0.1
BACKOFF_MOST_S = 5.0
# While answers are awaited new records do not ring the bell: they are looked for this often.
LOOK_S = 0.02
LOOK_SLOW_S = 0.25
# An idle thread looks around this often although nobody rang.
IDLE_LOOK_S = 30.0
# Answers taken at once, for the same reason as the chunks: about a hundred.
ANSWERS_BYTES = 4 * 1024
# An answer is a short object; more without a line end is not our agent.
ANSWER_MAX_BYTES = 64 * 1024
# Stands for the command among the numbers of the lines on their way.
SYNC = 0


class Sender:
    """The queue and the thread behind one handler."""

    def __init__(self, path: str, capacity_records: int, capacity_bytes: int, component: str):
        self.path = path
        self.capacity_records = capacity_records
        self.capacity_bytes = capacity_bytes
        self.component = component
        # Who numbers: new for every process and handler.
        self.name = os.urandom(12).hex()
        # What a line takes of `capacity_bytes`, and its members.
        self.queue = deque()  # type: Deque[Tuple[int, bytes]]
        # Its size, n and the whole line, in order; each was sent or will be sent again.
        self.unanswered = deque()  # type: Deque[Tuple[int, int, bytes]]
        # Written by the application's side, under the handler's lock.
        self.bytes_in = 0
        self.dropped = 0
        self.dropped_since = 0.0
        # Written by the thread.
        self.bytes_out = 0
        self.last_n = 0
        self.refused = 0
        self.refusal = None  # type: Optional[str]
        self.acknowledged = 0
        # Written by whoever reports a gap, under `gap_lock`.
        self.reported = 0
        self.gap_lock = threading.Lock()
        self.bell = threading.Lock()
        self.bell.acquire()
        self.asleep = False
        # Somebody waits for the queue to be empty.
        self.is_awaited = False
        self.closing = threading.Event()
        self.is_running = False
        self.connection = None  # type: Optional[socket.socket]

    # -- the application's side: never waits ------------------------------------------------------

    def put(self, line: bytes) -> None:
        """Takes a line, or counts it as dropped when there is no room."""
        if not self._has_room(len(line)):
            if self.dropped == self.reported:
                self.dropped_since = time.time()
            self.dropped += 1
            return
        if self.dropped != self.reported:
            self._report_gap()
        self.bytes_in += len(line)
        self.queue.append((len(line), line))
        self.wake()

    def wake(self) -> None:
        """Starts the thread, or rings when it sleeps."""
        if not self.is_running:
            self._start()
        elif self.asleep:
            try:
                self.bell.release()
            except RuntimeError:
                pass  # it was rung already

    def is_drained(self) -> bool:
        """Whether the agent has answered for everything."""
        return not self.queue and not self.unanswered and self.dropped == self.reported

    def _has_room(self, more: int) -> bool:
        if self.closing.is_set():
            return False
        count = len(self.queue) + len(self.unanswered)
        waiting = self.bytes_in - self.bytes_out
        return count < self.capacity_records and waiting + more <= self.capacity_bytes

    def _start(self) -> None:
        if start_new_thread is None or self.closing.is_set():
            return
        self.is_running = True
        try:
            start_new_thread(self._run, ())
        except RuntimeError:  # no more threads, or the interpreter ends: the next record tries
            self.is_running = False

    def _report_gap(self) -> None:
        """Queues an entry that says how many records were dropped, where they are missing."""
        if not self.gap_lock.acquire(False):
            return  # the other side is doing it
        try:
            dropped = self.dropped
            count = dropped - self.reported
            if count <= 0:
                return
            plural = "record was" if count == 1 else "records were"
            entry = {
                "level": "WARN",
                "component": self.component,
                "message": "%d log %s dropped: the agent did not take them in time"
                % (count, plural),
                "context": {
                    "event": "gap",
                    "why": "queue_full",
                    "records": count,
                    "since": _encode.timestamp(self.dropped_since),
                },
                "timestamp": _encode.timestamp(time.time()),
            }
            self.queue.append((0, _encode.members(entry)))
            self.reported = dropped
        finally:
            self.gap_lock.release()

    # -- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._deliver()
        except BaseException:  # nothing of ours may be printed into the application's output
            pass
        finally:
            self._hang_up()
            self.is_running = False

    def _deliver(self) -> None:
        pause = BACKOFF_FIRST_S
        while not self.closing.is_set():
            if not self._has_work():
                self._sleep()
                continue
            before = self.acknowledged
            try:
                self._connect()
                self._converse()
            except (OSError, ValueError):
                pass  # gone, hanging, or no agent of ours: tried again
            self._hang_up()
            if self.acknowledged > before:
                pause = BACKOFF_FIRST_S
            if self._has_work():
                self.closing.wait(pause)
                pause = min(pause * 2, BACKOFF_MOST_S)

    def _has_work(self) -> bool:
        if not self.queue and not self.unanswered and self.dropped != self.reported:
            self._report_gap()
        return bool(self.queue or self.unanswered)

    def _sleep(self) -> None:
        self.asleep = True
        # Looked at once more after saying so: a record between the two would not have rung.
        if not self._has_work() and not self.closing.is_set():
            self.bell.acquire(timeout=IDLE_LOOK_S)
        self.asleep = False

    def _connect(self) -> None:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.connection = connection
        connection.settimeout(CONNECT_TIMEOUT_S)
        connection.connect(self.path)
        connection.setblocking(False)

    def _hang_up(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.close()

    def _converse(self) -> None:
        """Sends and hears answers until the connection or the handler is closed."""
        connection = self.connection
        assert connection is not None
        poll = select.poll()
        talk = Talk()
        talk.unsent = b'{"cmd":"hello","sender":"%s","next":%d}\n' % (
            self.name.encode("ascii"),
            self.unanswered[0][1] if self.unanswered else self.last_n + 1,
        )
        while not self.closing.is_set():
            if not talk.unsent:
                self._next_chunk(talk)
            if talk.is_known and not talk.unsent and not talk.awaited:
                if not self._has_work():
                    self._sleep()
                    talk.progress = time.monotonic()
                continue
            silent = time.monotonic() - talk.progress
            if silent > ANSWER_TIMEOUT_S:
                return
            poll.register(connection, select.POLLIN | (select.POLLOUT if talk.unsent else 0))
            events = poll.poll(1000 * (LOOK_S if silent < 1.0 else LOOK_SLOW_S))
            if not events:
                continue
            if events[0][1] & ~select.POLLOUT:
                data = connection.recv(ANSWERS_BYTES)
                if not data:
                    return
                talk.progress = time.monotonic()
                self._answers(data, talk)
            if talk.unsent and events[0][1] & select.POLLOUT:
                talk.unsent = talk.unsent[_send(connection, talk.unsent) :]

    def _next_chunk(self, talk: "Talk") -> None:
        """The next lines to be written; they are awaited from here on."""
        if not talk.is_known:
            return  # what is to be sent is said by the answer to the hello
        lines, size = [], 0
        has_window = True
        while size < CHUNK_BYTES and len(lines) < CHUNK_RECORDS:
            has_window = len(talk.awaited) < WINDOW_RECORDS
            if not has_window:
                break
            if talk.again:
                n, line = talk.again.popleft()
            elif self.queue:
                n, line = self._take()
            else:
                break
            talk.awaited.append(n)
            lines.append(line)
            size += len(line)
        # Somebody waits, or more waits than may be on its way: not for the agent's next turn.
        is_urgent = talk.awaited and (self.is_awaited or not has_window)
        if is_urgent and not lines and not talk.has_asked:
            talk.has_asked = True
            talk.awaited.append(SYNC)
            lines.append(b'{"cmd":"sync"}\n')
        talk.unsent = b"".join(lines)

    def _take(self) -> Tuple[int, bytes]:
        size, members = self.queue[0]
        self.last_n += 1
        line = b'{"n":%d,' % self.last_n + members
        # Counted as unanswered before it leaves the queue: a flush must see it in one of them.
        self.unanswered.append((size, self.last_n, line))
        self.queue.popleft()
        return self.last_n, line

    def _answers(self, data: bytes, talk: "Talk") -> None:
        """Takes whole answers, which come in the order of the lines, and keeps the rest."""
        lines = (talk.heard + data).split(b"\n")
        talk.heard = lines.pop()
        if len(talk.heard) > ANSWER_MAX_BYTES:
            raise ValueError("no answer of an agent")
        for line in lines:
            answer = json.loads(line.decode("utf-8"))
            if not isinstance(answer, dict):
                raise ValueError("no answer of an agent")
            if not talk.is_known:
                self._greeted(answer, talk)
            elif talk.awaited:
                self._answered(answer, talk)
            else:
                raise ValueError("an answer to nothing")

    def _greeted(self, answer: Dict[str, Any], talk: "Talk") -> None:
        """The answer to the hello: up to `last` the agent has everything on disk."""
        last = answer.get("last")
        if answer.get("ok") is not True or type(last) is not int:
            self.refusal = str(answer.get("message"))
            raise ValueError("not now")
        while self.unanswered and self.unanswered[0][1] <= last:
            self._settle()
            self.acknowledged += 1
        # More than we ever sent would mean that the name is another's: it is random, but a number
        # must never belong to two records.
        self.last_n = max(self.last_n, last)
        talk.again.extend((n, line) for _, n, line in self.unanswered)
        talk.is_known = True

    def _answered(self, answer: Dict[str, Any], talk: "Talk") -> None:
        n = talk.awaited[0]
        is_ok = answer.get("ok") is True
        if not is_ok:
            self.refusal = str(answer.get("message"))
        if n == SYNC:
            if not is_ok:
                raise ValueError("not now")
            talk.has_asked = False
        elif is_ok and answer.get("n") == n:
            self._settle()
            self.acknowledged += 1
        elif answer.get("retry") is False:
            # The line itself is at fault and would be refused for ever.
            self._settle()
            self.refused += 1
            if answer.get("n") != n:
                raise ValueError("the agent must be told that the number is used up")
        else:
            raise ValueError("not now")
        talk.awaited.popleft()

    def _settle(self) -> None:
        size, _, _ = self.unanswered.popleft()
        self.bytes_out += size


class Talk:
    """What is known of one connection."""

    def __init__(self) -> None:
        # The agent has said what it knows of us.
        self.is_known = False
        # What the connection before did not answer goes first.
        self.again = deque()  # type: Deque[Tuple[int, bytes]]
        # The numbers that were sent, and SYNC, in order.
        self.awaited = deque()  # type: Deque[int]
        # A SYNC is among them.
        self.has_asked = False
        self.unsent = b""
        self.heard = b""
        self.progress = time.monotonic()


def _send(connection: socket.socket, data: bytes) -> int:
    try:
        return connection.send(data)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR):
            return 0
        raise
