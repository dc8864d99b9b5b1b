"""The card reader's frames: bytes in, events out. The same rules as the agent's own decoder.

A CRC is two raw bytes and may hold the CR that ends a frame; which CR is the end is settled by the
CRC itself. Nothing here reads a port or a clock.
"""

from typing import List, Optional, Tuple

ACK = 0x06
NAK = 0x15
RS = 0x1E
CR = 0x0D
# The longest frame that is taken.
FRAME_MAX_BYTES = 1024
# After the first CR of a frame so many bytes may still belong to it.
TAIL_BYTES = 2
# Seconds for a byte at 9600 baud, 8-N-1.
BYTE_S = 10.0 / 9600

# Answers of the reader, and which of them carry a CRC.
ANSWERS = frozenset(list(range(19)) + [30, 31, 32, 33])
WITH_CRC = frozenset([2, 3, 11])


def crc16(data: bytes) -> int:
    """CRC-16/CCITT-FALSE."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = ((crc << 1) ^ 0x1021) & 0xFFFF if crc & 0x8000 else (crc << 1) & 0xFFFF
    return crc


def frame(code: int, fields: Tuple[bytes, ...] = (), has_crc: bool = False) -> bytes:
    """A frame as it stands on the line."""
    data = b"\x1e".join((str(code).encode("ascii"),) + tuple(fields))
    if has_crc:
        data += crc16(data).to_bytes(2, "big")
    return data + b"\r"


class Event:
    """`code` of an answer and its bytes without the CR; ACK and NAK have the codes -1 and -2."""

    def __init__(self, code: int, raw: bytes = b"") -> None:
        self.code = code
        self.raw = raw


ACKED = Event(-1)
NAKED = Event(-2)


class Decoder:
    """Finds answers of the reader; what makes no sense is skipped up to a CR and a little beyond."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        # Where the first CR of the frame is, once there is one that did not end it.
        self._first_cr = None  # type: Optional[int]
        self._skips = False
        self._skip_more = 0

    def clear(self) -> None:
        self.__init__()  # type: ignore[misc]

    def push(self, data: bytes) -> List[Event]:
        """The events that end in these bytes."""
        events = []
        for byte in data:
            event = self._push(byte)
            if event is not None:
                events.append(event)
        return events

    def _push(self, byte: int) -> Optional[Event]:
        if self._skips:
            return self._skip(byte)
        if not self._bytes:
            if byte == ACK:
                return ACKED
            if byte == NAK:
                return NAKED
            if byte in (CR, 0x0A):
                return None
            if not 0x30 <= byte <= 0x39:
                self._skips, self._skip_more = True, 0
                return None
        self._bytes.append(byte)
        if self._first_cr is None:
            if byte != CR:
                if len(self._bytes) > FRAME_MAX_BYTES:
                    self.clear()
                    self._skips = True
                return None
            event = self._ended()
            if event is None:
                self._first_cr = len(self._bytes) - 1
            return event
        event = self._ended() if byte == CR and self._code() in WITH_CRC else None
        if event is None and len(self._bytes) > self._first_cr + TAIL_BYTES:
            self.clear()
        return event

    def _skip(self, byte: int) -> None:
        # A CR may have been part of a CRC: one close behind it is skipped as well.
        if self._skip_more == 0:
            self._skip_more = TAIL_BYTES + 1 if byte == CR else 0
        if self._skip_more and self._skip_more <= TAIL_BYTES and byte == CR:
            self._skip_more = 1
        if self._skip_more:
            self._skip_more -= 1
            if self._skip_more == 0:
                self.clear()

    def _code(self) -> Optional[int]:
        digits = bytes(self._bytes[:3])
        count = 0
        while count < len(digits) and 0x30 <= digits[count] <= 0x39:
            count += 1
        text = digits[:count]
        if count == 1 or (count == 2 and text[:1] != b"0"):
            return int(text)
        return None

    def _ended(self) -> Optional[Event]:
        """The frame, if the CR that came last ends one."""
        code = self._code()
        raw = bytes(self._bytes[:-1])
        if code is None or code not in ANSWERS:
            return None
        body = raw
        if code in WITH_CRC:
            body = raw[:-2]
            if len(raw) < 4 or crc16(body) != int.from_bytes(raw[-2:], "big"):
                return None
        rest = body[len(str(code)) :]
        if (rest and rest[0] != RS) or (code in WITH_CRC and not rest):
            return None
        if any(byte < 0x20 and byte not in (RS, 0x1D, 0x0A) or byte == 0x7F for byte in rest):
            return None
        self.clear()
        return Event(code, raw)
