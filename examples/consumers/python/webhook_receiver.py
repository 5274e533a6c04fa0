"""Receive what `riskstream forward webhook` sends: verify the signature, answer at once; standard library alone.

    RISKSTREAM_WEBHOOK_SECRET=whsec_... python examples/consumers/python/webhook_receiver.py --port 9000

It speaks plain HTTP on this machine alone; in production a server or proxy with TLS stands before such a program.
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LARGEST_BODY_BYTES = 2 * 1024 * 1024
TOLERANCE_SECONDS = 300


def is_genuine(secret: str, identity: str, timestamp: str, signatures: str, body: bytes, now_seconds: float) -> bool:
    """Tell whether a request was signed with the secret, less than five minutes ago (or ahead, by its clock).

    A sender that changes its secret may send several signatures, with a space between: one that fits is enough.
    """
    if not timestamp.isdecimal() or abs(now_seconds - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = hmac.digest(key, f"{identity}.{timestamp}.".encode() + body, hashlib.sha256)
    text = b"v1," + base64.b64encode(expected)
    # Compared in constant time, so that nobody can guess a signature piece by piece.
    return any(hmac.compare_digest(text, one.encode()) for one in signatures.split(" "))


class Handler(BaseHTTPRequestHandler):
    """Answers POST: 204 for what is genuine, 401 for what is not; anything else is refused."""

    protocol_version = "HTTP/1.1"
    timeout = 10
    secret = ""

    def do_POST(self) -> None:
        """Verify, then take the alert."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST_BODY_BYTES:
            self.close_connection = True
            self._answer(413)
            return
        body = self.rfile.read(int(length))
        identity, timestamp, signatures = (
            self.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")
        )
        if not is_genuine(self.secret, identity, timestamp, signatures, body, time.time()):
            self._answer(401)
            return
        event = json.loads(body)
        # The id is the alert's: keep those that you took, for one may come twice. Then answer, and work afterwards:
        # the sender waits for the answer before it sends the next alert of the partition.
        # One write a line, for each connection has a thread of its own.
        sys.stdout.write(f"{event['id']} {event['type']} {event['time']} {event['data']['severity']}\n")
        sys.stdout.flush()
        self._answer(204)

    def log_message(self, template: str, *arguments: object) -> None:
        """Leave requests out of the log: an address may hold a secret."""

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description="Print the alerts that riskstream sends, one a line.")
    parser.add_argument("--port", type=int, default=9000, help="port on 127.0.0.1")
    options = parser.parse_args()
    Handler.secret = os.environ.get("RISKSTREAM_WEBHOOK_SECRET", "")
    if not Handler.secret.startswith("whsec_"):
        sys.exit("error: RISKSTREAM_WEBHOOK_SECRET: set it to the sender's secret, whsec_...")
    server = ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
    server.daemon_threads = True
    for name in (signal.SIGTERM, signal.SIGINT):
        # `shutdown` waits for the loop, which this very thread runs.
        signal.signal(name, lambda *caught: threading.Thread(target=server.shutdown).start())
    with server:
        server.serve_forever(poll_interval=0.2)


if __name__ == "__main__":
    main()
