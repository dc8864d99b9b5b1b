"""Asks the agent for a drop and tells it what became of one, on a thread of its own: the application
never waits for the agent."""

import json
import socket
import threading
from collections import deque
from typing import Any, Deque, Dict, Optional

# The agent answers within two seconds; one that does not hangs.
ANSWER_TIMEOUT_S = 5.0
CONNECT_TIMEOUT_S = 2.0
# While the reader is idle the agent is asked this often whether there is a drop: a grave entry
# waits for little more.
ASK_EVERY_S = 10.0
# Reports that the agent did not take are told again; more than these are forgotten, and the agent
# offers the drop again by itself.
REPORTS_MAX = 20
# An answer with a drop of 900 bytes is far shorter.
ANSWER_MAX_BYTES = 64 * 1024


class Errand:
    """Fetches and reports. `drop` is set by the thread and taken by the application's side."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.drop = None  # type: Optional[Dict[str, Any]]
        # What the agent said last that was no drop.
        self.refusal = None  # type: Optional[str]
        self._reports = deque(maxlen=REPORTS_MAX)  # type: Deque[Dict[str, Any]]
        self._is_wanted = False
        self._bell = threading.Event()
        self._thread = None  # type: Optional[threading.Thread]
        self._ends = False

    def want(self) -> None:
        """The reader could take a drop now."""
        self._is_wanted = True
        if self._thread is None and not self._ends:
            try:
                self._thread = threading.Thread(
                    target=self._run, name="vendlog-drops", daemon=True
                )
                self._thread.start()
            except RuntimeError:  # no thread to be had: another time
                self._thread = None

    def report(self, report: Dict[str, Any]) -> None:
        """Tells the agent soon."""
        self._reports.append(report)
        self._bell.set()

    def end(self, timeout: float) -> None:
        """Ends the thread, after what is still to be told."""
        self._ends = True
        self._bell.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        while True:
            try:
                self._once()
            except Exception:  # the agent is away, or answers nonsense: another time
                pass
            if self._ends:
                return
            # New reports ring; a want does not, as it comes with every poll of the reader.
            self._bell.wait(ASK_EVERY_S)
            self._bell.clear()

    def _once(self) -> None:
        while self._reports:
            answer = self._ask(self._reports[0])
            if answer.get("ok") is not True and answer.get("retry") is not False:
                return
            self._reports.popleft()
        # What was told last comes first: the agent must know before it is asked for another.
        if self._is_wanted and self.drop is None and not self._reports and not self._ends:
            self._is_wanted = False
            answer = self._ask({"cmd": "next_drop"})
            drop = answer.get("drop")
            if isinstance(drop, dict):
                self.drop = {"id": int(drop["id"]), "name": drop["name"], "data": drop["data"]}
            elif answer.get("ok") is False:
                self.refusal = str(answer.get("message"))

    def _ask(self, request: Dict[str, Any]) -> Dict[str, Any]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(CONNECT_TIMEOUT_S)
            connection.connect(self.path)
            connection.settimeout(ANSWER_TIMEOUT_S)
            connection.sendall(json.dumps(request).encode("ascii") + b"\n")
            heard = b""
            while b"\n" not in heard:
                data = connection.recv(4096)
                heard += data
                if not data or len(heard) > ANSWER_MAX_BYTES:
                    raise ValueError("no answer of an agent")
        answer = json.loads(heard.split(b"\n", 1)[0].decode("utf-8"))
        if not isinstance(answer, dict):
            raise ValueError("no answer of an agent")
        return answer
