# SPDX-License-Identifier: MIT OR Apache-2.0
"""init, put, get, delete, list, keyspaces: entries one by one, and what lists show."""
import base64
import json

from harness import check, check_equal

BINARY = bytes(range(256)) * 3 + b"\n\t\\"


def case_init_creates_an_empty_database_once(folder):
    folder.ok("init", "a.vtr", out="")
    folder.reads("list", "a.vtr", out="")
    folder.verified("a.vtr")
    folder.fails("conflict", "FILE_CREATE_EXISTS", "init", "a.vtr")


def case_every_page_size_works(folder):
    for size in (4096, 8192, 16384, 32768, 65536):
        name = f"{size}.vtr"
        answer = folder.ok("init", name, "--page-size", str(size), "--json").json()
        check_equal((answer["ok"], answer["page_size"]), (True, size))
        folder.ok("put", name, "key", "value")
        folder.reads("get", name, "key", out="value\n")
        check_equal(folder.reads("info", name, "--json").payload()["page_size"], size)
        folder.ok("put", name, "k" * 1024, "a long key")
        folder.verified(name)


def case_page_sizes_that_cannot_be_are_refused(folder):
    for size in ("0", "1", "2048", "5000", "131072", "4294967296", "18446744073709551615"):
        folder.fails("invalid_input", "ARGUMENT_CHECK_INVALID", "init", "a.vtr", "--page-size", size)


def case_get_prints_the_value_and_a_newline(folder):
    folder.database()
    folder.ok("put", "a.vtr", "greeting", "hello", out="")
    folder.reads("get", "a.vtr", "greeting", out="hello\n")
    folder.reads("get", "a.vtr", "greeting", "--raw", out="hello")
    folder.ok("put", "a.vtr", "greeting", "", out="")
    folder.reads("get", "a.vtr", "greeting", out="\n")
    folder.reads("get", "a.vtr", "greeting", "--raw", out="")


def case_a_missing_key_prints_nothing_on_stdout(folder):
    folder.database({b"a": b"1"})
    folder.fails("not_found", "KEY_GET_NOT_FOUND", "get", "a.vtr", "b")
    run = folder.run("get", "a.vtr", "b", "--raw")
    check_equal((run.code, run.out), (4, b""))


def case_any_bytes_pass_through_standard_input_and_output(folder):
    folder.database()
    folder.ok("put", "a.vtr", "key", stdin=BINARY)
    folder.reads("get", "a.vtr", "key", "--raw", out=BINARY)
    folder.reads("get", "a.vtr", "key", out=BINARY + b"\n")
    folder.ok("put", "a.vtr", "empty", stdin=b"")
    folder.reads("get", "a.vtr", "empty", "--raw", out=b"")


def case_values_travel_through_files(folder):
    folder.database()
    (folder / "in").write_bytes(BINARY)
    folder.ok("put", "a.vtr", "key", "--file", "in")
    folder.ok("get", "a.vtr", "key", "--file", "out", out="")
    check_equal((folder / "out").read_bytes(), BINARY)
    folder.ok("put", "a.vtr", "stdin", "--file", "-", stdin=b"piped")
    folder.reads("get", "a.vtr", "stdin", out="piped\n")
    (folder / "out").write_bytes(b"something longer than the value")
    folder.ok("get", "a.vtr", "stdin", "--file", "out")
    check_equal((folder / "out").read_bytes(), b"piped")
    answer = folder.ok("get", "a.vtr", "key", "--file", "out", "--json").json()
    check_equal(answer, {"ok": True, "key": "key", "file": "out", "size": len(BINARY)})
    check_equal((folder / "out").read_bytes(), BINARY)
    folder.fails("not_found", "KEY_GET_NOT_FOUND", "get", "a.vtr", "missing", "--file", "never")
    folder.fails("not_found", "FILE_OPEN_NOT_FOUND", "put", "a.vtr", "key", "--file", "missing")


def case_values_of_every_size_around_the_buffers_are_exact(folder):
    folder.database()
    for size in (1, 4095, 65536, 196607, 196608, 196609, 262143, 262144, 262145, 1048577):
        value = folder.random.randbytes(size)
        folder.ok("put", "a.vtr", f"size {size}", stdin=value)
        folder.reads("get", "a.vtr", f"size {size}", "--raw", out=value)
        key = base64.b64encode(f"size {size}".encode())
        folder.reads("get", "a.vtr", key, "--base64", out=base64.b64encode(value) + b"\n")
    folder.verified("a.vtr")


