"""An application with the reader's port that logs, sells and lets the agent's drops through.

    handoff.py SIM UPLOADS SOCKET ENOUGH CUSTOMERS

Everything but the customers is real: the port is a pseudo terminal with the simulated reader behind
it, the socket is that of a running agent. Ends when there is a file ENOUGH, and prints what was measured as one JSON object.
"""

import json
import logging
import os
import random
import sys
import time

import vendlog
from uploads import App, Reader
from vendlog import _errand
from vendlog._frames import frame

# Longer than anything on the way may take.
LATER_S = 240.0


def main():
    sim, uploads, socket, enough, customers = sys.argv[1:]
    # A day of an application in half a minute.
    _errand.ASK_EVERY_S = 0.2
    log = logging.getLogger("payment")
    handler = vendlog.Handler(socket)
    log.addHandler(handler)
    reader = Reader(sim, uploads, [])
    app = App(reader, lambda port: vendlog.Uploader(port, socket))
    chance = random.Random(7)
    for number in range(int(customers)):
        log.error("Customer %d: the transaction timed out", number)
        log.critical("Customer %d: dispensed and not paid", number)
        wanted_at = time.monotonic() + chance.uniform(0.3, 2.6)
        app.idle(wanted_at)
        app.take_reader(wanted_at)
        app.say(frame(21, (b"2000",), True), b"\x06")
        app.say(b"1\r", b"\r")
        app.sell()
    late = time.monotonic() + LATER_S
    while not os.path.exists(enough) and time.monotonic() < late:
        app.idle(time.monotonic() + 0.5)
    app.uploader.close(2.0)
    handler.close()
    names = [event["event"] for event in reader.end()]
    print(
        json.dumps(
            {
                "customers": len(app.waits),
                "sales": names.count("sale_ended"),
                "longest_wait_ms": round(1000 * max(app.waits)),
                "uploaded": app.uploader.uploaded,
                "aborted": app.uploader.aborted,
                "last_error": app.uploader.last_error,
            }
        )
    )


if __name__ == "__main__":
    main()
