"""The agent's side of the socket as the tests need it: real, small, able to hang, refuse, hang up.

Also a program: `python3 -m tests.agent PATH` answers on PATH until it is killed.
"""

import json
import os
import socket
import sys
import threading
from typing import Any, Dict, List, Optional


class Agent:
    """Listens at once; keeps what it acknowledged once for each (sender, n)."""

    def __init__(self, path: str, hang_up_every: int = 0, is_mute: bool = False) -> None:
        self.path = path
        self.hang_up_every = hang_up_every
        self.is_mute = is_mute
        self.refusals = {}  # type: Dict[int, Dict[str, Any]]
        self.entries = []  # type: List[Dict[str, Any]]
        self.received = 0
        # Drops to be handed out, as `(name, data)`, and what was said of each.
        self.drops = []  # type: List[Any]
        self.said = []  # type: List[Dict[str, Any]]
        self._last = {}  # type: Dict[str, int]
        self._connections = []  # type: List[socket.socket]
        self._lock = threading.Lock()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(path)
        self._listener.listen(16)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """As a process that dies: the listener and every connection end."""
        # Closing alone does not wake a thread in accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        os.unlink(self.path)
        self._thread.join(5)
        with self._lock:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def messages(self) -> List[str]:
        with self._lock:
            return [entry["message"] for entry in self.entries]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        lines = 0
        sender = None
        try:
            for line in connection.makefile("rb"):
                request = json.loads(line.decode("utf-8"))
                sender = request.get("sender", sender)
                answer = self._take(sender, request)
                lines += 1
                if self.hang_up_every and lines % self.hang_up_every == 0:
                    return  # taken, but the answer never comes
                if answer is not None:
                    connection.sendall(json.dumps(answer).encode("ascii") + b"\n")
        except OSError:
            pass
        finally:
            with self._lock:
                self._connections.remove(connection)
            connection.close()

    def _take(self, sender: Optional[str], request: Dict[str, Any]) -> Optional[Dict[str, Any]]:
        with self._lock:
            if self.is_mute:
                return None
            if request.get("cmd") in ("next_drop", "drop_sent", "drop_failed"):
                return self._handoff(request)
            if sender is None:
                return {"ok": False, "code": "bad_entry", "retry": False}
            last = self._last.setdefault(sender, 0)
            if request.get("cmd") == "hello":
                self._last[sender] = max(last, request["next"] - 1)
                return {"ok": True, "last": self._last[sender]}
            if request.get("cmd") == "sync":
                return {"ok": True}
            self.received += 1
            n = request["n"]
            if n <= last:
                return {"ok": True, "n": n, "duplicate": True}
            if n > last + 1:
                return {"ok": False, "n": n, "code": "out_of_order", "retry": True, "last": last}
            refusal = self.refusals.pop(n, None)
            if refusal is not None:
                if refusal["retry"] is False and "n" in refusal:
                    self._last[sender] = n
                return refusal
            self._last[sender] = n
            self.entries.append(dict(request, sender=sender))
            return {"ok": True, "n": n, "seq": len(self.entries)}

    def _handoff(self, request: Dict[str, Any]) -> Dict[str, Any]:
        """The first drop waits until it was sent, as the real agent's does."""
        sent = sum(said["cmd"] == "drop_sent" for said in self.said)
        if request["cmd"] == "next_drop":
            if sent >= len(self.drops):
                return {"ok": True, "drop": None}
            name, data = self.drops[sent]
            return {"ok": True, "drop": {"id": sent + 1, "name": name, "data": data}}
        if request["id"] == sent + 1:
            self.said.append(request)
            return {"ok": True}
        return {"ok": True, "duplicate": True}


if __name__ == "__main__":
    Agent(sys.argv[1])
    print("ready", flush=True)
    threading.Event().wait()
