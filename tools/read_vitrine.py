#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Lists the entries of an unencrypted database: an independent reader of docs/FORMAT.md.

    python3 tools/read_vitrine.py FILE.vtr [--documents]

Written from that document alone, and for documents from "Entries" of docs/DOCUMENTS.md, so that the tests, which run
it over files the program wrote, prove that they suffice. Prints KEYSPACE<TAB>KEY<TAB>VERSION<TAB>VALUE, names as text,
keys and values in hexadecimal; with --documents instead one JSON object for each record of documents: collections,
documents, entries of indexes, times of expiry and changes. Reads the file and the log beside it, checks all checksums
and references, and stops with a sentence at the first thing that is wrong.
"""
import base64
import json
import pathlib
import struct
import sys

import xxhash

BLOCK = 4096
LEAF, INNER, EXTENT, EXTENT_LIST = 1, 2, 3, 4
OPEN, TRANSACTION, PART, SEAL = 1, 2, 3, 4
PUT, ERASE, ERASE_RANGE = 1, 2, 3


class Wrong(Exception):
    """The file breaks the format."""


def number(data, offset, size):
    return int.from_bytes(data[offset:offset + size], "little")


def reference(data, offset):
    where, generation, session = struct.unpack_from("<QQQ", data, offset)
    return where & (1 << 40) - 1, generation, session


def checksum(data, seed=0):
    """As it stands in the file: the low half first, each half little-endian."""
    return xxhash.xxh3_128_intdigest(data, seed=seed).to_bytes(16, "little")


def varint(data, at):
    value, shift = 0, 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def header_block(data, slot, copy):
    offset = (slot * 2 + copy) * BLOCK
    block = data[offset:offset + BLOCK]
    if len(block) < BLOCK or block[:8] != b"VITRINE\n" or block[4080:] != checksum(block[:4080]):
        return None
    if number(block, 8, 4) != 1 or number(block, 12, 4) != 0:
        raise Wrong("another version of the format, or features that this reader does not know")
    return block if (block[16], block[17]) == (slot, copy) else None


class Reader:
    """One database as of its newest checkpoint; entries() adds what the log has."""

    def __init__(self, path):
        self.data = pathlib.Path(path).read_bytes()
        log = pathlib.Path(f"{path}-wal")
        blocks = [header_block(self.data, slot, copy) for slot in (0, 1) for copy in (0, 1)]
        blocks = [block for block in blocks if block is not None]
        if not blocks:
            raise Wrong("no header block is whole")
        self.header = max(blocks, key=lambda block: number(block, 40, 8))
        self.page_size = number(self.header, 20, 4)
        self.file_id = self.header[24:40]
        self.seed = xxhash.xxh3_64_intdigest(self.file_id)
        is_clean = number(self.header, 18, 2) & 1
        if not is_clean and not log.exists():
            raise Wrong("the log is missing")
        self.log = b"" if is_clean else log.read_bytes()

    def image(self, ref, pages=1):
        page, generation, session = ref
        image = self.data[page * self.page_size:(page + pages) * self.page_size]
        if image[-40:-24] != checksum(image[:-40], self.seed):
            raise Wrong(f"page {page} does not match its checksum")
        if (number(image, 8, 8), number(image, 16, 8), number(image, 24, 8)) != (page, generation, session):
            raise Wrong(f"page {page} is not what its parent names")
        return image

    def tree(self, ref):
        """Entries below a node: (key, record) in order."""
        image = self.image(ref)
        count, prefix_size = struct.unpack_from("<HH", image, 32)
        prefix_offset = number(image, 44, 4)
        prefix = image[prefix_offset:prefix_offset + prefix_size]
        for slot in range(count):
            offset, suffix_size, value_size = struct.unpack_from("<HHH", image, 112 + slot * 10 + 4)
            if image[0] == INNER:
                yield from self.tree(reference(image, offset))
                continue
            value = image[offset:offset + value_size]
            suffix = image[offset + value_size:offset + value_size + (suffix_size & 0x7FFF)]
            yield prefix + suffix, self.large_value(value) if suffix_size & 0x8000 else value

    def large_value(self, descriptor):
        size, ref, (pages, depth) = number(descriptor, 0, 8), reference(descriptor, 8), struct.unpack_from(
            "<II", descriptor, 32)
        value = self.payload(ref, pages, EXTENT_LIST if depth else EXTENT)
        if depth:
            rows = [value[at:at + 32] for at in range(0, len(value), 32)]
            value = b"".join(self.payload(reference(row, 0), number(row, 24, 4), EXTENT) for row in rows)
        if len(value) != size:
            raise Wrong("a large value has another size than its descriptor says")
        return value

    def payload(self, ref, pages, page_type):
        image = self.image(ref, pages)
        if image[0] != page_type:
            raise Wrong(f"page {ref[0]} is not of the expected type")
        return image[40:40 + number(image, 32, 8)]

    def frames(self):
        """Frames of the log from the position in the header on: (type, commit sequence number, payload)."""
        if not self.log:
            return
        head = self.log[:BLOCK]
        if head[:8] != b"VTRLOG\n\0" or head[4080:] != checksum(head[:4080]) or head[16:32] != self.file_id:
            raise Wrong("the log belongs to another file, or its header is damaged")
        size = number(head, 12, 4)
        slots = {}
        for start in range(2 * BLOCK, len(self.log), size):
            block = self.log[start:start + BLOCK]
            if block[:8] == b"VTRSEGM\n" and block[4080:] == checksum(block[:4080]) and block[32:48] == self.file_id:
                slots[number(block, 8, 8)] = start
        position, chain = number(self.header, 128, 8), number(self.header, 136, 8)
        while True:
            segment = (position - 1) // size
            behind = segment * size, (segment + 1) * size
            places = [position, -(-position // BLOCK) * BLOCK, behind[1] + BLOCK]
            found = next(filter(None, (self.frame(slots, size, place, chain) for place in places)), None)
            if found is None:
                return
            position, chain, kind, sequence, payload = found
            yield kind, sequence, payload

    def frame(self, slots, size, lsn, chain):
        start = slots.get(lsn // size)
        if start is None:
            return None
        frame = self.log[start + lsn % size:start + size]
        length = number(frame, 8, 4)
        named = number(frame, 16, 8), number(frame, 40, 8)
        if len(frame) < 64 + length or frame[:4] != b"VFRM" or named != (lsn, chain):
            return None
        payload = frame[64:64 + length]
        if frame[48:64] != checksum(frame[:48] + payload, self.seed):
            return None
        return lsn + -(-(64 + length) // 8) * 8, number(frame, 48, 8), frame[4], number(frame, 24, 8), payload

    def transactions(self):
        parts = b""
        for kind, _, payload in self.frames():
            if kind == OPEN:
                parts = b""
            elif kind == PART:
                parts += payload
            elif kind == TRANSACTION:
                yield parts + payload
                parts = b""

    def records(self):
        """All of the tree, by tree key, with the log applied."""
        root = reference(self.header, 72)
        records = dict(self.tree(root)) if root[0] else {}
        for payload in self.transactions():
            count, at = varint(payload, 0)
            for _ in range(count):
                kind, at = payload[at], at + 1
                size, at = varint(payload, at)
                key, at = payload[at:at + size], at + size
                if kind == ERASE:
                    records.pop(key, None)
                    continue
                size, at = varint(payload, at)
                other, at = payload[at:at + size], at + size
                if kind == PUT:
                    records[key] = other
                else:
                    for gone in [k for k in records if k >= key and (not other or k < other)]:
                        del records[gone]
        return records

    def entries(self):
        """(keyspace name, key, version or None, value) in order."""
        records = self.records()
        names = {1: ("default", True)}
        for key, record in records.items():
            if key[0] == 0 and key[1] >= 0x20:
                keyspace, at = varint(record, 0)
                names[keyspace] = (key[1:].decode(), varint(record, at)[0] & 1 == 1)
        for key in sorted(records):
            keyspace, at = varint(key, 0)
            if keyspace == 0:
                continue
            name, has_versions = names[keyspace]
            record = records[key]
            version, begin = varint(record, 0) if has_versions else (None, 0)
            yield name, key[at:], version, record[begin:]


# --- Documents: docs/DOCUMENTS.md, "Entries" -----------------------------------------------------------------------

CHANGE_KINDS = ["insert", "update", "remove", "expire", "drop", "rename", "create"]
KEY_HEAD, HASH = 464, 16  # of an entry of an index whose key is longer


def element(kind, data, at):
    """One BSON value as canonical Extended JSON, and where it ends."""
    if kind == 0x01:
        return {"$numberDouble": repr(struct.unpack_from("<d", data, at)[0])}, at + 8
    if kind == 0x02:
        size = number(data, at, 4)
        return data[at + 4:at + 3 + size].decode(), at + 4 + size
    if kind in (0x03, 0x04):
        members, end = bson(data, at)
        return (members if kind == 0x03 else list(members.values())), end
    if kind == 0x05:
        size = number(data, at, 4)
        text = base64.b64encode(data[at + 5:at + 5 + size]).decode()
        return {"$binary": {"base64": text, "subType": f"{data[at + 4]:02x}"}}, at + 5 + size
    if kind == 0x07:
        return {"$oid": data[at:at + 12].hex()}, at + 12
    if kind == 0x08:
        return data[at] == 1, at + 1
    if kind == 0x09:
        return {"$date": {"$numberLong": str(struct.unpack_from("<q", data, at)[0])}}, at + 8
    if kind == 0x0A:
        return None, at
    if kind == 0x10:
        return {"$numberInt": str(struct.unpack_from("<i", data, at)[0])}, at + 4
    if kind == 0x12:
        return {"$numberLong": str(struct.unpack_from("<q", data, at)[0])}, at + 8
    raise Wrong(f"BSON of type {kind}, which this reader does not know")


def bson(data, at=0):
    """The members of a BSON document, and where it ends."""
    end = at + number(data, at, 4)
    if end > len(data) or data[end - 1] != 0:
        raise Wrong("a BSON document is cut")
    members, at = {}, at + 4
    while at < end - 1:
        stop = data.index(0, at + 1)
        name = data[at + 1:stop].decode()
        members[name], at = element(data[at], data, stop + 1)
    return members, end


def document_row(key, value):
    """One record of the keyspace vitrine.documents."""
    kind = key[0]
    if kind == 0x01:
        return {"collection": key[1:].decode(), "catalog": bson(value)[0]}
    if kind in (0x02, 0x05, 0x06):
        return {{2: "next_number", 5: "swept_ms", 6: "changes_kept"}[kind]: varint(value, 0)[0]}
    if kind == 0x03:
        return {"building": number_of(key[1:5]), "done": value.hex()}
    if kind == 0x07:
        return {"changes_gone": value.hex()}
    if kind == 0x10:
        version, at = varint(value, 1)
        expires, at = varint(value, at) if value[0] == 2 else (0, at)
        return {"number": number_of(key[1:5]), "id": key[5:].hex(), "version": version, "expires_ms": expires,
                "document": bson(value, at)[0]}
    if kind == 0x11:
        size, at = varint(value, 1)
        is_cut = value[0] & 1 == 1
        whole, rest = (value[at:], key[5 + KEY_HEAD + HASH:]) if is_cut else (key[5:5 + size], key[5 + size:])
        if len(whole) != size:
            raise Wrong("an entry of an index has a key of another size")
        return {"index": number_of(key[1:5]), "key": whole.hex(), "id": rest.hex(), "exact": value[0] & 2 == 0}
    if kind == 0x20:
        return {"expires_ms": number_of(key[1:9]), "number": number_of(key[9:13]), "id": key[13:].hex()}
    if kind == 0x30:
        sequence, at = varint(value, 2)
        size, at = varint(value, at)
        return {"change": CHANGE_KINDS[value[1]], "version": number_of(key[1:9]), "sequence": number_of(key[9:13]),
                "entry": sequence, "of": value[at:at + size].decode(),
                "document": bson(value, at + size)[0] if at + size < len(value) else None}
    raise Wrong(f"a record of documents of kind {kind:02x}, which the document does not know")


def number_of(data):
    return int.from_bytes(data, "big")


def main(path, is_documents):
    try:
        for name, key, version, value in Reader(path).entries():
            if not is_documents:
                print(f"{name}\t{key.hex()}\t{'' if version is None else version}\t{value.hex()}")
            elif name == "vitrine.documents":
                print(json.dumps(document_row(key, value)))
    except (Wrong, OSError) as error:
        sys.exit(f"{path}: {error}")


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--documents"]
    if len(words) != 1:
        sys.exit(__doc__)
    main(words[0], "--documents" in sys.argv)
