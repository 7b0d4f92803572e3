# SPDX-License-Identifier: MIT OR Apache-2.0
"""salvage: what a damaged file still has, in a new one; the damaged file stays as it is."""
from case_format import documents, fill_with_people, found_by_id
from harness import check, check_equal

PAGE = 4096


def damaged(folder, *pages):
    image = bytearray((folder / "a.vtr").read_bytes())
    for page in pages:
        image[page * PAGE + 300] ^= 1
    (folder / "a.vtr").write_bytes(image)


def filled(folder):
    entries = {b"%06d" % i: folder.random.randbytes(50) for i in range(4000)}
    folder.database(entries, options=("--page-size", str(PAGE)))
    return entries


def case_salvage_without_the_root_brings_everything_back(folder):
    entries = filled(folder)
    root = folder.ok("inspect", "tree", "a.vtr", "--json").json()["payload"]["node"]["page"]
    damaged(folder, root)
    dry = folder.reads("salvage", "a.vtr", "--dry-run", "--json").payload()
    check_equal((dry["dry_run"], dry["records_in_place"], dry["records_orphaned"]), (True, 0, len(entries)))
    report = folder.reads_with(["b.vtr"], "salvage", "a.vtr", "b.vtr", "--json").payload()
    check_equal((report["records_orphaned"], report["records_uncertain"]), (len(entries), 0))
    check_equal(report["losses"][0]["page"], root)
    check_equal(folder.content("b.vtr"), entries)
    folder.verified("b.vtr")
    folder.fails("conflict", "FILE_CREATE_EXISTS", "salvage", "a.vtr", "b.vtr")


def case_salvage_without_a_leaf_names_it_and_brings_the_rest_back(folder):
    entries = filled(folder)
    rows = folder.ok("inspect", "pages", "a.vtr", "--limit", "1000", "--json").json()["payload"]["pages"]
    leaf = next(row["page"] for row in rows if row.get("type") == "leaf" and row["in_use"])
    lost = folder.ok("inspect", "page", str(leaf), "a.vtr", "--limit", "1000", "--json").json()["payload"]["content"]
    damaged(folder, leaf)
    text = folder.reads_with(["b.vtr"], "salvage", "a.vtr", "b.vtr").out.decode()
    check("PAGE_READ_CHECKSUM" in text and f"  {leaf} " in text, text)
    missing = {slot["key"].encode() for slot in lost["slots"]}
    check(missing, "the leaf had keys")
    check_equal(folder.content("b.vtr"), {key: value for key, value in entries.items() if key not in missing})
    folder.verified("b.vtr")


def case_salvage_replays_the_log_of_a_killed_writer(folder):
    entries = filled(folder)
    writer = folder.start("put", "a.vtr", "--stdin", "--ack")
    for i in range(100):
        writer.stdin.write(b"%06d\tnew\n" % i)
        writer.stdin.flush()
        writer.stdout.readline()
        entries[b"%06d" % i] = b"new"
    writer.kill()
    writer.wait(60)
    for pipe in (writer.stdin, writer.stdout, writer.stderr):
        pipe.close()
    report = folder.reads_with(["b.vtr"], "salvage", "a.vtr", "b.vtr", "--json").payload()
    check_equal((report["complete"], report["log_transactions"]), (True, 100))
    check_equal(folder.content("b.vtr"), entries)


def case_salvage_of_what_cannot_be_placed_is_refused(folder):
    filled(folder)
    damaged(folder, 0, 1, 2, 3)
    details = folder.fails("integrity_failure", "DATABASE_OPEN_HEADER_DAMAGED", "salvage", "a.vtr", "b.vtr")
    check(details, "details")
    (folder / "none.vtr").write_bytes(b"no database" * 1000)
    folder.fails("invalid_input", "DATABASE_OPEN_NOT_DATABASE", "salvage", "none.vtr", "b.vtr")
    for words in (("a.vtr",), ("a.vtr", "b.vtr", "--dry-run")):
        check_equal(folder.run("salvage", *words).code, 2)


