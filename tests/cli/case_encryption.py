# SPDX-License-Identifier: MIT OR Apache-2.0
"""Encrypted databases: where secrets come from, and the key command."""
import os
import pty
import re
import signal
import subprocess

from harness import check, check_equal

SECRET = b"correct horse\n"
UNLOCK = "--passphrase-stdin"
KEY_FILE = ("--keyfile", "key")


def encrypted(folder, name="a.vtr"):
    folder.ok("init", name, "--encrypt", UNLOCK, stdin=SECRET)
    folder.ok("put", name, "key", "a value to hide", UNLOCK, stdin=SECRET)


def encrypted_with_key_file(folder, name="a.vtr"):
    """Without a passphrase, which takes its time each time."""
    (folder / "key").write_bytes(folder.random.randbytes(64))
    folder.ok("init", name, "--encrypt", *KEY_FILE)
    folder.ok("put", name, "key", "a value to hide", *KEY_FILE)


def case_every_kind_of_secret_unlocks(folder):
    encrypted(folder)
    (folder / "key").write_bytes(folder.random.randbytes(64))
    folder.ok("key", "add-keyfile", "a.vtr", "--new-keyfile", "key", UNLOCK, stdin=SECRET)
    shown = folder.ok("key", "add-recovery", "a.vtr", "--keyfile", "key", "--json").json()["recovery_key"]
    check(re.fullmatch(r"([0-9A-Z]{4}-){8}[0-9A-Z]{4}", shown), shown)
    folder.reads("get", "a.vtr", "key", UNLOCK, stdin=SECRET, out="a value to hide\n")
    folder.reads("get", "a.vtr", "key", "--keyfile", "key", out="a value to hide\n")
    folder.reads("get", "a.vtr", "key", "--recovery-stdin", stdin=shown.lower().encode(), out="a value to hide\n")
    read, write = os.pipe()
    os.write(write, SECRET)
    os.close(write)
    folder.reads("get", "a.vtr", "key", "--passphrase-fd", str(read), pass_fds=(read,), out="a value to hide\n")
    os.close(read)
    keys = folder.reads("key", "list", "a.vtr", "--keyfile", "key", "--json").json()
    check_equal([(key["slot"], key["kind"]) for key in keys["keys"]],
                [(0, "passphrase"), (1, "key-file"), (2, "recovery-key")])
    check(keys["cipher"] in ("AES-256-GCM", "ChaCha20-Poly1305"), str(keys))


def case_wrong_and_missing_secrets_are_refused(folder):
    encrypted(folder)
    folder.fails("permission_denied", "KEY_OPEN_MISMATCH", "get", "a.vtr", "key", UNLOCK, stdin=b"wrong\n")
    folder.fails("permission_denied", "KEY_OPEN_REQUIRED", "get", "a.vtr", "key")
    folder.fails("invalid_input", "SECRET_CHECK_INVALID", "get", "a.vtr", "key", UNLOCK, stdin=b"\n")
    folder.fails("invalid_input", "SECRET_CHECK_INVALID", "get", "a.vtr", "key", "--recovery-stdin", stdin=b"ABCD\n")
    folder.fails("not_found", "FILE_OPEN_NOT_FOUND", "get", "a.vtr", "key", "--keyfile", "gone")
    folder.fails("invalid_input", "ARGUMENT_CHECK_INVALID", "get", "a.vtr", "key", UNLOCK, "--recovery-stdin",
                 stdin=SECRET)
    folder.ok("init", "plain.vtr")
    folder.fails("permission_denied", "KEY_OPEN_NOT_ENCRYPTED", "list", "plain.vtr", UNLOCK, stdin=SECRET)
    folder.fails("invalid_input", "ARGUMENT_CHECK_INVALID", "init", "b.vtr", UNLOCK, stdin=SECRET)
    folder.fails("invalid_input", "SECRET_CHECK_INVALID", "init", "b.vtr", "--encrypt")


def case_no_file_shows_what_was_put(folder):
    encrypted(folder)
    folder.ok("put", "a.vtr", "large", UNLOCK, stdin=SECRET + b"a value to hide" * 5000)
    folder.ok("backup", "a.vtr", "b.vtr", UNLOCK, stdin=SECRET)
    for name in ("a.vtr", "b.vtr"):
        content = (folder / name).read_bytes()
        check(b"a value to hide" not in content and b"correct horse" not in content, name)
        check_equal((folder / name).stat().st_mode & 0o777, 0o600, "mode")
    folder.reads("get", "b.vtr", "key", UNLOCK, stdin=SECRET, out="a value to hide\n")
    folder.ok("verify", "b.vtr", UNLOCK, stdin=SECRET)