def case_encodings_apply_to_arguments_input_and_output(folder):
    folder.database()
    folder.ok("put", "a.vtr", BINARY[:40].hex(), BINARY.hex().upper(), "--hex")
    folder.reads("get", "a.vtr", BINARY[:40].hex(), "--hex", out=BINARY.hex() + "\n")
    key = base64.b64encode(BINARY[:40]).decode()
    folder.reads("get", "a.vtr", key, "--base64", out=base64.b64encode(BINARY) + b"\n")
    wrapped = base64.encodebytes(BINARY * 2000)
    folder.ok("put", "a.vtr", key, "--base64", stdin=wrapped)
    folder.reads("get", "a.vtr", key, "--base64", "--raw", out=base64.b64encode(BINARY * 2000))
    for words in (("zz", "--hex"), ("abc", "--hex"), ("a", "--base64"), ("YWJj", "--base64", "--hex")):
        folder.fails("invalid_input", "ARGUMENT_CHECK_INVALID", "put", "a.vtr", words[0], "00", *words[1:])
    folder.fails("invalid_input", "ARGUMENT_CHECK_INVALID", "put", "a.vtr", "00", "--hex", stdin=b"0")


def case_conditions_guard_a_put(folder):
    folder.database()
    folder.ok("put", "a.vtr", "key", "1", "--if-absent")
    folder.fails("conflict", "KEY_PUT_EXISTS", "put", "a.vtr", "key", "2", "--if-absent", files_change=True)
    version = str(folder.reads("get", "a.vtr", "key", "--json").json()["version"])
    folder.ok("put", "a.vtr", "key", "3", "--if-version", version)
    folder.fails("conflict", "KEY_PUT_VERSION_DIFFERS", "put", "a.vtr", "key", "4", "--if-version", version,
                 files_change=True)
    folder.ok("put", "a.vtr", "new", "5", "--if-version", "0")
    folder.fails("conflict", "KEY_PUT_VERSION_DIFFERS", "put", "a.vtr", "new", "6", "--if-version", "0",
                 files_change=True)
    large = folder.random.randbytes(700000)
    folder.fails("conflict", "KEY_PUT_EXISTS", "put", "a.vtr", "key", "--if-absent", stdin=large, files_change=True)
    folder.ok("put", "a.vtr", "large", "--if-absent", stdin=large)
    check_equal(folder.content("a.vtr"), {b"key": b"3", b"new": b"5", b"large": large})


def case_put_answers_programs_with_its_commit(folder):
    folder.database()
    first = folder.ok("put", "a.vtr", "key", "1", "--json").json()
    second = folder.ok("put", "a.vtr", "key", "2", "--json").json()
    check_equal((first["ok"], first["outcome"]), (True, "committed"))
    check(second["seq"] > first["seq"], f"{first} then {second}")
    entry = folder.reads("get", "a.vtr", "key", "--json").json()
    check_equal(entry, {"ok": True, "key": "key", "value": "2", "version": second["seq"], "size": 1})


def case_put_acknowledges_when_asked(folder):
    folder.database()
    folder.ok("put", "a.vtr", "a\tkey", "1", "--ack", out="a\\tkey\n")
    folder.ok("put", "a.vtr", "lazy", "1", "--ack", "--durability", "none", out="lazy\n")


def case_keys_that_look_like_options_follow_two_dashes(folder):
    folder.database()
    folder.ok("put", "a.vtr", "--", "--key", "-v")
    folder.reads("get", "a.vtr", "--", "--key", out="-v\n")
    folder.ok("put", "a.vtr", "[1,2]", "{}")
    folder.reads("get", "a.vtr", "[1,2]", out="{}\n")


def case_put_without_a_value_needs_one(folder):
    folder.database()
    (folder / "f").write_bytes(b"x")
    folder.fails("invalid_input", "ARGUMENT_CHECK_INVALID", "put", "a.vtr", "key", "value", "--file", "f")
    folder.fails("invalid_input", "ARGUMENT_CHECK_INVALID", "put", "a.vtr")


def case_delete_removes_one_key(folder):
    folder.database({b"a": b"1", b"b": b"2"})
    folder.ok("delete", "a.vtr", "a", out="")
    check_equal(folder.content("a.vtr"), {b"b": b"2"})
    folder.fails("not_found", "KEY_GET_NOT_FOUND", "delete", "a.vtr", "a", files_change=True)
    check_equal(folder.ok("delete", "a.vtr", "b", "--json").json()["deleted"], 1)
    folder.reads("list", "a.vtr", out="")


