"""A vending application with the reader's port, and customers: `uploads.py SIM SCENE FOLDER`.

Starts the simulated reader, plays a scene with uploads and once more without, and prints what was
measured as one JSON object. The port is a real pseudo terminal, the agent's side of the socket is
that of the Python tests.
"""

import array
import fcntl
import json
import os
import random
import subprocess
import sys
import termios
import threading
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../../python"))

import vendlog  # noqa: E402
from tests.agent import Agent  # noqa: E402
from vendlog import _errand  # noqa: E402
from vendlog._frames import frame  # noqa: E402

CUSTOMERS = 12
# The application asks for the status this often; the real one about once a second.
POLL_S = 0.2


class Serial:
    """What pyserial's object does, as far as an application uses it."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.timeout = 1.0

    @property
    def in_waiting(self):
        count = array.array("i", [0])
        fcntl.ioctl(self.fd, termios.FIONREAD, count)
        return count[0]

    def read(self, size=1):
        return os.read(self.fd, size)

    def write(self, data):
        return os.write(self.fd, data)

    def read_until(self, end, seconds):
        data, late = b"", time.monotonic() + seconds
        while not data.endswith(end) and time.monotonic() < late:
            if self.in_waiting:
                data += self.read(1)
            else:
                time.sleep(0.001)
        return data


class Reader:
    """The simulated reader as a process."""

    def __init__(self, sim, folder, words):
        command = [sim, "reader", "--uploads", folder, "--authorizing", "300ms"] + words
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, universal_newlines=True
        )
        self.port = json.loads(self.process.stdout.readline())["port"]
        self.events = []
        # Events that nobody reads must not fill the pipe.
        self.reading = threading.Thread(target=self.keep_events)
        self.reading.start()

    def keep_events(self):
        for line in self.process.stdout:
            self.events.append(json.loads(line))

    def swipe(self):
        self.process.stdin.write("swipe\n")
        self.process.stdin.flush()

    def end(self):
        self.process.terminate()
        self.process.wait(timeout=10)
        self.reading.join(10)
        return self.events


class App:
    """Polls, and sells. What it says and hears is kept, repeated polls once."""

    def __init__(self, reader, uploader_of):
        self.reader = reader
        self.serial = Serial(reader.port)
        self.uploader = uploader_of(self.serial)
        self.dialogue = []
        self.waits = []
        self.idle_polls = []

    def say(self, command, end):
        self.serial.write(command)
        heard = self.serial.read_until(end, 1.0)
        self.keep(command, heard)
        return heard

    def keep(self, command, heard):
        if self.dialogue[-1:] != [(command, heard)]:
            self.dialogue.append((command, heard))

    def poll(self):
        began = time.monotonic()
        status = self.say(b"1\r", b"\r")
        self.idle_polls.append(time.monotonic() - began)
        return status.rstrip(b"\r")

    def idle(self, until):
        """Waits for a customer; uploads meanwhile."""
        while time.monotonic() < until:
            status = self.poll()
            if self.uploader is not None:
                self.step(status)
                while self.uploader.is_busy and time.monotonic() < until:
                    self.step(status)
            time.sleep(max(0.0, min(POLL_S, until - time.monotonic())))

    def step(self, status):
        foreign = self.uploader.step(status)
        if foreign is not None:
            self.keep(b"1\r", foreign + b"\r")

    def take_reader(self, wanted_at):
        """A customer is here: nobody else may talk to the reader from now on."""
        if self.uploader is not None:
            foreign = self.uploader.abort()
            if foreign is not None:
                self.keep(b"1\r", foreign + b"\r")
        self.waits.append(time.monotonic() - wanted_at)

    def sell(self):
        # The card's number is chance: only that there was one is compared.
        self.reader.swipe()
        late = time.monotonic() + 5
        status = b""
        while not status.startswith(b"2\x1e") and time.monotonic() < late:
            time.sleep(0.05)
            status = self.poll()
        self.say(b"1\r", b"\r")
        fields = (b"1", b"1", b"35", b"1", b"oz hand wash\x1d")
        self.say(frame(22, fields, True), b"\x06")
        self.say(b"1\r", b"\r")


def sales_in_uploads(app, seed):
    """The reader rests disabled; a customer comes at some moment of an upload, or after it."""
    chance = random.Random(seed)
    for _ in range(CUSTOMERS):
        wanted_at = time.monotonic() + chance.uniform(0.3, 2.6)
        app.idle(wanted_at)
        app.take_reader(wanted_at)
        app.say(frame(21, (b"2000",), True), b"\x06")
        app.say(b"1\r", b"\r")
        app.sell()


def reader_waits_for_cards(app, seed):
    """The reader is enabled all the time, and swipes come while nothing is uploaded."""
    app.say(b"5\r", b"\x06")
    chance = random.Random(seed)
    for _ in range(4):
        wanted_at = time.monotonic() + chance.uniform(3.5, 4.0)
        app.idle(wanted_at)
        app.take_reader(wanted_at)
        app.sell()
        app.say(b"5\r", b"\x06")


def play(sim, folder, scene, drops, **options):
    """One run: the application afterwards, what the reader tells, what the agent was told."""
    os.makedirs(folder)
    reader = Reader(sim, os.path.join(folder, "uploads"), options.pop("words", []))
    path = os.path.join(folder, "agent.sock")
    agent = Agent(path)
    agent.drops = drops
    uploads = bool(drops)
    app = App(reader, lambda port: vendlog.Uploader(port, path, **options) if uploads else None)
    scene(app, 1)
    app.idle(time.monotonic() + 3)
    if uploads:
        app.uploader.close(2.0)
        assert not app.serial.in_waiting, "nothing of ours is left in the port"
    events = reader.end()
    agent.close()
    return app, events, agent.said


def collapsed(dialogue):
    """Polls of an idle reader are as many as there is time: once each, and no card numbers."""
    out = []
    for command, heard in dialogue:
        heard = heard if not heard.startswith(b"2\x1e") else b"2 and a card"
        if heard == b"8\r" or out[-1:] == [(command, heard)]:
            continue
        out.append((command, heard))
    return out


def main():
    sim, scene_name, folder = sys.argv[1:]
    _errand.ASK_EVERY_S = 0.2
    data = "VM001|0122-1430|C|payment|Transaction result failed\n" * 17
    drops = [("VM001-1-%d.txt" % n, data[:850]) for n in range(1, 60)]
    scenes = {
        "sales": (sales_in_uploads, {}),
        "failing": (
            sales_in_uploads,
            {"words": ["--faults", "cancel=0.4,cell=0.4", "--seed", "5"]},
        ),
        "pause": (reader_waits_for_cards, {"pause_idle_reader_s": 4.0}),
        "no_pause": (reader_waits_for_cards, {}),
    }
    scene, options = scenes[scene_name]
    without = os.path.join(folder, "without")
    with ThreadPoolExecutor(1) as beside:
        other = beside.submit(play, sim, without, scene, [])
        app, events, said = play(sim, os.path.join(folder, "with"), scene, drops, **dict(options))
        plain, _, _ = other.result()
    names = [event["event"] for event in events]
    uploads = os.path.join(folder, "with", "uploads")
    whole = all(
        open(os.path.join(uploads, name)).read() == data[:850] for name in os.listdir(uploads)
    )
    disabled = paused_s(events)
    print(
        json.dumps(
            {
                "longest_wait_ms": round(1000 * max(app.waits)),
                "sales": names.count("sale_ended"),
                "customers": len(app.waits),
                "uploaded": app.uploader.uploaded,
                "failed": app.uploader.failed,
                "aborted": app.uploader.aborted,
                "last_error": app.uploader.last_error,
                "files": len(os.listdir(uploads)),
                "whole": whole,
                "told_sent": sum(report["cmd"] == "drop_sent" for report in said),
                "same_dialogue": collapsed(app.dialogue) == collapsed(plain.dialogue),
                "dialogue": len(app.dialogue),
                "odd": [
                    repr(pair)
                    for pair in collapsed(app.dialogue)
                    if pair not in collapsed(plain.dialogue)
                ][:5],
                "slowest_poll_ms": round(1000 * max(app.idle_polls)),
                "slowest_poll_without_ms": round(1000 * max(plain.idle_polls)),
                "longest_pause_ms": round(1000 * max(disabled, default=0)),
                "pauses": len(disabled),
            }
        )
    )


def paused_s(events):
    """How long the reader was disabled each time, by what it tells itself."""
    pauses, since = [], None
    for event in events:
        if event["event"] != "command":
            continue
        at = event["at"].rstrip("Z")
        at = time.mktime(time.strptime(at[:19], "%Y-%m-%dT%H:%M:%S")) + float("0" + at[19:])
        if event["code"] == 6:
            since = at
        elif event["code"] == 5 and since is not None:
            pauses.append(at - since)
            since = None
    return pauses


if __name__ == "__main__":
    main()
