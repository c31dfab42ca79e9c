"""A store that speaks restic's REST protocol, version 2 (restic's documentation, REST Backend)."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

_LISTED: Final = "application/vnd.x.restic.rest.v2"
_KINDS: Final = ("data", "index", "keys", "locks", "snapshots")
_RANGE: Final = re.compile(r"bytes=(\d+)-(\d*)")


@contextmanager
def rest_store(root: Path, address: str, port: int = 0) -> Iterator[int]:
    """Serve the directory `root` at an address of the laboratory; yields the port (0: any)."""
    server = ThreadingHTTPServer((address, port), type("Service", (_Service,), {"root": root}))
    thread = threading.Thread(target=server.serve_forever, args=(0.1,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Service(BaseHTTPRequestHandler):
    root: Path
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._give(with_body=False)

    def do_GET(self) -> None:
        if self.path.endswith("/"):
            found = sorted(p for p in self._file.rglob("*") if p.is_file())
            listed = [{"name": p.name, "size": p.stat().st_size} for p in found]
            self._answer(HTTPStatus.OK, json.dumps(listed).encode(), kind=_LISTED)
        else:
            self._give(with_body=True)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.endswith("?create=true"):
            for kind in _KINDS:
                (self._file / kind).mkdir(parents=True, exist_ok=True)
        else:
            beside = self._file.with_name(f".{self._file.name}")
            beside.write_bytes(body)
            beside.rename(self._file)
        self._answer(HTTPStatus.OK)

    def do_DELETE(self) -> None:
        self._file.unlink(missing_ok=True)
        self._answer(HTTPStatus.OK)

    def log_message(self, *_: object) -> None:
        """Say nothing: tests print what matters."""

    @property
    def _file(self) -> Path:
        return self.root / self.path.partition("?")[0].strip("/")

    def _give(self, *, with_body: bool) -> None:
        if not self._file.is_file():
            self._answer(HTTPStatus.NOT_FOUND)
            return
        body, status = self._file.read_bytes(), HTTPStatus.OK
        if wanted := _RANGE.fullmatch(self.headers.get("Range") or ""):
            end = int(wanted[2]) + 1 if wanted[2] else len(body)
            body, status = body[int(wanted[1]) : end], HTTPStatus.PARTIAL_CONTENT
        self._answer(status, body, with_body=with_body)

    def _answer(
        self,
        status: HTTPStatus,
        body: bytes = b"",
        *,
        kind: str = "application/octet-stream",
        with_body: bool = True,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)
