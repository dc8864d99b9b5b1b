"""Uploads drops between sales, by the application's own serial object.

How a file goes up is guessed from public programs, and has been tested on a simulator only; every
guess is in `Layout`.
"""

import threading
import time
from typing import Any, Callable, Dict, List, Optional, Tuple

from ._errand import Errand
from ._frames import ACKED, BYTE_S, NAKED, Decoder, Event, frame

# A call of `step` takes at most about this long: a record on the wire and its ACK.
STEP_S = 0.15
# `abort` gives the reader back within this time.
ABORT_S = 0.29
# What a step ends is over so long before an abort that began with it stops waiting: it may be late.
MARGIN_S = 0.04
# In an abort an ACK and an answer are waited for so long; the reader ACKs within 10 ms.
LAST_ACK_S = 0.035
LAST_ANSWER_S = 0.05
# Within this time an 8 that was not heard is not said again.
LAST_TRY_S = 0.1
# The port is looked at this often while something is awaited.
LOOK_S = 0.002
# An answer that nobody waits for any more may still come for so long.
LATE_S = 1.0
# A drop that could not be begun for so long is given back.
UNUSED_S = 60.0
# Statuses that are a sale, in which nothing of ours is said.
SALE = (2, 7, 8, 9)
# No layout can add to these: in any other status a sale may be going on.
IDLE = (0, 6)


