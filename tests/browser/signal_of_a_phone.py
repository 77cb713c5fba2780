"""A phone's signal: what goes between its browser and the server, and can be cut.

Cutting the browser's own network would leave its service worker with a connection.
"""

import socket
import threading
from contextlib import suppress


class Signal:
    """Carries every byte of `port` to the server at `to`, while it is on."""

    def __init__(self, to: tuple[str, int]) -> None:
        self.to, self.on, self.deaf = to, True, False
        self.ends: set[socket.socket] = set()
        self.door = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://localhost:{self.door.getsockname()[1]}"
        threading.Thread(target=self._answer, daemon=True).start()

    def cut(self) -> None:
        """From now on nothing gets through, not even what is under way."""
        self.on = False
        for end in list(self.ends):
            self._close(end)

    def deafen(self) -> None:
        """What the phone says gets through; what it is answered does not."""
        self.deaf = True

    def back(self) -> None:
        self.on, self.deaf = True, False

    def stop(self) -> None:
        self.cut()
        self._close(self.door)  # wakes who waits there

    def _answer(self) -> None:
        while True:
            try:
                phone, _address = self.door.accept()
            except OSError:
                return
            if not self.on:
                phone.close()
                continue
            server = socket.create_connection(self.to)
            self.ends |= {phone, server}
            for one, other in ((phone, server), (server, phone)):
                job = threading.Thread(
                    target=self._carry, args=(one, other, one is server), daemon=True
                )
                job.start()

    def _carry(self, one: socket.socket, other: socket.socket, is_answer: bool) -> None:
        with suppress(OSError):
            while said := one.recv(65536):
                if not (is_answer and self.deaf):
                    other.sendall(said)
        self._close(one)
        self._close(other)

    def _close(self, end: socket.socket) -> None:
        self.ends.discard(end)
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            end.close()
