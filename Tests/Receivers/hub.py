"""A hub that keeps what gateways send upstream: paho-mqtt with a session that the broker keeps while it is away.

Usage: hub.py OUTPUT PORT TOPIC    prints "ready 0" once subscribed; each message becomes a JSON line in OUTPUT
"""

import json
import sys
import time
import zlib

import paho.mqtt.client as mqtt

OUTPUT, PORT, TOPIC = sys.argv[1], int(sys.argv[2]), sys.argv[3]
output = open(OUTPUT, "a", encoding="utf-8")
ready = [False]


def connected(client, userdata, flags, reason, properties):
    client.subscribe(TOPIC, qos=1)


def subscribed(client, userdata, number, reasons, properties):
    if not ready[0]:
        ready[0] = True
        print("ready 0", flush=True)


def heard(client, userdata, message):
    raw = message.payload
    deflated = not raw.startswith(b"{")
    line = json.loads(zlib.decompress(raw) if deflated else raw)
    line["topic"], line["deflated"] = message.topic, deflated
    output.write(json.dumps(line, ensure_ascii=False) + "\n")
    output.flush()


client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="hub", clean_session=False)
client.on_connect, client.on_subscribe, client.on_message = connected, subscribed, heard
client.reconnect_delay_set(1, 1)
while True:
    try:
        client.connect("127.0.0.1", PORT, keepalive=5)
        break
    except OSError:
        time.sleep(0.2)
client.loop_forever(retry_first_connection=True)
