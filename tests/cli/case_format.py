# SPDX-License-Identifier: MIT OR Apache-2.0
"""docs/FORMAT.md is enough to read a file: a reader written from it alone sees what the program stored."""
import json
import pathlib
import subprocess
import sys

from harness import check, check_equal

READER = pathlib.Path(__file__).resolve().parents[2] / "tools" / "read_vitrine.py"


def read(folder, name="a.vtr"):
    done = subprocess.run([sys.executable, str(READER), name], cwd=folder.path, capture_output=True, check=False)
    check_equal((done.returncode, done.stderr), (0, b""))
    rows = [line.split("\t") for line in done.stdout.decode().splitlines()]
    return {(keyspace, bytes.fromhex(key)): (version, bytes.fromhex(value)) for keyspace, key, version, value in rows}


def documents(folder, name="a.vtr"):
    """The records of documents by what they are: the member that tells them apart."""
    done = subprocess.run([sys.executable, str(READER), name, "--documents"], cwd=folder.path, capture_output=True,
                          check=False)
    check_equal((done.returncode, done.stderr), (0, b""))
    found = {}
    for row in map(json.loads, done.stdout.splitlines()):
        what = next(kind for kind in ("catalog", "next_number", "changes_kept", "changes_gone", "index", "change",
                                      "document", "expires_ms") if kind in row)
        found.setdefault(what, []).append(row)
    return found


def agree(folder, entries):
    seen = read(folder)
    check_equal({key: value for (keyspace, key), (_, value) in seen.items() if keyspace == "default"}, entries)
    check(all(version.isdigit() for (keyspace, _), (version, _) in seen.items() if keyspace == "default"), "versions")
    return seen


def lines(entries):
    return b"".join(key.hex().encode() + b"\t" + value.hex().encode() + b"\n" for key, value in entries.items())


def random_entries(folder, count):
    entries = {}
    for _ in range(count):
        prefix = folder.random.choice([b"", b"prefix/", b"\xff\xff"])
        size = folder.random.choice([0, 1, 20, 300, 2000])
        entries[prefix + folder.random.randbytes(folder.random.randint(1, 40))] = folder.random.randbytes(size)
    for size in (5000, 70_000, 3_000_000):
        entries[b"large%d" % size] = folder.random.randbytes(size)
    return entries


def case_a_reader_of_the_document_reads_every_page_size(folder):
    for page_size in (4096, 8192, 65536):
        folder.ok("init", "a.vtr", "--page-size", str(page_size))
        check_equal(read(folder), {})
        entries = random_entries(folder, 1500)
        folder.ok("put", "a.vtr", "--stdin", "--hex", stdin=lines(entries))
        folder.ok("put", "a.vtr", "k", "in another keyspace", "--keyspace", "other")
        seen = agree(folder, entries)
        check_equal(seen["other", b"k"][1], b"in another keyspace")
        folder.verified("a.vtr")
        (folder / "a.vtr").unlink()


def case_a_reader_of_the_document_reads_the_log_of_a_killed_writer(folder):
    entries = random_entries(folder, 300)
    folder.database(entries)
    writer = folder.start("put", "a.vtr", "--stdin", "--hex", "--ack")
    for _ in range(200):
        key, value = folder.random.choice([*entries, folder.random.randbytes(8)]), folder.random.randbytes(700)
        writer.stdin.write(lines({key: value}))
        writer.stdin.flush()
        check_equal(writer.stdout.readline().strip(), key.hex().encode())
        entries[key] = value
    writer.kill()
    writer.wait(60)
    for pipe in (writer.stdin, writer.stdout, writer.stderr):
        pipe.close()
    check((folder / "a.vtr-wal").stat().st_size > 0, "there is a log")
    agree(folder, entries)
    check_equal(folder.content("a.vtr"), entries)
    folder.verified("a.vtr")


