"""However an upload ends, the reader is given back: enabled, without an open transfer, in time."""

import os
import tempfile
import threading
import time
import unittest
from typing import Callable, List, Optional

from tests.agent import Agent
from tests.reader import Reader

from vendlog._upload import ABORT_S, STEP_S, Layout, Uploader

WARNING = b"4\x1eLost Kiosk Comm"
# What an abort may take, and what a busy machine adds to it.
ABORT_MOST_S = ABORT_S + 0.1


class UploadTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "agent.sock")
        self.agent = Agent(path)
        self.addCleanup(self.agent.close)
        self.agent.drops = [("VM001-1-1.txt", "VM001|0122-1430|C|payment|Failed\n" * 9)]
        self.reader = Reader()
        self.addCleanup(self.reader.close)
        self.skipped_s = 0.0
        self.uploader = Uploader(
            self.reader.port,
            path,
            Layout(has_crc=False),
            pause_idle_reader_s=8.0,
            clock=lambda: time.monotonic() + self.skipped_s,
        )
        self.addCleanup(self.uploader.close)

    def go_on_until(self, is_so: Callable[[], bool]) -> Optional[bytes]:
        """Steps; the answer that was for the application, if one was."""
        late = time.monotonic() + 10
        while not is_so():
            self.assertLess(time.monotonic(), late, self.reader.said)
            answer = self.uploader.step(b"7")
            if self.uploader.is_busy:
                self.agent.drops = []  # an upload that failed is not begun again
            if answer is not None:
                return answer
        return None

    def begin(self) -> None:
        """The reader was disabled, knows of a file, and awaits its first record."""
        self.go_on_until(lambda: 24 in self.reader.said and not self.uploader._upload.awaits)
        self.assertEqual(self.reader.status, b"6")
        self.assertTrue(self.reader.is_open)

    def assert_given_back(self) -> None:
        self.reader.settle()
        self.assertFalse(self.uploader.is_busy)
        self.assertFalse(self.reader.is_open, self.reader.said)
        self.assertEqual(self.reader.status, b"7", self.reader.said)

    def test_a_whole_upload_gives_the_reader_back(self) -> None:
        self.begin()
        upload = self.uploader._upload
        self.go_on_until(lambda: upload.stage == "finish")
        self.reader.is_open = False
        self.go_on_until(lambda: not self.uploader.is_busy)
        self.assertEqual((self.uploader.uploaded, self.uploader.failed), (1, 0))
        self.assert_given_back()

    def test_an_answer_for_the_application_ends_the_transfer_and_enables_the_reader(self) -> None:
        for code in (6, 24, 25):
            with self.subTest(after=code):
                self.setUp()
                self.reader.answers_after, self.reader.answer = code, WARNING
                heard = self.go_on_until(lambda: self.uploader.failed > 0)
                self.assertEqual(heard, WARNING)
                self.assert_given_back()

    def test_an_abort_that_hears_such_an_answer_enables_the_reader_as_well(self) -> None:
        self.reader.answers_after, self.reader.answer, self.reader.delay_s = 24, WARNING, 0.02
        answers = []  # type: List[Optional[bytes]]
        steps = threading.Thread(
            target=lambda: answers.append(self.go_on_until(lambda: self.uploader.failed > 0))
        )
        steps.start()
        self.assertTrue(self.reader.is_asked.wait(10))
        answers.append(self.uploader.abort())
        steps.join()
        self.assertIn(WARNING, answers)
        self.assert_given_back()

    def test_nothing_is_said_to_a_reader_that_has_turned_to_a_sale(self) -> None:
        for sale in (b"7", b"8", b"9"):
            with self.subTest(status=sale):
                self.setUp()
                self.reader.answers_after, self.reader.answer = 24, sale
                heard = self.go_on_until(lambda: self.uploader.failed > 0)
                self.assertEqual(heard, sale)
                self.uploader.abort()
                self.reader.settle()
                self.assertEqual(self.reader.said[-2:], [24, 1], "nothing after the answer")

    def test_an_upload_that_leaves_the_port_to_the_application_gives_the_reader_back(self) -> None:
        self.begin()
        theirs = b"17\x1e1234567890\r"
        self.reader.send(theirs)
        self.reader.settle()
        self.assertIsNone(self.uploader.step(b"7"))
        self.assertTrue(self.uploader.is_busy, "the application may still read its bytes")
        self.skipped_s += 3.0
        self.assertIsNone(self.uploader.step(b"7"))
        self.assert_given_back()
        self.assertTrue(self.reader.port.read(64).startswith(theirs), "its bytes are untouched")

    def test_but_not_one_in_which_the_application_has_begun_a_sale(self) -> None:
        self.begin()
        self.reader.send(b"2\x1e")
        self.reader.settle()
        said = len(self.reader.said)
        self.assertIsNone(self.uploader.step(b"9"))
        self.skipped_s += 3.0
        self.assertIsNone(self.uploader.step(b"9"))
        self.assertFalse(self.uploader.is_busy)
        self.reader.settle()
        self.assertEqual(len(self.reader.said), said)

    def test_a_port_that_failed_once_does_not_leave_the_reader_disabled(self) -> None:
        self.begin()
        self.reader.port.failures = 1
        self.assertIsNone(self.uploader.step(b"7"))
        self.assertIn("the port failed", str(self.uploader.last_error))
        self.assert_given_back()

    def test_a_port_that_has_gone_raises_nothing(self) -> None:
        self.begin()
        fd, self.reader.port.fd = self.reader.port.fd, -1
        self.assertIsNone(self.uploader.step(b"7"))
        self.assertIsNone(self.uploader.abort())
        self.assertFalse(self.uploader.is_busy)
        self.reader.port.fd = fd

    def test_after_an_abort_from_another_thread_nothing_more_is_said(self) -> None:
        # The reader falls silent: the step ends the transfer, for longer than a step takes.
        self.reader.silent_from = 25
        steps = threading.Thread(
            target=lambda: self.go_on_until(lambda: self.uploader.failed > 0)
        )
        steps.start()
        late = time.monotonic() + 10
        while 8 not in self.reader.said and time.monotonic() < late:
            time.sleep(0.001)
        began = time.monotonic()
        self.uploader.abort()
        took = time.monotonic() - began
        self.assertFalse(self.uploader.is_busy, "the step has ended")
        time.sleep(0.02)  # for what is on the wire
        said = list(self.reader.said)
        self.assertEqual(said[-1], 5, "the reader was enabled before")
        time.sleep(2 * STEP_S)
        self.assertEqual(self.reader.said, said)
        self.assertLess(took, ABORT_MOST_S)
        steps.join()

    def test_an_abort_does_not_wait_for_a_port_that_hangs(self) -> None:
        self.begin()
        hangs = self.reader.port.hangs = threading.Event()
        steps = threading.Thread(target=self.uploader.step, args=(b"7",))
        steps.start()
        late = time.monotonic() + 10
        while self.reader.port.hangs is not None and time.monotonic() < late:
            time.sleep(0.001)
        began = time.monotonic()
        self.assertIsNone(self.uploader.abort())
        self.assertLess(time.monotonic() - began, ABORT_MOST_S)
        hangs.set()
        steps.join()
        # The record that hung is not gone on with when the application lets us speak again.
        records = self.reader.said.count(25)
        self.uploader.step(b"12")
        self.assertEqual(self.reader.said.count(25), records)
        self.assertEqual((self.uploader.aborted, self.uploader.uploaded), (1, 0))
        self.assert_given_back()


if __name__ == "__main__":
    unittest.main()
