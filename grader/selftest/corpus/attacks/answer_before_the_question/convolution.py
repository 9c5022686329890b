"""Writes an answer before it has been asked."""

import os
import struct

import msgpack

body = msgpack.packb([3, "ok", {"value": 1, "type_name": "int", "arguments": {}}])
os.write(3, struct.pack("!I", len(body)) + body)