def case_plaintext_leaves_only_when_asked_for(folder):
    encrypted_with_key_file(folder)
    folder.ok("export", "a.vtr", "a.export", *KEY_FILE)
    content = (folder / "a.export").read_bytes()
    check(b"a value to hide" not in content, "the export shows its content")
    check_equal((folder / "a.export").stat().st_mode & 0o777, 0o600, "mode")
    folder.ok("export", "a.vtr", "plain.export", "--plaintext", *KEY_FILE)
    check(b"a value to hide" in (folder / "plain.export").read_bytes(), "the plain export hides its content")
    folder.ok("backup", "a.vtr", "plain.vtr", "--plaintext", *KEY_FILE)
    folder.reads("get", "plain.vtr", "key", out="a value to hide\n")
    folder.ok("import", "c.vtr", "plain.export", "--create", *KEY_FILE)
    folder.reads("get", "c.vtr", "key", *KEY_FILE, out="a value to hide\n")
    documents = ("export", "a.vtr", "people.json", "--collection", "people", *KEY_FILE)
    folder.ok("insert", "a.vtr", "people", "{name: 'a value to hide'}", *KEY_FILE)
    folder.fails("invalid_input", "EXPORT_WRITE_PLAINTEXT", *documents)
    folder.fails("invalid_input", "EXPORT_WRITE_PLAINTEXT", "export", "a.vtr", "-", "--collection", "people",
                 "--format", "json", *KEY_FILE)
    folder.ok(*documents, "--plaintext")
    check(b"a value to hide" in (folder / "people.json").read_bytes(), "no document")
    check_equal((folder / "people.json").stat().st_mode & 0o777, 0o600, "mode")


def case_an_encrypted_export_is_imported_with_its_secrets(folder):
    encrypted_with_key_file(folder)
    (folder / "other").write_bytes(folder.random.randbytes(64))
    recovery = folder.ok("key", "add-recovery", "a.vtr", *KEY_FILE, "--json").json()["recovery_key"].encode()
    folder.ok("export", "a.vtr", "a.export", *KEY_FILE)
    folder.ok("put", "a.vtr", "key", "changed", *KEY_FILE)
    folder.ok("import", "a.vtr", "a.export", "--recovery-stdin", stdin=recovery)  # its own database
    folder.reads("get", "a.vtr", "key", *KEY_FILE, out="a value to hide\n")
    folder.ok("import", "b.vtr", "a.export", "--create", *KEY_FILE)  # one secret for both
    folder.reads("get", "b.vtr", "key", *KEY_FILE, out="a value to hide\n")
    other = ("--create", "--keyfile", "other")
    folder.fails("permission_denied", "KEY_OPEN_REQUIRED", "import", "c.vtr", "a.export", *other)
    folder.fails("permission_denied", "KEY_OPEN_MISMATCH", "import", "c.vtr", "a.export", *other,
                 "--file-passphrase-stdin", stdin=b"wrong\n")
    folder.fails("invalid_input", "ARGUMENT_CHECK_INVALID", "import", "c.vtr", "a.export", *other,
                 "--file-passphrase-stdin", "--file-keyfile", "key", stdin=b"wrong\n")
    folder.fails("invalid_input", "ARGUMENT_CHECK_INVALID", "import", "c.vtr", "a.json", "--collection", "c", *other,
                 "--plaintext")
    folder.ok("import", "c.vtr", "a.export", *other, "--file-recovery-stdin", stdin=recovery)
    folder.ok("import", "d.vtr", "a.export", "--create", UNLOCK, "--file-recovery-stdin", stdin=b"new\n" + recovery)
    folder.reads("get", "d.vtr", "key", UNLOCK, stdin=b"new\n", out="a value to hide\n")
    to_plain = ("import", "p.vtr", "a.export", "--create", "--file-keyfile", "key")
    folder.fails("invalid_input", "EXPORT_WRITE_PLAINTEXT", *to_plain)
    folder.ok(*to_plain, "--plaintext")
    folder.reads("get", "p.vtr", "key", out="a value to hide\n")
    folder.ok("export", "p.vtr", "plain.export")
    folder.fails("permission_denied", "KEY_OPEN_NOT_ENCRYPTED", "import", "p.vtr", "plain.export",
                 "--file-keyfile", "key", files_change=True)
    content = bytearray((folder / "a.export").read_bytes())
    (folder / "cut.export").write_bytes(content[:-1])
    content[-40] ^= 1
    (folder / "bit.export").write_bytes(content)
    for name in ("cut.export", "bit.export"):
        folder.fails("integrity_failure", "EXPORT_READ_DAMAGED", "import", "n.vtr", name, "--create", *KEY_FILE)
    folder.verified("p.vtr")


