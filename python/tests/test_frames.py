"""Frames of the reader: the published vectors, CR and RS inside a CRC, and garbage."""

import random
import unittest

from vendlog._frames import ACKED, CR, NAKED, RS, Decoder, Event, crc16, frame


class FramesTest(unittest.TestCase):
    def test_the_known_vectors_come_out(self) -> None:
        self.assertEqual(crc16(b"123456789"), 0x29B1)
        self.assertEqual(frame(21, (b"350",), True), b"21\x1e350\xe5\x58\r")
        self.assertEqual(frame(1), b"1\r")

    def test_an_answer_is_read_though_its_crc_holds_a_cr_or_an_rs(self) -> None:
        decoder = Decoder()
        odd = 0
        for amount in range(20000):
            fields = (b"%d" % amount, b"6396***********9701", b"")
            data = frame(2, fields, True)
            odd += CR in data[-3:-1] or RS in data[-3:-1]
            for _ in range(2):
                events = decoder.push(data)
                self.assertEqual([event.raw for event in events], [data[:-1]], amount)
        self.assertGreater(odd, 100)

    def test_acks_naks_and_line_ends_stand_between_frames(self) -> None:
        events = Decoder().push(b"\x06\r\n6\r\x15\r14\x1e18\x1e0\r")
        self.assertIs(events[0], ACKED)
        self.assertIs(events[2], NAKED)
        self.assertEqual([event.raw for event in events], [b"", b"6", b"", b"14\x1e18\x1e0"])

    def test_garbage_is_skipped_and_a_wrong_crc_never_accepted(self) -> None:
        for garbage in (b"07\r", b"99\r", b"\x1e7\r", b"2\r", b"2\x1e2000\x1ecard\xff\xff\r"):
            decoder = Decoder()
            self.assertEqual(decoder.push(garbage), [], garbage)
            decoder.clear()
            self.assertEqual([event.code for event in decoder.push(b"7\r")], [7], garbage)

    def test_random_streams_do_no_harm(self) -> None:
        chance = random.Random(7)
        likely = b"\x06\x15\x1e\r\r0123789|" + bytes(range(256))
        accepted = 0
        for _ in range(20000):
            data = bytes(chance.choice(likely) for _ in range(chance.randrange(20)))
            if chance.random() < 0.3:
                good = bytearray(frame(2, (b"2000", b"card"), True))
                good[chance.randrange(len(good))] ^= 1 << chance.randrange(8)
                data += bytes(good)
            for event in Decoder().push(data):
                self.assertIsInstance(event, Event)
                if event.code in (2, 3, 11):
                    accepted += 1
                    self.assertEqual(crc16(event.raw[:-2]), int.from_bytes(event.raw[-2:], "big"))
        self.assertLess(accepted, 20000)


if __name__ == "__main__":
    unittest.main()
