# SPDX-License-Identifier: MIT OR Apache-2.0
"""diff: exactly what changed, between files and between checkpoints, also when pages of one side cannot be read."""
import shutil

from case_inspect import PAGE, all_pages, filled
from harness import check, check_equal, validator


def compared(folder, *words):
    """Rows about keys, rows about pages, and the summary."""
    run = folder.reads("diff", *words, "--json")
    rows = run.json_lines()[:-1]
    for row in rows:
        validator("diff.json").validate(row)
    check_equal({row["kind"] for row in rows} - {"key", "pages"}, set())
    return [row for row in rows if row["kind"] == "key"], [row for row in rows if row["kind"] == "pages"], run.payload()


def changes(rows):
    """Changed keys of the default keyspace as bytes."""
    found = {}
    for row in rows:
        if row["keyspace"] == 1:
            key = row["key"]
            found[bytes.fromhex(key["hex"]) if isinstance(key, dict) else key.encode()] = row["change"]
    return found


def change_at_random(folder, name, entries, count):
    """Changes entries, and returns what diff should say of it."""
    expected = {}
    for _ in range(count):
        key = b"%06d" % folder.random.randrange(len(entries) + 50)
        if key in entries and folder.random.random() < 0.3:
            folder.ok("delete", name, key)
            expected[key] = "removed"
            if key not in entries:
                del expected[key]
        else:
            folder.ok("put", name, key, str(folder.random.random()))
            expected[key] = "changed" if key in entries else "added"
    return expected


def case_diff_of_a_backup_and_the_living_file_is_what_was_changed(folder):
    entries = filled(folder)
    folder.run("backup", "a.vtr", "b.vtr")
    keys, _, summary = compared(folder, "b.vtr", "a.vtr")
    check_equal((keys, summary["keys_changed"], summary["complete"]), ([], 0, True))
    expected = change_at_random(folder, "a.vtr", entries, 12)
    large = folder.random.randbytes(100_000)
    (folder / "large").write_bytes(large)
    folder.ok("put", "a.vtr", "large", "--file", "large")
    expected[b"large"] = "changed"
    writer = folder.start("put", "a.vtr", "--stdin", "--ack")  # holds the database; what it writes is in the log
    writer.stdin.write(b"in the log\tvalue\n")
    writer.stdin.flush()
    check_equal(writer.stdout.readline(), b"in the log\n")
    expected[b"in the log"] = "added"
    keys, _, summary = compared(folder, "b.vtr", "a.vtr")
    check_equal(changes(keys), expected)
    back = {"added": "removed", "removed": "added", "changed": "changed"}
    check_equal(changes(compared(folder, "a.vtr", "b.vtr", "--by", "keys")[0]),
                {key: back[change] for key, change in expected.items()})
    writer.stdin.close()
    check_equal(writer.wait(), 0)
    folder.verified("a.vtr")


def case_diff_of_a_copy_reads_only_what_changed(folder):
    filled(folder, 8000)
    shutil.copyfile(folder / "a.vtr", folder / "b.vtr")
    for number in (17, 5000):
        folder.ok("put", "b.vtr", b"%06d" % number, "new")
    keys, pages, summary = compared(folder, "a.vtr", "b.vtr")
    check_equal(changes(keys), {b"000017": "changed", b"005000": "changed"})
    check(summary["nodes_read"] < 20 and summary["subtrees_shared"] > 20, f"{summary}")
    differing = {n for row in pages for n in range(row["first"], row["first"] + row["pages"])}
    one, two = (folder / "a.vtr").read_bytes(), (folder / "b.vtr").read_bytes()
    used = [row["page"] for row in all_pages(folder) if row["in_use"]]
    check(all(one[n * PAGE:(n + 1) * PAGE] == two[n * PAGE:(n + 1) * PAGE] for n in used if n not in differing),
          "pages that are not named are the same")
    text = folder.reads("diff", "a.vtr", "b.vtr").out.decode()
    check("changed key default 000017: " in text and "keys: 0 added, 0 removed, 2 changed, 0 unknown" in text, text)


def case_diff_of_checkpoints_tells_the_last_step_and_what_is_gone(folder):
    filled(folder)
    folder.ok("put", "a.vtr", "000100", "new")
    keys, pages, _ = compared(folder, "a.vtr", "--checkpoints")
    check_equal(changes(keys), {b"000100": "changed"})
    gone = next(row["first"] for row in pages if row["change"] == "only_before")
    whole = bytearray((folder / "a.vtr").read_bytes())
    whole[gone * PAGE:(gone + 1) * PAGE] = folder.random.randbytes(PAGE)
    (folder / "a.vtr").write_bytes(whole)
    keys, _, summary = compared(folder, "a.vtr", "--checkpoints")
    check_equal(summary["gaps_before"] + summary["pages_unknown"] > 0, True, f"{summary}")
    check(set(changes(keys).values()) <= {"unknown", "changed"}, "what cannot be known is not called added")
    check("are gone or damaged" in folder.reads("diff", "a.vtr", "--checkpoints", "--by", "keys").out.decode() or
          summary["gaps_before"] == 0, "the text says it")