def case_planted_links_are_refused_and_files_are_for_their_owner(folder):
    old_mask = os.umask(0)
    encrypted_with_key_file(folder)
    (folder / "victim").write_bytes(b"untouched")
    for link, target in (("link", "victim"), ("dangling", "nowhere")):
        (folder / link).symlink_to(target)
        for words in (("init", link, "--encrypt"), ("backup", "a.vtr", link), ("export", "a.vtr", link),
                      ("salvage", "a.vtr", link),
                      ("export", "a.vtr", link, "--collection", "c", "--format", "json", "--plaintext")):
            folder.fails("conflict", "FILE_CREATE_EXISTS", *words, *KEY_FILE)
        folder.fails("invalid_input", "FILE_OPEN_NOT_REGULAR", "put", "a.vtr", "k", "v", "--anchor", link, *KEY_FILE,
                     files_change=True)
    for link, target, words in (("db", "a.vtr", ("get", "db", "key", *KEY_FILE)),
                                ("secret", "key", ("get", "a.vtr", "key", "--keyfile", "secret")),
                                ("a.vtr-wal", "victim", ("put", "a.vtr", "k", "v", *KEY_FILE))):
        (folder / link).symlink_to(target)
        folder.fails("invalid_input", "FILE_OPEN_NOT_REGULAR", *words, files_change=True)
    (folder / "a.vtr-wal").unlink()
    check_equal((folder / "victim").read_bytes(), b"untouched")
    check(not (folder / "nowhere").exists(), "something was made behind a link")
    made = {"b.vtr": ("backup", "a.vtr", "b.vtr"), "a.export": ("export", "a.vtr", "a.export"),
            "s.vtr": ("salvage", "a.vtr", "s.vtr"), "value": ("get", "a.vtr", "key", "--file", "value"),
            "anchor": ("put", "a.vtr", "k", "v", "--anchor", "anchor")}
    for name, words in made.items():
        folder.ok(*words, *KEY_FILE)
        check_equal((folder / name).stat().st_mode & 0o777, 0o600, name)
    writer = folder.start("put", "a.vtr", "--stdin", "--ack", *KEY_FILE)
    writer.stdin.write(b"k\t1\n")
    writer.stdin.flush()
    check_equal(writer.stdout.readline(), b"k\n")
    for name in ("a.vtr", "a.vtr-wal"):
        check_equal((folder / name).stat().st_mode & 0o777, 0o600, name)
    writer.communicate(timeout=60)
    folder.ok("key", "rotate", "a.vtr", *KEY_FILE)
    check_equal((folder / "a.vtr").stat().st_mode & 0o777, 0o600, "rotated")
    os.umask(old_mask)


def case_passphrases_are_added_changed_and_removed(folder):
    encrypted(folder)
    folder.ok("key", "add-passphrase", "a.vtr", UNLOCK, "--new-passphrase-stdin", stdin=SECRET + b"second\n")
    folder.ok("key", "change-passphrase", "a.vtr", UNLOCK, "--new-passphrase-stdin", stdin=b"second\nthird\n")
    folder.fails("permission_denied", "KEY_OPEN_MISMATCH", "get", "a.vtr", "key", UNLOCK, stdin=b"second\n")
    folder.reads("get", "a.vtr", "key", UNLOCK, stdin=b"third\n", out="a value to hide\n")
    removed = folder.ok("key", "remove", "a.vtr", "0", UNLOCK, stdin=b"third\n", )
    check(b"copies" in removed.out, str(removed))
    folder.fails("permission_denied", "KEY_OPEN_MISMATCH", "get", "a.vtr", "key", UNLOCK, stdin=SECRET)
    for slot, name in (("1", "KEY_REMOVE_LAST"), ("7", "KEY_REMOVE_NOT_FOUND")):
        run = folder.run("key", "remove", "a.vtr", slot, UNLOCK, stdin=b"third\n")
        check(run.code in (4, 6) and name.encode() in run.err, str(run))
    folder.ok("verify", "a.vtr", UNLOCK, stdin=b"third\n")