def case_delete_removes_ranges(folder):
    entries = {f"{letter}{i}".encode(): b"v" for letter in "abc\xff" for i in range(5)}
    ranges = [(("--prefix", "b"), lambda k: k.startswith(b"b")),
              (("--from", "b2"), lambda k: k >= b"b2"),
              (("--to", "b2"), lambda k: k < b"b2"),
              (("--from", "a3", "--to", "c1"), lambda k: b"a3" <= k < b"c1"),
              (("--prefix", "b", "--from", "b1", "--to", "b3"), lambda k: b"b1" <= k < b"b3"),
              (("--prefix", "b", "--to", "a"), lambda k: False),
              (("--from", "z", "--to", "a"), lambda k: False),
              (("--all",), lambda k: True)]
    for number, (words, selects) in enumerate(ranges):
        name = folder.database(entries, name=f"{number}.vtr")
        gone = sum(1 for key in entries if selects(key))
        folder.ok("delete", name, *words, out=f"deleted  {gone}\n")
        check_equal(folder.content(name), {k: v for k, v in entries.items() if not selects(k)}, str(words))
        folder.verified(name)


def case_delete_never_guesses_what_is_meant(folder):
    folder.database({b"a": b"1"})
    for words in ((), ("a", "--all"), ("a", "--prefix", "a"), ("--all", "--prefix", "a"), ("--from=",),
                  ("--prefix=",), ("--prefix", "--to", "z")):
        folder.fails("invalid_input", "ARGUMENT_CHECK_INVALID", "delete", "a.vtr", *words)
    check_equal(folder.content("a.vtr"), {b"a": b"1"})


def selected(entries, prefix=b"", start=b"", end=None, limit=None, reverse=False):
    keys = [k for k in sorted(entries) if k.startswith(prefix) and k >= start and (end is None or k < end)]
    return (keys[::-1] if reverse else keys)[:limit]


def case_list_agrees_with_a_sorted_model(folder):
    alphabet = [b"\x00", b"\t", b"a", b"b", b"\\", b"\xff", "ü".encode()]
    entries = {}
    while len(entries) < 300:
        key = b"".join(folder.random.choices(alphabet, k=folder.random.randint(1, 6)))
        entries[key] = folder.random.randbytes(folder.random.randint(0, 20))
    folder.database(entries)
    for _ in range(60):
        choice = {"prefix": folder.random.choice([b"", b"a", b"\xff", b"\xff\xff", b"b\\"]),
                  "start": folder.random.choice([b"", b"\x00", b"a\t", b"\xff"]),
                  "end": folder.random.choice([None, b"a", b"b\xff", b"\xff\xff\xff"]),
                  "limit": folder.random.choice([None, 0, 1, 7, 1000]),
                  "reverse": folder.random.random() < 0.5}
        words = ["--hex", "--prefix", choice["prefix"].hex(), f"--from={choice['start'].hex()}"]
        words += ["--to", choice["end"].hex()] if choice["end"] is not None else []
        words += ["--limit", str(choice["limit"])] if choice["limit"] is not None else []
        words += ["--reverse"] if choice["reverse"] else []
        keys = selected(entries, **choice)
        folder.reads("list", "a.vtr", *words, out="".join(f"{k.hex()}\t{entries[k].hex()}\n" for k in keys))
        folder.reads("list", "a.vtr", "--keys-only", *words, out="".join(f"{k.hex()}\n" for k in keys))
        folder.reads("list", "a.vtr", "--count", *words, out=f"{len(keys)}\n")


def case_list_escapes_what_would_break_a_line_or_a_terminal(folder):
    folder.database({b"tab\tnew\nback\\": b"\x1b[31m\x00\xff", "grün".encode(): "€".encode()})
    folder.reads("list", "a.vtr", out="grün\t€\ntab\\tnew\\nback\\\\\t\\x1b[31m\\x00\\xff\n")


def case_a_list_put_back_gives_the_same_database(folder):
    entries = {folder.random.randbytes(folder.random.randint(1, 30)): folder.random.randbytes(30) for _ in range(200)}
    folder.database(entries)
    for encoding in ((), ("--hex",), ("--base64",)):
        name = f"copy{len(encoding)}{encoding}.vtr"
        lines = folder.reads("list", "a.vtr", *encoding).out
        folder.ok("put", name, "--create", "--stdin", *encoding, stdin=lines)
        check_equal(folder.content(name), entries, name)