def case_diff_calls_keys_under_damaged_pages_unknown(folder):
    entries = filled(folder)
    shutil.copyfile(folder / "a.vtr", folder / "b.vtr")
    folder.ok("put", "b.vtr", "000050", "new")
    leaf = folder.run("inspect", "tree", "a.vtr", "--json").json()["payload"]["children"][2]["ref"]["page"]
    for name in ("a.vtr", "b.vtr"):
        whole = bytearray((folder / name).read_bytes())
        whole[leaf * PAGE + 200] ^= 1
        (folder / name).write_bytes(whole)
        keys, _, summary = compared(folder, "a.vtr", "b.vtr")
        found = changes(keys)
        check(set(found.values()) <= {"unknown", "changed"}, f"{found}")
        check_equal(found.get(b"000050"), "changed")
        check(all(key in entries for key, change in found.items() if change == "unknown"), "unknown keys exist")


def case_diff_of_encrypted_files_compares_keys_with_their_secret_and_places_without(folder):
    unlock = ("--keyfile", "key")
    for name in ("key", "wrong"):
        (folder / name).write_bytes(folder.random.randbytes(64))
    folder.ok("init", "a.vtr", "--encrypt", "--page-size", str(PAGE), *unlock)
    folder.ok("put", "a.vtr", "apple", "red", *unlock)
    folder.ok("put", "a.vtr", "grape", "blue", *unlock)
    folder.ok("backup", "a.vtr", "b.vtr", *unlock)
    shutil.copyfile(folder / "a.vtr", folder / "c.vtr")
    folder.ok("put", "c.vtr", "apple", "green", *unlock)
    for words in (("b.vtr", "c.vtr"), ("a.vtr", "c.vtr"), ("c.vtr", "--checkpoints")):
        keys, pages, summary = compared(folder, *words, "--show", "keys", *unlock)
        check_equal((changes(keys), summary["keys_comparable"]), ({b"apple": "changed"}, True))
        check(pages and summary["pages_unknown"] == 0, f"{summary}")
    shown = folder.reads("diff", "a.vtr", "c.vtr", "--json", *unlock).out
    check(b"changed" in shown and b"apple" not in shown, "an encrypted file shows structure")
    keys, pages, summary = compared(folder, "a.vtr", "c.vtr")
    check_equal((keys, summary["keys_comparable"]), ([], False))
    one, two = (folder / "a.vtr").read_bytes(), (folder / "c.vtr").read_bytes()
    differing = {n for row in pages for n in range(row["first"], row["first"] + row["pages"])}
    check_equal(differing, {n for n in range(4, summary["after"]["page_count"])
                            if one[n * PAGE:(n + 1) * PAGE] != two[n * PAGE:(n + 1) * PAGE]}, "places")
    check(b"not compared without a secret" in folder.reads("diff", "a.vtr", "c.vtr").out, "the text says it")
    folder.fails("permission_denied", "KEY_OPEN_REQUIRED", "diff", "a.vtr", "c.vtr", "--by", "keys")
    folder.fails("permission_denied", "KEY_OPEN_REQUIRED", "diff", "c.vtr", "--checkpoints")
    folder.fails("permission_denied", "KEY_OPEN_MISMATCH", "diff", "a.vtr", "c.vtr", "--keyfile", "wrong")
    folder.ok("backup", "a.vtr", "plain.vtr", "--plaintext", *unlock)
    keys, _, _ = compared(folder, "plain.vtr", "c.vtr", "--by", "keys", "--show", "keys", *unlock)
    check_equal(changes(keys), {b"apple": "changed"})


def case_diff_names_mistakes(folder):
    filled(folder, 10)
    folder.ok("init", "big.vtr", "--page-size", "16KiB")
    check_equal(compared(folder, "a.vtr", "big.vtr")[2]["pages_comparable"], False)
    for words in (("a.vtr",), ("a.vtr", "big.vtr", "--checkpoints")):
        check_equal(folder.run("diff", *words).code, 2)
    folder.fails("not_found", "FILE_OPEN_NOT_FOUND", "diff", "a.vtr", "none.vtr")
