"""Checks a proof, written from the description in docs/AUDIT.md alone. Usage: proof-reader.py PROOF TRUSTED_KEY_ID"""

import hashlib
import json
import sys


def fail(what):
    print("not proven: " + what, file=sys.stderr)
    sys.exit(1)


def sha(data):
    return hashlib.sha256(data).digest()


# Ed25519 as RFC 8032 has it, section 6: slow, and small enough to be read.
P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def add(a, b):
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    e, f = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    g, h = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n, point):
    result = (0, 1, 1, 0)
    while n > 0:
        if n & 1:
            result = add(result, point)
        point = add(point, point)
        n >>= 1
    return result


def same(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def recover_x(y, sign):
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P != 0:
        x = x * ROOT % P
    if (x * x - x2) % P != 0:
        return None
    return P - x if x & 1 != sign else x


def point_of(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    x = recover_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = (recover_x(BASE_Y, 0), BASE_Y, 1, recover_x(BASE_Y, 0) * BASE_Y % P)


def signed(public, text, signature):
    key, first = point_of(public), point_of(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or first is None or s >= Q:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + text).digest(), "little") % Q
    return same(times(s, BASE), add(first, times(h, key)))


def parse(text):
    """Title and fields of a canonical text."""
    data = text.encode("utf-8")
    title, _, rest = data.partition(b"\n")
    fields = []
    while rest:
        name, _, rest = rest.partition(b" ")
        if rest.startswith(b"-\n"):
            fields.append((name.decode(), None))
            rest = rest[2:]
            continue
        length, _, rest = rest.partition(b" ")
        count = int(length)
        if rest[count : count + 1] != b"\n":
            fail("a field is not as long as it says")
        fields.append((name.decode(), rest[:count].decode("utf-8")))
        rest = rest[count + 1 :]
    return title.decode(), fields


def fields_of(text, title):
    found, fields = parse(text)
    if found != title:
        fail("wanted " + title + ", found " + found)
    return dict(fields)


def main(path, trusted):
    with open(path, encoding="utf-8") as file:
        proof = json.load(file)

    keys, last = {}, None
    for each in proof["keys"]:
        key = fields_of(each["statement"], "biller/key/1")
        public = bytes.fromhex(key["publicKey"])
        if key["keyId"] != "ed25519-" + sha(public).hex()[:16] or key["previousKeyId"] != (last and last["keyId"]):
            fail("a key is not what it says")
        by = bytes.fromhex((last or key)["publicKey"])
        if not signed(by, each["statement"].encode(), bytes.fromhex(each["signature"])):
            fail("a key is not introduced by the one before it")
        keys[key["keyId"]] = public
        last = key
    if trusted not in keys:
        fail("the trusted key is not there")

    roots = {}
    for chain in proof["chains"]:
        previous = None
        for each in chain["blocks"]:
            header = each["header"]
            block = fields_of(header, "biller/block/1")
            if not signed(keys[block["keyId"]], header.encode(), bytes.fromhex(each["signature"])):
                fail("a block's signature is wrong")
            if previous not in (None, block["previous"]):
                fail("a block does not follow the one before it")
            previous = sha(header.encode()).hex()
            roots[block["blockNo"]] = (block["root"], int(block["leaves"]), block["blockNo"], previous)
            end = block
        if chain["checkpoint"] is not None:
            statement = chain["checkpoint"]["statement"]
            point = fields_of(statement, "biller/checkpoint/1")
            if not signed(keys[point["keyId"]], statement.encode(), bytes.fromhex(chain["checkpoint"]["signature"])):
                fail("a checkpoint's signature is wrong")
            if (point["blockNo"], point["blockHash"]) != (end["blockNo"], previous):
                fail("a checkpoint is about another block")

    for item in proof["items"]:
        leaf = item["leaf"].encode("utf-8")
        _, fields = parse(item["leaf"])
        fields = dict(fields)
        for name, field in item["disclosed"].items():
            if sha(bytes.fromhex(field["salt"]) + field["value"].encode("utf-8")).hex() != fields.get(name):
                fail(name + " is not what was sealed")
        root, size, _, _ = roots[item["blockNo"]]
        value, at, path_left = sha(b"\x00" + leaf), item["leafNo"], [bytes.fromhex(each) for each in item["path"]]
        while size > 1:
            if at ^ 1 < size:
                beside = path_left.pop(0)
                value = sha(b"\x01" + value + beside) if at % 2 == 0 else sha(b"\x01" + beside + value)
            at, size = at >> 1, (size + 1) >> 1
        if path_left or value.hex() != root:
            fail("a leaf is not in its block")
    print("proven: " + proof["traxId"])


main(sys.argv[1], sys.argv[2])