def people(folder, count):
    """Documents with values of many types, references to each other, and texts too long for a key."""
    rows = []
    for i in range(count):
        rows.append({"_id": i, "email": f"u{i}@example.org", "age": i % 90, "score": i / 4, "tags": ["a", f"t{i % 7}"],
                     "note": "x" * (900 if i % 100 == 0 else 3), "big": i + 5_000_000_000, "none": None,
                     "is": i % 2 == 0,
                     "seen": {"$date": {"$numberLong": str(1_700_000_000_000 + i)}},
                     "friend": {"$ref": "people", "$id": (i * 7) % count}})
    return rows


def fill_with_people(folder, count):
    folder.ok("init", "a.vtr", "--page-size", "4096")
    folder.ok("watch", "a.vtr", "--keep", "100000")
    lines_of = "".join(json.dumps(row) + "\n" for row in people(folder, count))
    folder.ok("insert", "a.vtr", "people", stdin=lines_of.encode())
    folder.ok("insert", "a.vtr", "others", "{name: 'without an id'}")
    for name, keys, *options in (("age", "{age: -1, email: 1}"), ("email", "{email: 1}", "--unique"),
                                 ("tags", "{tags: 1}"), ("note", "{note: 1}"),
                                 ("seen", "{seen: 1}", "--ttl", "2000000000")):
        folder.ok("index", "a.vtr", "people", "create", name, keys, *options)
    folder.ok("update", "a.vtr", "people", "{age: 5}", "{$set: {none: 'something'}}")
    folder.ok("remove", "a.vtr", "people", "{age: 6}")


def found_by_id(folder, name="a.vtr"):
    return [json.loads(line) for line in
            folder.ok("find", name, "people", "{}", "--sort", "{_id: 1}", "--canonical").out.splitlines()]


def case_a_reader_of_the_document_reads_every_record_of_documents(folder):
    fill_with_people(folder, 400)
    found = documents(folder)
    numbers = {row["collection"]: int(row["catalog"]["id"]["$numberLong"]) for row in found["catalog"]}
    check_equal(set(numbers), {"people", "others"})
    stored = [row for row in found["document"] if row["number"] == numbers["people"]]
    check_equal([row["document"] for row in stored], found_by_id(folder), "documents")
    catalog = next(row["catalog"] for row in found["catalog"] if row["collection"] == "people")
    indexes = {index["name"]: int(index["id"]["$numberLong"]) for index in catalog["indexes"]}
    check(found["next_number"][0]["next_number"] > max(*numbers.values(), *indexes.values()), "the next free number")
    ids = {row["id"] for row in stored}
    for name, each in (("age", 1), ("email", 1), ("tags", 2), ("note", 1), ("seen", 1)):
        entries = [row for row in found["index"] if row["index"] == indexes[name]]
        check_equal(len(entries), each * len(stored), name)
        check_equal({row["id"] for row in entries}, ids, name)
        if name != "age":  # whose first path goes down
            check_equal(entries, sorted(entries, key=lambda row: (row["key"], row["id"])), f"order of {name}")
    check_equal({row["id"] for row in found["expires_ms"]}, ids, "times of expiry")
    fed = [json.loads(line) for line in folder.ok("watch", "a.vtr", "--once").out.splitlines()]
    check_equal(len(found["change"]), len(fed), "changes")
    check_equal({row["change"] for row in found["change"]}, {"create", "insert", "update", "remove"})
    folder.verified("a.vtr")


def case_a_reader_of_the_document_refuses_a_damaged_page(folder):
    folder.database(random_entries(folder, 300), options=("--page-size", "4096"))
    root = folder.ok("inspect", "tree", "a.vtr", "--json").json()["payload"]["node"]["page"]
    image = bytearray((folder / "a.vtr").read_bytes())
    image[root * 4096 + 200] ^= 1
    (folder / "a.vtr").write_bytes(image)
    done = subprocess.run([sys.executable, str(READER), "a.vtr"], cwd=folder.path, capture_output=True, check=False)
    check(done.returncode == 1 and f"page {root} does not match".encode() in done.stderr, str(done))