def case_a_person_is_asked_and_nothing_is_echoed(folder):
    encrypted(folder)
    ours, theirs = pty.openpty()
    process = subprocess.Popen([folder.program, "get", "a.vtr", "key"], cwd=folder.path, stdin=theirs, stderr=theirs,
                               stdout=subprocess.PIPE)
    os.close(theirs)
    seen = b""
    while b"Passphrase: " not in seen:
        seen += os.read(ours, 100)
    os.write(ours, SECRET)
    out, _ = process.communicate(timeout=60)
    check_equal((process.returncode, out), (0, b"a value to hide\n"))
    try:
        seen += os.read(ours, 1000)
    except OSError:
        pass
    os.close(ours)
    check(b"horse" not in seen, str(seen))


def case_a_database_is_encrypted_rotated_and_decrypted(folder):
    folder.ok("init", "a.vtr")
    folder.ok("put", "a.vtr", "key", "a value to hide")
    folder.fails("invalid_input", "ARGUMENT_CHECK_INVALID", "decrypt", "a.vtr", files_change=True)
    (folder / "key").write_bytes(folder.random.randbytes(64))
    (folder / "other").write_bytes(folder.random.randbytes(64))
    unlock = ("--keyfile", "key")
    folder.ok("encrypt", "a.vtr", *unlock)
    check(b"a value to hide" not in (folder / "a.vtr").read_bytes(), "the file shows its content")
    folder.reads("get", "a.vtr", "key", *unlock, out="a value to hide\n")
    folder.fails("permission_denied", "KEY_OPEN_REQUIRED", "encrypt", "a.vtr", "--keyfile", "other")
    folder.ok("key", "add-keyfile", "a.vtr", "--new-keyfile", "other", *unlock)
    folder.fails("invalid_input", "ARGUMENT_CHECK_INVALID", "key", "rotate", "a.vtr", *unlock, files_change=True)
    rotated = folder.ok("key", "rotate", "a.vtr", "--drop-other-keys", *unlock, "--json").json()
    check_equal(rotated["dropped_keys"], 1)
    folder.fails("permission_denied", "KEY_OPEN_MISMATCH", "get", "a.vtr", "key", "--keyfile", "other")
    folder.ok("decrypt", "a.vtr", *unlock)
    folder.reads("get", "a.vtr", "key", out="a value to hide\n")
    check_equal((folder / "a.vtr").stat().st_mode & 0o777, 0o600, "mode")
    check_equal(sorted(folder.files()), ["a.vtr", "key", "other"], "files")
    folder.verified("a.vtr")


def page_epochs(folder, name, *unlock):
    """How many pages in use there are of each key epoch, by what inspect says."""
    epochs = {}
    start = "0"
    while start is not None:
        payload = folder.ok("inspect", "pages", name, "--from", start, *unlock, "--json").payload()
        for page in payload["pages"]:
            if page.get("key_epoch"):
                epochs[page["key_epoch"]] = epochs.get(page["key_epoch"], 0) + 1
        start = None if payload["next"] is None else str(payload["next"])
    return epochs


def case_keys_rotate_with_progress_and_go_on_after_an_interrupt(folder):
    (folder / "key").write_bytes(folder.random.randbytes(64))
    unlock = ("--keyfile", "key")
    folder.ok("init", "a.vtr", "--encrypt", *unlock)
    folder.ok("put", "a.vtr", "--stdin", *unlock, stdin=b"".join(b"%08d\t%s\n" % (i, b"v" * 200) for i in range(60000)))
    check_equal(list(page_epochs(folder, "a.vtr", *unlock)), [1], "epochs before")
    master, slave = pty.openpty()
    process = subprocess.Popen([folder.program, "key", "rotate", "a.vtr", *unlock], cwd=folder.path,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=slave)
    os.close(slave)
    seen = b""
    while b"rotate [" not in seen or b"%" not in seen:
        seen += os.read(master, 1000)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    os.close(master)
    check(process.returncode in (0, 8), f"{process.returncode} {out}")
    was_stopped = process.returncode == 8  # it may have been faster than the signal
    info = folder.ok("info", "a.vtr", *unlock, "--json").payload()
    check_equal((info["key_epoch"], info["rotating"]), (2, was_stopped), "info")
    folder.ok("put", "a.vtr", "between", "1", *unlock)
    folder.verified("a.vtr", *unlock)
    rotated = folder.ok("key", "rotate", "a.vtr", *unlock, "--json").json()
    check_equal((rotated["resumed"], rotated["key_epoch"], rotated["dropped_keys"], rotated["pages_in_use"]),
                (was_stopped, 2 if was_stopped else 3, 0, 0), "answer")
    check(rotated["pages_rewritten"] > 0 and rotated["pages_wiped"] > 0, str(rotated))
    check_equal(list(page_epochs(folder, "a.vtr", *unlock)), [rotated["key_epoch"]], "epochs")
    info = folder.ok("info", "a.vtr", *unlock, "--json").payload()
    check_equal((info["key_epoch"], info["rotating"]), (rotated["key_epoch"], False), "info")
    folder.reads("get", "a.vtr", "between", *unlock, out="1\n")
    folder.verified("a.vtr", *unlock)


