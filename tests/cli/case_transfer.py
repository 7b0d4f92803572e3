# SPDX-License-Identifier: MIT OR Apache-2.0
"""backup, export, import: whole databases in and out."""
from harness import check, check_equal


def two_keyspaces(folder, name="a.vtr"):
    entries = {b"%04d" % i: folder.random.randbytes(i % 500) for i in range(1000)}
    folder.database(entries, name=name)
    folder.ok("put", name, "large", stdin=folder.random.randbytes(300000))
    folder.ok("put", name, "key", "elsewhere", "--keyspace", "other")
    return folder.content(name)


def case_a_backup_is_the_same_database(folder):
    entries = two_keyspaces(folder)
    report = folder.reads_with(["b.vtr"], "backup", "a.vtr", "b.vtr", "--json").json()
    check(report["ok"] and report["entries"] >= len(entries), str(report))
    check_equal(folder.content("b.vtr"), entries)
    folder.reads("get", "b.vtr", "key", "--keyspace", "other", out="elsewhere\n")
    folder.verified("b.vtr")
    folder.ok("put", "b.vtr", "only", "here")
    folder.fails("not_found", "KEY_GET_NOT_FOUND", "get", "a.vtr", "only")
    folder.fails("conflict", "FILE_CREATE_EXISTS", "backup", "a.vtr", "b.vtr")
    folder.fails("conflict", "FILE_CREATE_EXISTS", "backup", "a.vtr", "a.vtr")


def case_a_backup_runs_beside_a_writer(folder):
    two_keyspaces(folder)
    writer = folder.start("put", "a.vtr", "--stdin", "--ack")
    writer.stdin.write(b"before\t1\n")
    writer.stdin.flush()
    check_equal(writer.stdout.readline(), b"before\n")
    folder.ok("backup", "a.vtr", "b.vtr")
    folder.ok("export", "a.vtr", "a.export")
    out, err = writer.communicate(b"after\t2\n", timeout=60)
    check_equal((writer.returncode, out, err), (0, b"after\n", b""))
    folder.verified("b.vtr")
    content = folder.content("b.vtr")
    check(content[b"before"] == b"1" and b"after" not in content, "the backup holds one moment")
    folder.ok("import", "c.vtr", "a.export", "--create")
    check_equal(folder.content("c.vtr"), content)


def case_an_export_holds_everything(folder):
    entries = two_keyspaces(folder)
    report = folder.reads_with(["a.export"], "export", "a.vtr", "a.export", "--json").json()
    check_equal((report["entries"], report["keyspaces"]), (len(entries) + 1, 2))
    folder.ok("init", "b.vtr", "--page-size", "64KiB")
    report = folder.ok("import", "b.vtr", "a.export", "--json").json()
    check_equal((report["entries"], report["keyspaces"]), (len(entries) + 1, 2))
    check_equal(folder.content("b.vtr"), entries)
    folder.reads("get", "b.vtr", "key", "--keyspace", "other", out="elsewhere\n")
    folder.verified("b.vtr")
    folder.fails("conflict", "FILE_CREATE_EXISTS", "export", "a.vtr", "a.export")


def case_an_import_merges_or_replaces(folder):
    folder.database({b"a": b"new", b"b": b"new"}, name="from.vtr")
    folder.ok("export", "from.vtr", "from.export")
    for words, expected in (((), {b"a": b"new", b"b": b"new", b"z": b"old"}),
                            (("--replace",), {b"a": b"new", b"b": b"new"})):
        name = folder.database({b"a": b"old", b"z": b"old"}, name=f"to{len(words)}.vtr")
        folder.ok("put", name, "key", "old", "--keyspace", "extra")
        folder.ok("import", name, "from.export", *words)
        check_equal(folder.content(name), expected)
        check_equal(b"extra" in folder.ok("keyspaces", name).out.splitlines(), not words)
        folder.verified(name)


def case_an_import_creates_only_when_told(folder):
    folder.database({b"a": b"1"})
    folder.ok("export", "a.vtr", "a.export")
    folder.fails("not_found", "FILE_OPEN_NOT_FOUND", "import", "new.vtr", "a.export")
    folder.fails("not_found", "FILE_OPEN_NOT_FOUND", "import", "new.vtr", "missing.export", "--create")
    folder.ok("import", "new.vtr", "a.export", "--create")
    check_equal(folder.content("new.vtr"), {b"a": b"1"})


def refused_import(folder, image, words=()):
    (folder / "bad.export").write_bytes(image)
    run = folder.run("import", "b.vtr", "bad.export", *words)
    check(run.code in (7, 10), str(run))
    check(run.out == b"" and (b"EXPORT_READ_DAMAGED" in run.err or b"EXPORT_READ_VERSION" in run.err), str(run))


def case_a_damaged_export_changes_nothing(folder):
    folder.database({b"%03d" % i: folder.random.randbytes(30) for i in range(300)})
    folder.ok("export", "a.vtr", "a.export")
    image = (folder / "a.export").read_bytes()
    kept = {b"kept": b"1"}
    folder.database(kept, name="b.vtr")
    cuts = [0, 1, 7, 8, 16, 64, len(image) // 2, len(image) - 33, len(image) - 8, len(image) - 1]
    for cut in cuts + [folder.random.randrange(len(image)) for _ in range(15)]:
        refused_import(folder, image[:cut])
        refused_import(folder, image[:cut], ("--replace",))
    for _ in range(40):
        damaged = bytearray(image)
        damaged[folder.random.randrange(len(image))] ^= 1 << folder.random.randrange(8)
        refused_import(folder, damaged)
    refused_import(folder, image + b"\0")
    refused_import(folder, image + image)
    refused_import(folder, b"this is a text, not an export" * 10)
    refused_import(folder, (folder / "a.vtr").read_bytes())
    check_equal(folder.content("b.vtr"), kept)
    folder.verified("b.vtr")
    (folder / "bad.export").write_bytes(image[:-1])
    folder.fails("integrity_failure", "EXPORT_READ_DAMAGED", "import", "c.vtr", "bad.export", "--create")