class Layout:
    """The guesses about an upload, and its limits in time."""

    def __init__(
        self,
        file_type: str = "0",
        record_bytes: int = 96,
        first_record: int = 1,
        has_crc: bool = True,
        done_in: Tuple[int, ...] = IDLE,
        ack_timeout_s: float = 0.25,
        answer_timeout_s: float = 0.25,
        poll_interval_s: float = 0.1,
        ready_timeout_s: float = 10.0,
        finish_timeout_s: float = 60.0,
        tries: int = 3,
    ) -> None:
        self.file_type = file_type
        # A record cannot be interrupted; more than 96 bytes would make a step longer than STEP_S.
        self.record_bytes = max(1, min(record_bytes, 96))
        self.first_record = first_record
        self.has_crc = has_crc
        self.done_in = tuple(done_in)
        self.ack_timeout_s = ack_timeout_s
        self.answer_timeout_s = answer_timeout_s
        self.poll_interval_s = poll_interval_s
        self.ready_timeout_s = ready_timeout_s
        self.finish_timeout_s = finish_timeout_s
        self.tries = tries

    def ready(self, name: str, size: int) -> bytes:
        """Command 24."""
        total = -(-size // self.record_bytes)
        fields = (name, self.file_type, str(size), str(total), str(self.record_bytes))
        return frame(24, tuple(f.encode("ascii") for f in fields), self.has_crc)

    def record(self, index: int, data: bytes) -> bytes:
        """Command 25 for the record at `index`, counted from 0."""
        number = str(self.first_record + index).encode("ascii")
        return frame(25, (number, data), self.has_crc)


class Given(Exception):
    """The upload came to nothing, and why; never seen outside."""


class Uploader:
    """Brings the agent's drops to the reader while the application does not need it.

        uploader = vendlog.Uploader(ser)
        while True:
            status = eport.status()
            status = uploader.step(status) or status
            ...
            uploader.abort()        # before anything else is said to the reader

    - `step` does at most one exchange with the reader, in at most about 150 ms, and only when the
      reader is idle (`0` or `6`). It returns `None`, or an answer of the reader that is for the
      application: to be treated as if its own poll had got it.
    - `abort` gives the reader back within 300 ms, from any thread. Without an upload it does nothing.
    - Bytes that wait in the port when `step` is called are the application's: they are not touched.
    - No call raises, and none waits for the agent: a thread fetches and reports.

    `is_busy` says that an upload is going on: a loop that then calls `step` without sleeping is done
    in two seconds. `pause_idle_reader_s` (off by default) is for applications whose reader waits for
    a card (`7`) all the time: it may be disabled (6) for at most so many seconds, and is enabled (5)
    again; a card presented meanwhile is not read. That too was tried on a simulator only.
    """

    def __init__(
        self,
        port: Any,
        agent: str = "/run/vendlog/agent.sock",
        layout: Optional[Layout] = None,
        pause_idle_reader_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.port = port
        self.layout = layout or Layout()
        self.pause_idle_reader_s = pause_idle_reader_s
        # Counts since the start, and why the last upload failed.
        self.uploaded = 0
        self.failed = 0
        self.aborted = 0
        self.last_error = None  # type: Optional[str]
        self._clock = clock
        self._errand = Errand(agent)
        self._decoder = Decoder()
        self._lock = threading.Lock()
        # An abort has been called, and has the reader by then.
        self._wanted_by = None  # type: Optional[float]
        self._upload = None  # type: Optional[Upload]
        self._unused_since = None  # type: Optional[float]

    @property
    def is_busy(self) -> bool:
        """Whether an upload is going on."""
        return self._upload is not None

    def step(self, status: Optional[bytes]) -> Optional[bytes]:
        """Goes on a little; `status` is what the application's last poll has got."""
        if not self._lock.acquire(False):
            return None  # an abort is going on
        try:
            if self._wanted_by is None:
                return self._step(status)
            if self._clock() >= self._wanted_by:
                return self._catch_up(status)
            return None
        except Exception as error:  # the port has gone, or is of a strange kind
            self._give_up("the port failed: %s" % error)
            return None
        finally:
            self._lock.release()

    def abort(self) -> Optional[bytes]:
        """The application needs the reader now."""
        end = self._clock() + ABORT_S
        self._wanted_by = end
        # A step on another thread ends what it is saying first, and by the same time.
        if not self._lock.acquire(timeout=ABORT_S):
            return None  # it hangs in the port: the next call ends the upload
        try:
            return self._interrupt(end)
        except Exception as error:
            self._give_up("the port failed: %s" % error)
            return None
        finally:
            if self._wanted_by == end:
                self._wanted_by = None
            self._lock.release()

    def close(self, timeout: float = 1.0) -> None:
        """Ends an upload and the thread."""
        self.abort()
        self._errand.end(timeout)

    def _interrupt(self, end: float) -> Optional[bytes]:
        upload = self._upload
        if upload is None:
            return None
        self.aborted += 1
        answer = self._end_transfer(upload, end)
        self._done(upload, "interrupted: the application needed the reader")
        return answer

    def _catch_up(self, status: Optional[bytes]) -> Optional[bytes]:
        """Ends what an abort could not; the application has talked to the reader since."""
        self._wanted_by = None
        code = _code(status)
        if self._upload is not None and code is not None:
            self._upload.foreign_of([Event(code)])
        return self._interrupt(self._clock() + ABORT_S)

    def _limit(self, seconds: float) -> float:
        """When what a step ends is over: in so long, and before an abort has waited its time."""
        end, wanted_by = self._clock() + seconds, self._wanted_by
        return end if wanted_by is None else min(end, wanted_by - MARGIN_S)

    # -- between uploads -------------------------------------------------------------------------

    def _step(self, status: Optional[bytes]) -> Optional[bytes]:
        if self._upload is None:
            code = _code(status)
            is_idle = code in IDLE
            may_pause = code == 7 and self.pause_idle_reader_s > 0
            if not (is_idle or may_pause):
                self._return_unused()
                return None
            drop = self._errand.drop
            if drop is None:
                self._errand.want()
            if drop is None or self.port.in_waiting:
                return None
            self._errand.drop, self._unused_since = None, None
            self._decoder.clear()
            now = self._clock()
            until = now + self.pause_idle_reader_s if may_pause else None
            self._upload = Upload(drop, self.layout, code or 0, until, now)
        return self._go_on(self._upload, status)

    def _return_unused(self) -> None:
        """A drop that nobody could use is made anew by the agent, with what has come since."""
        drop, now = self._errand.drop, self._clock()
        if drop is None:
            self._unused_since = None
        elif self._unused_since is None:
            self._unused_since = now
        elif now - self._unused_since > UNUSED_S:
            self._errand.drop, self._unused_since = None, None
            self._report(drop, "the reader was not idle")

    # -- an upload -------------------------------------------------------------------------------

    def _go_on(self, upload: "Upload", status: Optional[bytes]) -> Optional[bytes]:
        end = self._clock() + STEP_S
        try:
            if not upload.awaits:
                if upload.may_be_late(self._clock()) and self.port.in_waiting:
                    self.port.read(self.port.in_waiting)
                elif self.port.in_waiting:
                    if not upload.waits_for_port(self._clock()):
                        self._leave(upload, status)
                    return None
                said = upload.say(self._clock())
                if said is None:
                    return None
                self.port.write(said)
            for event in self._hear(min(end, upload.until), upload):
                foreign = upload.heard(event, self._clock())
                if foreign is not None:
                    self._end_transfer(upload, self._limit(ABORT_S - MARGIN_S), foreign)
                    self._done(upload, "the reader is needed by the application")
                    return foreign
            upload.look(self._clock())
        except Given as given:
            answer = None
            if upload.is_open or upload.is_paused:
                answer = self._end_transfer(upload, self._limit(ABORT_S - MARGIN_S))
            self._done(upload, str(given))
            return answer
        if upload.is_done:
            self._enable(upload, self._limit(STEP_S))
            self._done(upload, None)
        return None

    def _leave(self, upload: "Upload", status: Optional[bytes]) -> None:
        """Somebody else talks on the port: nothing is heard any more."""
        # A 7 may be as old as the upload, from before the reader was disabled.
        if _code(status) not in (2, 8, 9):
            self._release(upload)
        self._done(upload, "the port was used by the application")

    def _hear(self, end: float, upload: Optional["Upload"] = None) -> List[Event]:
        """Events until something is heard, the time is over, or the application wants the reader."""
        while True:
            waiting = self.port.in_waiting
            if waiting:
                events = self._decoder.push(self.port.read(waiting))
                if events:
                    return events
            if self._clock() >= end or (upload is not None and self._wanted_by is not None):
                return []
            time.sleep(LOOK_S)

    def _hear_answer(self, end: float) -> List[Event]:
        """The same up to an answer: late ACKs before it are ours too."""
        while True:
            events = self._hear(end)
            if not events or any(event.code >= 0 for event in events):
                return events

    def _end_transfer(
        self, upload: "Upload", end: float, foreign: Optional[bytes] = None
    ) -> Optional[bytes]:
        """8, and the 13 that it leads to; then the reader is as it was found.

        After an answer of a sale nothing is said. `foreign` is what was heard for the application.
        """
        if upload.awaits:
            # What is on the wire is finished: cut, it would garble the 8 behind it.
            most = upload.on_wire_until + (LAST_ACK_S if upload.awaits_ack else LAST_ANSWER_S)
            # Without a transfer nothing follows that could take a late answer.
            most = min(most, end) if upload.is_open else end - LAST_ACK_S
            heard = upload.foreign_of(self._hear(most))
            foreign = foreign or heard
        for attempt in range(self.layout.tries):
            # Once it is said however late it is: with an open transfer the reader cannot sell.
            if not upload.is_open or (attempt and self._clock() >= end - LAST_TRY_S):
                break
            self._decoder.clear()
            self.port.write(frame(8))
            most = min(self._clock() + 2 * BYTE_S + LAST_ACK_S, end)
            events = self._hear(most)
            if events and ACKED not in events:  # an answer that was late
                heard = upload.foreign_of(events)
                foreign = foreign or heard
                events = self._hear(most)
            if foreign is not None or self._clock() >= end - LAST_ANSWER_S:
                # One answer can be handed on, and none be awaited: the 13 is left in the reader.
                upload.is_open = upload.is_open and ACKED not in events
                continue
            self._decoder.clear()
            self.port.write(frame(1))
            is_acked = ACKED in events
            # All the time there is: an answer that comes later would stand in the application's own.
            events = self._hear_answer(end - (LAST_ACK_S if upload.is_paused else 0.0))
            foreign = upload.foreign_of(events)
            # 12: the 8 was not heard. Silence says nothing, and so the ACK must do.
            codes = [event.code for event in events if event.code >= 0]
            upload.is_open = 12 in codes if codes else not is_acked
        self._enable(upload, end)
        return foreign

    def _enable(self, upload: "Upload", end: float) -> None:
        """Lets a reader that was disabled take cards again."""
        for _ in range(self.layout.tries):
            if not upload.is_paused:
                return
            self._decoder.clear()
            self.port.write(frame(5))
            events = self._hear(min(self._clock() + 2 * BYTE_S + LAST_ACK_S, end))
            if ACKED in events or self._clock() >= end:
                upload.is_paused = False

    def _release(self, upload: "Upload") -> None:
        """8 and 5 without listening: the port has failed, or the answers would be another's."""
        said = frame(8) if upload.is_open else b""
        said += frame(5) if upload.is_paused else b""
        upload.is_open = upload.is_paused = False
        try:
            if said:
                self.port.write(said)
        except Exception:  # it is told as the port's failure already
            pass

    def _done(self, upload: "Upload", reason: Optional[str]) -> None:
        self._upload = None
        if reason is None:
            self.uploaded += 1
        else:
            self.failed += 1
            self.last_error = reason
        self._report(upload.drop, reason)

    def _give_up(self, reason: str) -> None:
        upload = self._upload
        if upload is not None:
            self._release(upload)
            self._done(upload, reason)

    def _report(self, drop: Dict[str, Any], reason: Optional[str]) -> None:
        if reason is None:
            self._errand.report({"cmd": "drop_sent", "id": drop["id"], "reader_state": "idle"})
        else:
            self._errand.report({"cmd": "drop_failed", "id": drop["id"], "reason": reason})


class Upload:
    """One drop on its way: what is said next, and what each answer means. No port, no clock."""

    def __init__(
        self,
        drop: Dict[str, Any],
        layout: Layout,
        code: int,
        paused_until: Optional[float],
        now: float,
    ) -> None:
        self.drop = drop
        self.layout = layout
        self.data = drop["data"].encode("ascii")
        # disable, idle, begin, ready, record, finish
        self.stage = "idle" if paused_until is None else "disable"
        self.paused_until = paused_until
        # It was disabled by us.
        self.is_paused = False
        # The reader was told of a file, and neither has it nor was told otherwise.
        self.is_open = False
        self.is_done = False
        # An answer to what was said last is awaited until then.
        self.awaits = False
        self.awaits_ack = False
        self.until = now
        self.on_wire_until = now
        self.not_before = now
        self.deadline = now + layout.ready_timeout_s
        self.tries = 0
        self.index = 0
        # The status of which so many answers in a row agree; the application's own poll is the first.
        self.last = code
        self.agreed = 1
        self.is_doubtful = False
        self.silent = 0
        self.blocked_since = None  # type: Optional[float]
        self.late_until = now

    def may_be_late(self, now: float) -> bool:
        """Whether bytes in the port may be an answer to us that came too late."""
        return now < self.late_until

    def waits_for_port(self, now: float) -> bool:
        """Bytes of the application wait in the port: for how long may that be?"""
        if self.blocked_since is None:
            self.blocked_since = now
        return now - self.blocked_since < 2.0

    def say(self, now: float) -> Optional[bytes]:
        """The next command, or None while there is a pause."""
        self.blocked_since = None
        if self.paused_until is not None and now >= self.paused_until:
            raise Given("the reader was not done in the time that it may be disabled")
        if now >= self.deadline:
            raise Given("the reader did not go on in time")
        if now < self.not_before:
            return None
        self.awaits_ack = self.stage in ("disable", "begin", "record")
        if self.stage == "disable":
            said = frame(6)
            self.is_paused = True
        elif self.stage == "begin":
            said = self.layout.ready(self.drop["name"], len(self.data))
            self.is_open = True
        elif self.stage == "record":
            start = self.index * self.layout.record_bytes
            piece = self.data[start : start + self.layout.record_bytes]
            said = self.layout.record(self.index, piece)
        else:
            said = frame(1)
        self.tries += 1 if self.awaits_ack else 0
        self.awaits = True
        self.on_wire_until = now + len(said) * BYTE_S
        wait = self.layout.ack_timeout_s if self.awaits_ack else self.layout.answer_timeout_s
        self.until = self.on_wire_until + wait
        return said

    def look(self, now: float) -> None:
        """Notices that nothing was heard."""
        if not self.awaits or now < self.until:
            return
        self.awaits = False
        self.late_until = now + LATE_S
        if self.stage == "record":
            # It may have been taken; sent again, it could stand in the file twice.
            raise Given("no acknowledgement of a record")
        if self.stage == "begin":
            self._enter("ready", now, self.layout.ready_timeout_s)
            return
        if self.stage == "finish":
            self.is_doubtful = True
        self.silent += 1
        if self.silent >= self.layout.tries:
            raise Given("the reader does not answer")
        self._pause(now)

    def heard(self, event: Event, now: float) -> Optional[bytes]:
        """Takes an event; the answer if it is for the application."""
        if event is ACKED or event is NAKED:
            if self.awaits and self.awaits_ack:
                self.awaits = False
                self._acked(now) if event is ACKED else self._naked()
            return None
        foreign = self.foreign_of([event])
        if foreign is not None:
            self.awaits = self.awaits and self.awaits_ack
            return foreign
        if event.code in (10, 13, 30, 31, 32, 33) or (self.awaits and not self.awaits_ack):
            self.awaits, self.silent = False, 0
            self._answer(event.code, now)
        return None

    def foreign_of(self, events: List[Event]) -> Optional[bytes]:
        """The answer among these that is for the application: a sale, or what is said once."""
        for event in events:
            if event.code in SALE:
                # The reader takes cards or sells: it is neither enabled nor told of an end.
                self.is_open = self.is_paused = False
            if event.code in (3, 4, 5, 11, 17, 18) or event.code in SALE:
                return event.raw
        return None

    def _acked(self, now: float) -> None:
        if self.stage == "disable":
            self.agreed = 0
            self._enter("idle", now, self.layout.ready_timeout_s)
        elif self.stage == "begin":
            self._enter("ready", now, self.layout.ready_timeout_s)
            self.tries = 0
        else:
            self.index += 1
            is_last = self.index * self.layout.record_bytes >= len(self.data)
            limit = self.layout.finish_timeout_s if is_last else self.layout.ready_timeout_s
            self.agreed = 0
            self._enter("finish" if is_last else "record", now, limit)
            self.tries = 0

    def _naked(self) -> None:
        if self.tries >= self.layout.tries:
            raise Given("the reader refused a command (NAK)")

    def _answer(self, code: int, now: float) -> None:
        if code in (30, 31, 32, 33):
            self.is_open = False
            names = ("NETWORK", "MODEM", "SERVER", "TIME_REQUEST")
            raise Given("the reader's cell side failed (FAIL_%s)" % names[code - 30])
        if code == 13 and self.stage != "idle":
            self.is_open = False
            raise Given("the reader cancelled the transfer")
        if code == 10 and self.stage != "idle":
            raise Given("the reader calls a command invalid or out of sequence")
        self.agreed = self.agreed + 1 if code == self.last else 1
        self.last = code
        if self.stage == "idle" and code in IDLE:
            if self.agreed >= 2:
                self.tries = 0
                self._enter("begin", now, self.layout.ready_timeout_s)
        elif self.stage == "ready" and code == 12:
            self.tries = 0
            self._enter("record", now, self.layout.ready_timeout_s)
        elif self.stage == "ready" and code in IDLE and self.tries > 0:
            # The 24 without an ACK was not taken.
            self.is_open = False
            if self.tries >= self.layout.tries:
                raise Given("the reader does not answer")
            self._enter("begin", now, self.layout.ready_timeout_s)
        elif self.stage == "finish" and code in self.layout.done_in:
            if self.agreed >= 2:
                self.is_open = False
                if self.is_doubtful:
                    raise Given("an answer was garbled: the reader may or may not have the file")
                self.is_done = True
        else:
            self._pause(now)

    def _enter(self, stage: str, now: float, limit: float) -> None:
        self.stage = stage
        self.silent = 0
        self.not_before = now
        self.deadline = now + limit

    def _pause(self, now: float) -> None:
        self.not_before = now + self.layout.poll_interval_s


def _code(status: Optional[bytes]) -> Optional[int]:
    """The code of an answer as the application has it: with or without its CR."""
    if not isinstance(status, (bytes, bytearray)):
        return None
    digits = bytes(status).strip().split(b"\x1e", 1)[0]
    return int(digits) if digits.isdigit() and len(digits) <= 2 else None
