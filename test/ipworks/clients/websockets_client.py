"""What WSServer does with Python's websockets: one JSON line. Arguments: URL, file of the CA."""

import json
import ssl
import sys

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

url, ca = sys.argv[1:]
context = ssl.create_default_context(cafile=ca) if url.startswith("wss:") else None
found = {}


def dial(path="", **options):
    return connect(url + path, ssl=context, open_timeout=8, close_timeout=8, **options)


with dial(subprotocols=["other", "chat"]) as socket:
    found["subprotocol"] = socket.subprotocol
    found["deflate"] = "permessage-deflate" in socket.response.headers.get("Sec-WebSocket-Extensions", "")
    text = "grüße " * 20000
    socket.send(text)
    found["text"] = socket.recv(timeout=8) == text
    socket.send(bytes(range(256)))
    found["binary"] = socket.recv(timeout=8) == bytes(range(256))
    socket.send(["parts ", "of one ", "message"])
    found["fragments"] = socket.recv(timeout=8) == "parts of one message"
    found["pong"] = socket.ping().wait(timeout=8)
    try:
        dial("forbidden")
    except InvalidStatus as refused:
        found["rejected"] = refused.response.status_code
    socket.send("close me")
    try:
        socket.recv(timeout=8)
    except ConnectionClosed as closed:
        found["close"] = [closed.rcvd.code, closed.rcvd.reason]
print(json.dumps(found))
