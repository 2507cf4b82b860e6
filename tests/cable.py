"""A network cable that can be pulled."""

import socket
from contextlib import suppress
from threading import Thread


class Cable:
    """A network cable between browser and server: pulled, it lets nothing through and closes nothing."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.is_pulled = False
        self.sockets: list[socket.socket] = []
        self.end = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.end.getsockname()[1]}"
        self.acceptor = Thread(target=self._accept, daemon=True)
        self.acceptor.start()

    def pull(self) -> None:
        self.is_pulled = True

    def plug(self) -> None:
        """Put it back; what hung in the meantime is dead."""
        self._drop()
        self.is_pulled = False

    def close(self) -> None:
        self.end.shutdown(socket.SHUT_RDWR)  # wakes the one that waits in accept
        self.acceptor.join()
        self.end.close()
        self._drop()

    def _drop(self) -> None:
        for one in self.sockets:
            one.close()
        self.sockets.clear()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                browser = self.end.accept()[0]
                self.sockets.append(browser)
                if not self.is_pulled:
                    server = socket.create_connection(("127.0.0.1", self.port))
                    self.sockets.append(server)
                    Thread(target=self._pump, args=(browser, server), daemon=True).start()
                    Thread(target=self._pump, args=(server, browser), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not self.is_pulled:
                    target.sendall(data)
            target.shutdown(socket.SHUT_WR)
