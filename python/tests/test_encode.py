"""A record becomes one bounded line of JSON, whatever the application put into it."""

import json
import logging
import sys
import unittest

from vendlog import _encode


def entry(msg="text", args=(), level=logging.INFO, name="soap.motor", exc_info=None, extra=None):
    record = logging.Logger(name).makeRecord(
        name, level, "soap.py", 1, msg, args, exc_info, extra=extra
    )
    line = _encode.line(record, None, None)
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    assert len(line) <= _encode.LINE_MAX_BYTES
    return json.loads("{" + line.decode("utf-8"), parse_constant=no_constant)


def no_constant(word):
    raise AssertionError("%s is no JSON" % word)


class Stubborn:
    def __str__(self):
        raise RuntimeError("no")

    __repr__ = __str__


class Encoding(unittest.TestCase):
    def test_a_record_keeps_its_level_name_text_and_time(self):
        record = logging.makeLogRecord(
            {"name": "soap.motor", "levelno": 30, "levelname": "WARNING"}
        )
        record.msg, record.args = "error %d/%d", (1, 5)
        record.created = 1769092215.1239996
        got = json.loads("{" + _encode.line(record, None, None).decode("utf-8"))
        self.assertEqual(
            got,
            {
                "level": "WARN",
                "component": "motor",
                "message": "error 1/5",
                "timestamp": "2026-01-22T14:30:15.124Z",
            },
        )

    def test_the_component_is_the_last_part_of_the_name(self):
        for name, component in [
            ("__main__", "app"),
            ("root", "app"),
            ("", "app"),
            ("soap.io.motor", "motor"),
            ("dot.", "app"),
            ("x" * 80, "x" * 50),
        ]:
            self.assertEqual(entry(name=name)["component"], component)

    def test_levels_map_to_the_nearest_below_and_custom_names_stay(self):
        logging.addLevelName(25, "SALE")
        for number, level in [
            (5, "DEBUG"), (10, "DEBUG"), (19, "DEBUG"), (20, "INFO"), (25, "INFO"),
            (30, "WARN"), (40, "ERROR"), (49, "ERROR"), (50, "CRITICAL"), (99, "CRITICAL"),
        ]:  # fmt: skip
            self.assertEqual(entry(level=number)["level"], level)
        self.assertEqual(entry(level=25)["context"], {"level_name": "SALE"})
        self.assertNotIn("context", entry(level=logging.WARNING))

    def test_a_traceback_follows_the_message(self):
        try:
            {}["slot"]
        except KeyError:
            message = entry("vend failed", exc_info=sys.exc_info())["message"]
        self.assertTrue(message.startswith("vend failed\nTraceback (most recent call last):\n"))
        self.assertTrue(message.endswith("KeyError: 'slot'"))

    def test_a_record_that_cannot_be_formatted_is_sent_with_what_there_is(self):
        self.assertEqual(
            entry("%d items", ("two",))["message"],
            "%d items (its arguments cannot be formatted: TypeError)",
        )
        self.assertIn("Stubborn that cannot be printed", entry(Stubborn())["message"])
        self.assertIn("RuntimeError", entry("%s", (Stubborn(),))["message"])

    def test_extra_becomes_context_that_json_can_carry(self):
        ring = []
        ring.append(ring)
        extra = {
            "slot": 3, "ok": True, "none": None, "price": 1.5, "nan": float("nan"),
            "huge": 2 ** 80, "bytes": b"\x02", "set": {1}, "map": {1: "a", "b": [1, 2]},
            "odd": Stubborn(), "ring": ring, "lone": "\udcff", "event": "sale",
        }  # fmt: skip
        context = entry(extra=extra)["context"]
        self.assertEqual(context["slot"], 3)
        self.assertIs(context["ok"], True)
        self.assertIsNone(context["none"])
        self.assertEqual(context["price"], 1.5)
        self.assertEqual(context["nan"], "nan")
        self.assertEqual(context["huge"], str(2 ** 80))
        self.assertEqual(context["bytes"], "b'\\x02'")
        self.assertEqual(context["set"], [1])
        self.assertEqual(context["map"], {"1": "a", "b": [1, 2]})
        self.assertEqual(context["odd"], "(a Stubborn that cannot be printed)")
        self.assertEqual(context["lone"], "\\udcff")
        self.assertEqual(context["event"], "sale")
        self.assertEqual(len(context), len(extra))

    def test_everything_is_bounded(self):
        wide = {"k%d" % i: ["x" * 10000] * 1000 for i in range(1000)}
        deep = wide
        for _ in range(20):
            deep = {"d": deep, "e": deep}
        for got in [
            entry("m" * 10 ** 6),
            entry("\x01" * 10 ** 6),
            entry("\U0001f4a7" * 10 ** 6),
            entry("m", extra=wide),
            entry("m" * 10 ** 6, extra={"deep": deep}),
        ]:
            self.assertTrue(got["message"])
        long = entry("begin" + "m" * 10 ** 6 + "end")["message"]
        self.assertTrue(long.startswith("begin") and long.endswith("end"))
        self.assertIn("characters left out", long)

    def test_text_of_any_kind_is_utf8(self):
        for text in ["Grüße 💧", "\udcff\ud800", "a\nb\r\n\x00\u2028", '"\\']:
            got = entry(text)["message"]
            self.assertEqual(got, text if "\ud800" not in text else "\\udcff\\ud800")

    def test_a_time_that_is_none_is_left_out(self):
        for created in [float("nan"), float("inf"), 1e30, None, "x"]:
            self.assertIsNone(_encode.timestamp(created))
        self.assertEqual(_encode.timestamp(0.0), "1970-01-01T00:00:00.000Z")
        self.assertEqual(_encode.timestamp(0.9999999), "1970-01-01T00:00:01.000Z")


if __name__ == "__main__":
    unittest.main()
