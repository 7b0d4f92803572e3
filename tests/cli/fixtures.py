# SPDX-License-Identifier: MIT OR Apache-2.0
"""The fixture matrix: one database file of each kind, made anew by the program and by named damage. The same names give
the same files, but for what is random in every file (its id, sessions, salts) and the clock.

Each builder leaves a.vtr (and a.vtr-wal) in the folder.
"""
import random

import xxhash

PAGE = 4096
SLOTS = 8192  # where the slots of a log begin
SECRET = b"correct horse battery staple"


def entries(count=300):
    pattern = random.Random(1)
    return {b"%06d" % i: pattern.randbytes(40) for i in range(count)}


def database(folder, pairs):
    folder.database(pairs, options=("--page-size", str(PAGE)))


def flip(folder, *offsets, name="a.vtr"):
    image = bytearray((folder / name).read_bytes())
    for offset in offsets:
        image[offset] ^= 1
    (folder / name).write_bytes(image)


def rows(folder, wanted):
    listed = folder.ok("inspect", "pages", "a.vtr", "--limit", "1000", "--json").json()["payload"]["pages"]
    return [row["page"] for row in listed if row.get("type") == wanted and row["in_use"]]


def root(folder):
    return folder.ok("inspect", "tree", "a.vtr", "--json").json()["payload"]["node"]["page"]


def empty(folder):
    folder.ok("init", "a.vtr", "--page-size", str(PAGE))


def small(folder):
    database(folder, entries())


def overflow(folder):
    database(folder, entries(20) | {b"large": random.Random(2).randbytes(20_000), b"long": b"k" * 3000})


def encrypted(folder):
    folder.ok("init", "a.vtr", "--page-size", str(PAGE), "--encrypt", "--cipher", "aes-256-gcm", "--passphrase-stdin",
              stdin=SECRET + b"\n")
    folder.ok("put", "a.vtr", "key", "value", "--passphrase-stdin", stdin=SECRET + b"\n")


def live(folder):
    """As a writer that was killed leaves it: the last commits are in the log alone."""
    small(folder)
    writer = folder.start("put", "a.vtr", "--stdin", "--ack")
    for i in range(5):
        writer.stdin.write(b"live%d\tv\n" % i)
        writer.stdin.flush()
        writer.stdout.readline()
    writer.kill()
    writer.wait(60)
    for pipe in (writer.stdin, writer.stdout, writer.stderr):
        pipe.close()


def log_missing(folder):
    live(folder)
    (folder / "a.vtr-wal").unlink()


def log_damaged(folder):
    live(folder)
    frames = folder.ok("inspect", "log", "a.vtr", "--json").json()["payload"]["frames"]
    first = next(frame for frame in frames if frame["type"] == "transaction")
    segment = folder.ok("inspect", "log", "a.vtr", "--json").json()["payload"]["segment_size"]
    flip(folder, SLOTS + first["slot"] * segment + first["lsn"] % segment + 50, name="a.vtr-wal")


def leaf_damaged(folder):
    small(folder)
    flip(folder, rows(folder, "leaf")[1] * PAGE + 100)


def root_damaged(folder):
    small(folder)
    flip(folder, root(folder) * PAGE + 100)


def extent_damaged(folder):
    overflow(folder)
    flip(folder, rows(folder, "extent")[0] * PAGE + 500)


def map_damaged(folder):
    small(folder)
    flip(folder, rows(folder, "map_leaf")[0] * PAGE + 60)


def pages_exchanged(folder):
    small(folder)
    image = bytearray((folder / "a.vtr").read_bytes())
    first, second = (page * PAGE for page in rows(folder, "leaf")[:2])
    image[first:first + PAGE], image[second:second + PAGE] = image[second:second + PAGE], image[first:first + PAGE]
    (folder / "a.vtr").write_bytes(image)


def header_copy_damaged(folder):
    small(folder)
    flip(folder, 100)


def header_damaged(folder):
    small(folder)
    flip(folder, *(block * PAGE + 100 for block in range(4)))


def truncated(folder):
    small(folder)
    (folder / "a.vtr").write_bytes((folder / "a.vtr").read_bytes()[:9 * PAGE + 17])


def newer(folder):
    small(folder)
    image = bytearray((folder / "a.vtr").read_bytes())
    for at in range(0, 4 * PAGE, PAGE):
        image[at + 8] = 99  # format version
        image[at + 4080:at + 4096] = xxhash.xxh3_128_intdigest(image[at:at + 4080]).to_bytes(16, "little")
    (folder / "a.vtr").write_bytes(image)


def not_a_database(folder):
    (folder / "a.vtr").write_bytes(b"no database" * 1000)


def missing(_folder):
    pass


ALL = [empty, small, overflow, encrypted, live, log_missing, log_damaged, leaf_damaged, root_damaged, extent_damaged,
       map_damaged, pages_exchanged, header_copy_damaged, header_damaged, truncated, newer, not_a_database, missing]