def case_salvage_of_an_encrypted_file_needs_its_key_and_stays_encrypted(folder):
    unlock = ("--passphrase-stdin",)
    folder.ok("init", "a.vtr", "--encrypt", "--page-size", str(PAGE), *unlock, stdin=b"pass phrase\n")
    entries = {b"%06d" % i: folder.random.randbytes(50) for i in range(1000)} | {b"large": b"x" * 30_000}
    lines = b"".join(key.hex().encode() + b"\t" + value.hex().encode() + b"\n" for key, value in entries.items())
    folder.ok("put", "a.vtr", "--stdin", "--hex", *unlock, stdin=b"pass phrase\n" + lines)
    tree = folder.ok("inspect", "tree", "a.vtr", "--json", *unlock, stdin=b"pass phrase\n").json()["payload"]
    damaged(folder, tree["node"]["page"])
    folder.fails("permission_denied", "KEY_OPEN_REQUIRED", "salvage", "a.vtr", "b.vtr")
    folder.fails("permission_denied", "KEY_OPEN_MISMATCH", "salvage", "a.vtr", "b.vtr", *unlock, stdin=b"wrong\n")
    run = folder.reads_with(["b.vtr"], "salvage", "a.vtr", "b.vtr", "--json", *unlock, stdin=b"pass phrase\n")
    report = run.payload()
    check_equal((report["records_orphaned"], report["values_lost"]), (len(entries), 0))
    folder.fails("permission_denied", "KEY_OPEN_REQUIRED", "list", "b.vtr")
    saved = folder.ok("list", "b.vtr", "--hex", *unlock, stdin=b"pass phrase\n").out.splitlines()
    check_equal({bytes.fromhex(key.decode()): bytes.fromhex(value.decode())
                 for key, value in (line.split(b"\t") for line in saved)}, entries)


def case_salvage_of_documents_makes_whole_what_follows_from_them(folder):
    fill_with_people(folder, 1200)
    whole = (folder / "a.vtr").read_bytes()
    before = {row["_id"]["$numberInt"]: row for row in found_by_id(folder)}
    rows = folder.ok("inspect", "pages", "a.vtr", "--limit", "10000", "--json").payload()["pages"]
    leaves = [row["page"] for row in rows if row.get("type") == "leaf" and row["in_use"]]
    first = folder.ok("inspect", "tree", "a.vtr", "--json").payload()
    while first["level"] > 1:
        first = folder.ok("inspect", "tree", "a.vtr", "--from", str(first["children"][0]["ref"]["page"]),
                          "--json").payload()
    catalog = first["children"][0]["ref"]["page"]  # with the names of keyspaces and collections
    for pages in [[catalog], *([page] for page in folder.random.sample(leaves, 5)), folder.random.sample(leaves, 9)]:
        (folder / "a.vtr").write_bytes(whole)
        damaged(folder, *pages)
        report = folder.ok("salvage", "a.vtr", "b.vtr", "--json").payload()
        codes = {loss["code"] for loss in report["losses"]}
        check("PAGE_READ_CHECKSUM" in codes, f"{codes}")
        deep = folder.ok("verify", "b.vtr", "--level", "deep", "--json").payload()
        check(deep["clean"], f"pages {pages}: {deep['findings'][:3]}")
        names = folder.ok("collections", "b.vtr").out.decode().split()
        name = next(name for name in names if name != "others")
        check(name == "people" or ("SALVAGE_COLLECTION_NAME" in codes and name.startswith("recovered-")), f"{names}")
        after = [row["document"] for row in documents(folder, "b.vtr")["document"] if "age" in row["document"]]
        check(all(before[row["_id"]["$numberInt"]] == row for row in after), "what is there is as it was")
        check(len(after) > len(before) * 2 // 3, f"{len(after)} of {len(before)} documents after {pages}")
        if name == "people":
            aged = folder.ok("find", "b.vtr", "people", "{age: 7}", "--canonical").out.splitlines()
            check_equal(len(aged), sum(row["age"] == {"$numberInt": "7"} for row in after), "by index")
        folder.ok("insert", "b.vtr", name, "{_id: 'new', email: 'new', age: 7, seen: 1}")
        folder.ok("insert", "b.vtr", "later", "{_id: 1}")
        check(folder.ok("verify", "b.vtr", "--level", "deep", "--json").payload()["clean"], "and stays whole")
        (folder / "b.vtr").unlink()
