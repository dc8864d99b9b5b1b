"""An application that logs numbered records with one of logging's handlers.

    python3 writer.py HANDLER TARGET FIRST LAST PER_SECOND

Prints what it logged as one line of JSON. The messages are those that the tests' tally checks.
"""

import hashlib
import json
import logging
import logging.handlers
import socket
import sys
import time

import vendlog

WORDS = ["card", "declined", "motor", "row", "é", "日本"]
WORDS += ['"quoted"', "a|b", '{"k":1}', "\\n", "%s", "<b>"]
LEVELS = [(997, logging.CRITICAL), (101, logging.ERROR), (17, logging.WARNING), (5, logging.DEBUG)]
FORMAT = "%(asctime)s - %(name)s - %(levelname)s - %(message)s"
# What an application at full speed may have waiting: the test logs faster than any machine.
ROOM = 128 * 1024 * 1024


def message(number):
    words = [WORDS[number * 7 % 11], "%ds" % (number % 99991), WORDS[number % 12]]
    text = "Entry %d %s" % (number, " ".join(words * (1 + number % 5)))
    digest = hashlib.sha256(text.encode("utf-8")).digest()[:8]
    letters = "".join(chr(97 + nibble) for byte in digest for nibble in (byte >> 4, byte & 15))
    return text + " hash " + letters


def level(number):
    for every, found in LEVELS:
        if number % every == 0:
            return found
    return logging.INFO


def handler(kind, target):
    if kind == "vendlog":
        return vendlog.Handler(target, capacity_records=1000000, capacity_bytes=ROOM)
    if kind == "file-w":
        return logging.FileHandler(target, mode="w", encoding="utf-8")
    if kind == "rotating":
        return logging.handlers.RotatingFileHandler(
            target, maxBytes=1000000, backupCount=100, encoding="utf-8"
        )
    if kind == "timed":
        return logging.handlers.TimedRotatingFileHandler(
            target, when="S", interval=1, backupCount=0, encoding="utf-8"
        )
    if kind == "syslog-unix":
        return logging.handlers.SysLogHandler(target, socktype=socket.SOCK_DGRAM)
    if kind == "syslog-udp":
        host, port = target.rsplit(":", 1)
        return logging.handlers.SysLogHandler((host, int(port)))
    raise SystemExit("no such handler: " + kind)


def main():
    kind, target, first, last, per_second = sys.argv[1:]
    chosen = handler(kind, target)
    if not kind.startswith("syslog") and kind != "vendlog":
        chosen.setFormatter(logging.Formatter(FORMAT))
    # A handler of logging says on stderr what it could not write: that is a failed test.
    logger = logging.getLogger("app")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(chosen)
    began = time.monotonic()
    for number in range(int(first), int(last) + 1):
        logger.log(level(number), "%s", message(number))
        if number % 100 == 0 and int(per_second):
            ahead = (number - int(first)) / int(per_second) - (time.monotonic() - began)
            if ahead > 0:
                time.sleep(ahead)
    spent = time.monotonic() - began
    done = {"logged": int(last) - int(first) + 1, "seconds": round(spent, 2)}
    if kind == "vendlog":
        done["flushed"] = chosen.flush(120)
        done["stats"] = chosen.stats()
    print(json.dumps(done), flush=True)


main()
