# Receives callbacks of the biller host. Python 3.8 or later, no packages: CALLBACK_SECRET=… PORT=9000 python3 receiver.py
import hashlib
import hmac
import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = os.environ["CALLBACK_SECRET"].encode()
# Events that were dealt with. In earnest: a table with a unique key, written in the transaction that marks the order paid.
seen = set()


def is_ours(headers, raw_body):
    """Over the raw bytes, before they are parsed; one of several signatures is enough, while a key is being replaced."""
    event_id, timestamp = headers.get("X-Event-Id", ""), headers.get("X-Timestamp", "")
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) >= 300:
        return False
    wanted = hmac.new(SECRET, f"{event_id}.{timestamp}.".encode() + raw_body, hashlib.sha256).hexdigest()
    given = headers.get("X-Signature", "").split(",")
    return any(hmac.compare_digest(f"v1={wanted}".encode(), part.strip().encode()) for part in given)


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        raw_body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not is_ours(self.headers, raw_body):
            self.send_response(401)
            self.end_headers()
            return
        event_id, event = self.headers["X-Event-Id"], json.loads(raw_body)
        # The same event may come again: answer it the same, and do nothing twice.
        if event_id not in seen:
            amount = event.get("payment_amount")
            print(event_id, event["transaction_number"], event["billing_status"], amount, flush=True)
        seen.add(event_id)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_args):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", 9000))), Receiver).serve_forever()