def case_list_as_json_is_one_object_a_line(folder):
    folder.database({b"text": "grün".encode(), b"\xff": b"\x00"})
    rows = folder.reads("list", "a.vtr", "--json").json_lines()
    check_equal([{k: v for k, v in row.items() if k != "version"} for row in rows],
                [{"key": "text", "value": "grün", "size": 5}, {"key_base64": "/w==", "value": "\x00", "size": 1}])
    check(all(row["version"] > 0 for row in rows), "versions")
    rows = folder.reads("list", "a.vtr", "--json", "--hex", "--keys-only").json_lines()
    check_equal([row["key_hex"] for row in rows], [b"text".hex(), "ff"])
    check("value_hex" not in rows[0], "no values")
    check_equal(folder.reads("list", "a.vtr", "--json", "--count").json(), {"ok": True, "count": 2})


def case_keyspaces_are_separate(folder):
    folder.database({b"key": b"default"})
    folder.ok("put", "a.vtr", "key", "other", "--keyspace", "other one")
    folder.ok("put", "a.vtr", "--stdin", "--keyspace", "third", stdin=b"key\tthird\n")
    folder.reads("get", "a.vtr", "key", out="default\n")
    folder.reads("get", "a.vtr", "key", "--keyspace", "other one", out="other\n")
    folder.reads("list", "a.vtr", "--keyspace", "third", out="key\tthird\n")
    folder.reads("keyspaces", "a.vtr", out="default\nother one\nthird\n")
    rows = folder.reads("keyspaces", "a.vtr", "--json").json()["keyspaces"]
    check_equal([row["name"] for row in rows], ["default", "other one", "third"])
    folder.ok("delete", "a.vtr", "key", "--keyspace", "third")
    folder.reads("get", "a.vtr", "key", out="default\n")
    for words in (("get", "key"), ("list",), ("list", "--count")):
        folder.fails("not_found", "KEYSPACE_OPEN_NOT_FOUND", words[0], "a.vtr", *words[1:], "--keyspace", "none")
    folder.fails("not_found", "KEYSPACE_OPEN_NOT_FOUND", "delete", "a.vtr", "key", "--keyspace", "none",
                 files_change=True)
    for name in ("", "new\nline", "x" * 256, b"\xff"):
        folder.fails("invalid_input", "KEYSPACE_CHECK_NAME", "put", "a.vtr", "k", "v", b"--keyspace=" +
                     (name if isinstance(name, bytes) else name.encode()), files_change=True)
    folder.verified("a.vtr")


def case_a_keyspace_is_dropped_with_its_entries(folder):
    folder.database({b"key": b"default"})
    folder.ok("put", "a.vtr", "--stdin", "--keyspace", "gone", stdin=b"".join(b"%d\tv\n" % i for i in range(3000)))
    folder.ok("put", "a.vtr", "key", "kept", "--keyspace", "kept")
    folder.ok("keyspaces", "a.vtr", "--drop", "gone", out="deleted  3000\n")
    folder.reads("keyspaces", "a.vtr", out="default\nkept\n")
    folder.fails("not_found", "KEYSPACE_OPEN_NOT_FOUND", "list", "a.vtr", "--keyspace", "gone")
    folder.fails("not_found", "KEYSPACE_OPEN_NOT_FOUND", "keyspaces", "a.vtr", "--drop", "gone", files_change=True)
    folder.fails("invalid_input", "ARGUMENT_CHECK_INVALID", "keyspaces", "a.vtr", "--drop", "default",
                 files_change=True)
    folder.fails("invalid_input", "KEYSPACE_CHECK_NAME", "keyspaces", "a.vtr", "--drop=", files_change=True)
    folder.fails("not_found", "FILE_OPEN_NOT_FOUND", "keyspaces", "none.vtr", "--drop", "gone")
    folder.ok("put", "a.vtr", "key", "new", "--keyspace", "gone")
    folder.reads("list", "a.vtr", "--keyspace", "gone", out="key\tnew\n")
    answer = folder.ok("keyspaces", "a.vtr", "--drop", "kept", "--json").json()
    check_equal((answer["ok"], answer["deleted"], answer["outcome"]), (True, 1, "committed"))
    folder.reads("get", "a.vtr", "key", out="default\n")
    folder.verified("a.vtr")


def case_json_says_ok_for_commands_without_output(folder):
    folder.database({b"a": b"1"})
    check_equal(folder.ok("checkpoint", "a.vtr", "--json").json(), {"ok": True})
    names = set(json.loads(folder.ok("delete", "a.vtr", "a", "--json").out))
    check_equal(names, {"ok", "deleted", "seq", "outcome", "token"})
