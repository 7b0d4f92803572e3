# SPDX-License-Identifier: MIT OR Apache-2.0
"""docs/FORMAT.md is enough to read a file: a reader written from it alone sees what the program stored."""
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


def case_a_reader_of_the_document_refuses_a_damaged_page(folder):
    folder.database(random_entries(folder, 300), options=("--page-size", "4096"))
    root = folder.ok("inspect", "tree", "a.vtr", "--json").json()["payload"]["node"]["page"]
    image = bytearray((folder / "a.vtr").read_bytes())
    image[root * 4096 + 200] ^= 1
    (folder / "a.vtr").write_bytes(image)
    done = subprocess.run([sys.executable, str(READER), "a.vtr"], cwd=folder.path, capture_output=True, check=False)
    check(done.returncode == 1 and f"page {root} does not match".encode() in done.stderr, str(done))