def case_an_encrypted_file_is_explained_as_far_as_it_can_be_without_its_key(folder):
    encrypted(folder)
    folder.ok("put", "a.vtr", "secret-key", "secret-value", UNLOCK, stdin=SECRET)
    said = b""
    for view in ("header", "pages", "log", "snapshots", "health"):
        said += folder.reads("inspect", view, "a.vtr", "--json").out
    said += folder.reads("inspect", "page", "8", "a.vtr", "--show", "keys", "--json").out
    check(b"secret" not in said.replace(b"no secret was given", b""), f"{said}")
    header = folder.ok("inspect", "header", "a.vtr", "--json").json()["payload"]["chosen"]
    check_equal((header["encrypted"], header["key_slots"]), (True, 1))
    for page in range(4, 12):  # a page that is none by its own number has no fields
        outside = folder.ok("inspect", "page", str(page), "a.vtr", "--json").payload()
        numbers = [field["value"] for field in outside["fields"] if field["name"] == "page"]
        check(numbers in ([], [str(page)]) or outside["integrity"] == "zero", f"{outside}")
    pages = folder.ok("inspect", "pages", "a.vtr", "--json").json()["payload"]["pages"]
    check({row["integrity"] for row in pages} <= {"header", "sealed", "zero"}, f"{pages}")
    health = folder.ok("inspect", "health", "a.vtr", "--json").json()["payload"]
    check_equal((health["opens"], health["error"]), (False, "KEY_OPEN_REQUIRED"))
    for view in ("tree", "keys", "catalog", "space", "cache"):
        check_equal(folder.run("inspect", view, "a.vtr").code, 5, view)


def case_an_encrypted_file_is_explained_with_its_key(folder):
    encrypted(folder)
    folder.ok("put", "a.vtr", "secret-key", "secret-value", UNLOCK, stdin=SECRET)
    folder.ok("put", "a.vtr", "large", UNLOCK, stdin=SECRET + b"x" * 100_000)

    def payload(*words):
        return folder.reads("inspect", *words, UNLOCK, "--json", stdin=SECRET).json()["payload"]

    hidden = payload("keys", "a.vtr")["keys"]
    check(hidden and all("key" not in row and "value" not in row for row in hidden), "structure alone by default")
    shown = payload("keys", "a.vtr", "--show", "values")["keys"]
    check_equal([row["value"] for row in shown if row["key"] == "secret-key"], ["secret-value"])
    rows = payload("pages", "a.vtr", "--limit", "1000")["pages"]
    used = [row for row in rows if row["in_use"] and row["integrity"] != "header"]
    check(any(row.get("type") == "leaf" for row in used), f"{used}")
    check({row["integrity"] for row in used} <= {"intact", "sealed"}, f"{used}")
    leaf = next(row["page"] for row in used if row.get("type") == "leaf")
    check(payload("page", str(leaf), "a.vtr")["content"]["count"] > 0, "content of a page")
    runs = payload("space", "a.vtr")["runs"]
    check_equal(sum(run["pages"] for run in runs if run["state"] == "in_use"), len(used), "pages in use")
    image = bytearray((folder / "a.vtr").read_bytes())
    size = payload("pages", "a.vtr", "--limit", "1")["page_size"]
    image[leaf * size + 100] ^= 1
    (folder / "a.vtr").write_bytes(image)
    check_equal(payload("page", str(leaf), "a.vtr")["integrity"], "damaged")
    folder.ok("init", "plain.vtr")
    for name, code in (("plain.vtr", "KEY_OPEN_NOT_ENCRYPTED"), ("a.vtr", "KEY_OPEN_MISMATCH")):
        run = folder.run("inspect", "header", name, UNLOCK, "--json", stdin=b"wrong\n")
        check_equal((run.code, run.json()["error"]["code"]), (5, code))
