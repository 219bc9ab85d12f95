"""Receivers of what the gateway posts, written against the makers' documents and the published libraries, not against the gateway.

Usage: web.py OUTPUT [SEED]    prints "ready PORT"
Paths: /webhook (CloudEvents 1.0 checked by `cloudevents`, signature checked by `standardwebhooks`), /flaky (the same, and fails half of
the time after the seed, four times in a row at most), /silent (never answers), /wecom, /dingtalk, /feishu (signature, payload and pace as documented), /ntfy.
Each accepted post becomes one JSON line in OUTPUT; a refused one a line with "refused".
"""

import base64
import hashlib
import hmac
import json
import os
import random
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from cloudevents.core.formats.json import JSONFormat
from standardwebhooks.webhooks import Webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ROBOT_SECRET = "SECtestonly"
OUTPUT = sys.argv[1]
CHANCE = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
LOCK = threading.Lock()
TIMES = {}
FAILED = {}


def note(line):
    with LOCK, open(OUTPUT, "a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")


def sign(key, message):
    return base64.b64encode(hmac.new(key.encode(), message.encode(), hashlib.sha256).digest()).decode()


def within_pace(query, name, most, seconds=60):
    # A test that drives its own clock says what time it is, in seconds.
    now = float(query.get("now", time.monotonic()))
    with LOCK:
        recent = [moment for moment in TIMES.get(name, []) if now - moment < seconds]
        TIMES[name] = recent + [now]
    return len(recent) < most


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # One segment for head and body, as web servers send them: in two, Nagle's algorithm and a delayed acknowledgement cost 40 ms.
    wbufsize = 1 << 16

    def log_message(self, *arguments):
        pass

    def answer(self, status, body=None):
        data = json.dumps(body or {}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        address = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(address.query))
        try:
            getattr(self, "take_" + address.path.strip("/"))(body, query)
        except Exception as error:
            note({"path": address.path, "refused": f"{type(error).__name__}: {error}"})
            self.answer(400)

    def take_webhook(self, body, query):
        headers = {name.lower(): value for name, value in self.headers.items()}
        Webhook(SECRET).verify(body, headers)
        event = from_structured_event(HTTPMessage(headers, body), JSONFormat())
        assert event.get_specversion() == "1.0" and headers["webhook-id"] == event.get_id()
        note({"path": "/webhook", "id": event.get_id(), "type": event.get_type(), "source": event.get_source(), "case": event.get_subject(),
              "data": event.get_data(), "at": time.time()})
        self.answer(200)

    def take_flaky(self, body, query):
        with LOCK:
            name = self.headers["webhook-id"]
            fails = CHANCE.random() < 0.5 and FAILED.get(name, 0) < 4
            FAILED[name] = FAILED.get(name, 0) + fails
        note({"path": "/flaky", "tried": self.headers["webhook-id"], "failed" if fails else "took": True, "at": time.time()})
        if fails:
            self.answer(503)
        else:
            self.take_webhook(body, query)

    def take_silent(self, body, query):
        threading.Event().wait()

    def take_wecom(self, body, query):
        message = json.loads(body)
        assert message["msgtype"] == "text" and len(message["text"]["content"].encode()) <= 2048
        if not within_pace(query, "wecom", 20):
            note({"path": "/wecom", "refused": "pace"})
            return self.answer(200, {"errcode": 45009, "errmsg": "api freq out of limit"})
        note({"path": "/wecom", "text": message["text"]["content"]})
        self.answer(200, {"errcode": 0, "errmsg": "ok"})

    def take_dingtalk(self, body, query):
        stamp = query["timestamp"]
        assert abs(time.time() * 1000 - int(stamp)) < 3_600_000
        assert query["sign"] == sign(ROBOT_SECRET, f"{stamp}\n{ROBOT_SECRET}"), "sign"
        message = json.loads(body)
        assert message["msgtype"] == "markdown" and message["markdown"]["title"] and len(body) <= 20000
        if not within_pace(query, "dingtalk", 20):
            note({"path": "/dingtalk", "refused": "pace"})
            return self.answer(200, {"errcode": 130101, "errmsg": "send too fast"})
        note({"path": "/dingtalk", "text": message["markdown"]["text"]})
        self.answer(200, {"errcode": 0, "errmsg": "ok"})

    def take_feishu(self, body, query):
        message = json.loads(body)
        stamp = message["timestamp"]
        assert abs(time.time() - int(stamp)) < 3600
        if message["sign"] != sign(f"{stamp}\n{ROBOT_SECRET}", ""):
            note({"path": "/feishu", "refused": "sign"})
            return self.answer(200, {"code": 19021, "msg": "sign match fail"})
        assert message["msg_type"] == "text" and len(body) <= 20 * 1024
        if not within_pace(query, "feishu", 100) or not within_pace(query, "feishu-second", 5, 1):
            note({"path": "/feishu", "refused": "pace"})
            return self.answer(200, {"code": 9499, "msg": "too many request"})
        note({"path": "/feishu", "text": message["content"]["text"]})
        self.answer(200, {"code": 0, "msg": "success"})

    def take_moved(self, body, query):
        # As a captive portal or a moved service does: what the redirect leads to would say 200.
        note({"path": "/moved"})
        self.send_response(302)
        self.send_header("Location", "/anywhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        note({"path": self.path, "got": True})
        self.answer(200)

    def take_ntfy(self, body, query):
        message = json.loads(body)
        assert message["topic"] and message["message"] and message["priority"] in (1, 2, 3, 4, 5)
        assert all(action["action"] == "view" and action["url"].startswith("http") for action in message.get("actions", []))
        note({"path": "/ntfy", "message": message})
        self.answer(200, {"id": "1"})


class Server(ThreadingHTTPServer):
    daemon_threads = True
    # With five, the kernel drops the sixth connection of a burst, and the next try comes a second later.
    request_queue_size = 256


server = Server(("127.0.0.1", 0), Receiver)
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
print("ready", server.server_address[1], flush=True)
server.serve_forever()
