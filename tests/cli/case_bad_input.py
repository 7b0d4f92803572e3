# SPDX-License-Identifier: MIT OR Apache-2.0
"""What is not right is refused with its name, and nothing changes on disk."""
import os
import resource
import shutil
import signal

from harness import Skipped, check, check_equal

READERS = [("get", "key"), ("list",), ("list", "--count"), ("keyspaces",), ("stats",), ("info",), ("verify",),
           ("backup", "copy.vtr"), ("export", "a.export")]
WRITERS = [("put", "key", "value"), ("delete", "key"), ("delete", "--all"), ("checkpoint",), ("compact",), ("vacuum",),
           ("import", "a.export")]

WRITES = ("put", "delete")


def refused_by_all(folder, status, name, database, commands=None, **options):
    for command, *words in commands or READERS + WRITERS:
        folder.fails(status, name, command, database, *words, **options)


def case_a_misspelt_database_is_not_created(folder):
    refused_by_all(folder, "not_found", "FILE_OPEN_NOT_FOUND", "typo.vtr")
    refused_by_all(folder, "not_found", "FILE_OPEN_NOT_FOUND", "no/such/folder/typo.vtr")
    folder.fails("not_found", "FILE_OPEN_NOT_FOUND", "put", "typo.vtr", "--stdin", stdin=b"a\t1\n")
    folder.fails("not_found", "FILE_OPEN_NOT_FOUND", "init", "no/such/folder/typo.vtr")
    check_equal(folder.files(), {})
    folder.ok("put", "a.vtr", "key", "value", "--create")
    folder.ok("put", "a.vtr", "key2", "value", "--create")
    check_equal(folder.content("a.vtr"), {b"key": b"value", b"key2": b"value"})


def case_commands_and_options_must_be_known(folder):
    folder.database()
    for words in (("lsit", "a.vtr"), ("list", "a.vtr", "--revers"), ("list",), ("get", "a.vtr"), ("list", "a.vtr", "x"),
                  ("list", "a.vtr", "--limit", "-1"), ("list", "a.vtr", "--limit"), ("list", "a.vtr", "--limit=1k"),
                  ("list", "a.vtr", "--count", "--keys-only"), ("put", "a.vtr", "k", "v", "--durability", "half"),
                  ("verify", "a.vtr", "--level", "deepest"), ("list", "a.vtr", "--cache-size", "lots"),
                  ("get", "a.vtr", "k", "--lock-timeout", "soon"), ("completion", "tcsh"), ("get", "a.vtr", "k", "-x")):
        folder.fails("invalid_input", "ARGUMENT_CHECK_INVALID", *words)
    check(b"did you mean list?" in folder.run("lsit", "a.vtr").err, "a suggestion for a command")
    check(b"did you mean --reverse?" in folder.run("list", "a.vtr", "--revers").err, "a suggestion for an option")
    check_equal(folder.run().code, 2)


def case_options_outside_their_range_are_refused(folder):
    folder.database()
    for words in (("--cache-size", "63KiB"), ("--cache-size", "0"), ("--log-size", "1000KiB")):
        folder.fails("invalid_input", "ARGUMENT_CHECK_INVALID", "put", "a.vtr", "k", "v", *words)


def case_a_folder_is_not_a_database(folder):
    (folder / "d").mkdir()
    refused_by_all(folder, "invalid_input", "FILE_OPEN_NOT_REGULAR", "d")
    refused_by_all(folder, "invalid_input", "FILE_OPEN_NOT_REGULAR", ".", READERS[:2])


def case_a_symbolic_link_is_not_followed(folder):
    folder.database({b"a": b"1"})
    (folder / "link.vtr").symlink_to("a.vtr")
    (folder / "dangling.vtr").symlink_to("elsewhere.vtr")
    refused_by_all(folder, "invalid_input", "FILE_OPEN_NOT_REGULAR", "link.vtr")
    folder.fails("invalid_input", "FILE_OPEN_NOT_REGULAR", "get", "dangling.vtr", "key")
    run = folder.run("init", "dangling.vtr")
    check(run.code in (2, 6), str(run))
    check(not (folder / "elsewhere.vtr").exists(), "init must not follow a planted link")


def case_a_planted_log_link_is_not_followed(folder):
    folder.database({b"a": b"1"})
    (folder / "victim").write_bytes(b"precious")
    (folder / "a.vtr-wal").symlink_to("victim")
    folder.run("put", "a.vtr", "b", "2")
    folder.run("get", "a.vtr", "a")
    check_equal((folder / "victim").read_bytes(), b"precious")


def case_devices_and_pipes_are_not_databases(folder):
    os.mkfifo(folder / "pipe.vtr")
    for database in ("pipe.vtr", "/dev/null", "/dev/zero"):
        refused_by_all(folder, "invalid_input", "FILE_OPEN_NOT_REGULAR", database, READERS[:3] + WRITERS[:1])


def case_files_of_other_kinds_are_refused(folder):
    for name, content in (("empty.vtr", b""), ("text.vtr", b"hello world\n" * 2000), ("short.vtr", b"x"),
                          ("zero.vtr", bytes(65536)), ("random.vtr", folder.random.randbytes(65536))):
        (folder / name).write_bytes(content)
        refused_by_all(folder, "invalid_input", "DATABASE_OPEN_NOT_DATABASE", name)
        folder.fails("conflict", "FILE_CREATE_EXISTS", "init", name)


def case_a_file_cut_short_is_refused_or_found(folder):
    folder.database({b"%04d" % i: b"v" * 100 for i in range(2000)}, options=("--page-size", "4096"))
    image = (folder / "a.vtr").read_bytes()
    used = folder.ok("info", "a.vtr", "--json").payload()["page_count"] * 4096
    for size in (used - 1, used - 4096, used // 2, 4096 * 3, 4096, 2000):
        (folder / "cut.vtr").write_bytes(image[:size])
        run = folder.run("verify", "cut.vtr")
        check(run.code in (2, 10), f"{size} of {len(image)} bytes: {run}")
        listed = folder.run("list", "cut.vtr")
        check(listed.code in (2, 10), f"{size} of {len(image)} bytes: {listed}")
        check_equal((folder / "cut.vtr").read_bytes(), image[:size])


def case_bytes_behind_the_end_lose_nothing(folder):
    entries = {b"%04d" % i: b"v" * 100 for i in range(200)}
    folder.database(entries)
    with open(folder / "a.vtr", "ab") as file:
        file.write(b"appended by a stranger" * 1000)
    check_equal(folder.content("a.vtr"), entries)
    folder.ok("put", "a.vtr", "more", "1")
    check_equal(folder.content("a.vtr"), entries | {b"more": b"1"})


def crashed(folder, name, key):
    """A database whose writer was killed after one acknowledged commit: it needs its log."""
    folder.database(name=name)
    writer = folder.start("put", name, "--stdin", "--ack")
    writer.stdin.write(key + b"\t1\n")
    writer.stdin.flush()
    check_equal(writer.stdout.readline(), key + b"\n")
    writer.send_signal(signal.SIGKILL)
    writer.communicate()


def case_a_missing_log_is_named(folder):
    crashed(folder, "a.vtr", b"key")
    folder.ok("get", "a.vtr", "key", out="1\n")
    (folder / "a.vtr-wal").rename(folder / "log")
    refused_by_all(folder, "integrity_failure", "LOG_OPEN_MISSING", "a.vtr", READERS + WRITERS[:1])
    (folder / "log").rename(folder / "a.vtr-wal")
    folder.ok("get", "a.vtr", "key", out="1\n")
    (folder / "a.vtr-wal").unlink()
    folder.ok("put", "a.vtr", "new", "2", "--accept-lost-log")
    check_equal(folder.content("a.vtr"), {b"new": b"2"})
    folder.verified("a.vtr")


def case_a_log_of_another_database_is_refused(folder):
    crashed(folder, "a.vtr", b"key")
    crashed(folder, "b.vtr", b"other")
    shutil.copy(folder / "b.vtr-wal", folder / "a.vtr-wal")
    refused_by_all(folder, "integrity_failure", "LOG_OPEN_FOREIGN", "a.vtr", READERS[:3] + WRITERS[:1])
    folder.ok("get", "b.vtr", "other", out="1\n")


def flip(path, at, bit=0x10):
    image = bytearray(path.read_bytes())
    image[at] ^= bit
    path.write_bytes(image)


def case_a_log_damaged_among_its_commits_is_refused(folder):
    folder.database()
    writer = folder.start("put", "a.vtr", "--stdin", "--ack")
    for i in range(5):
        writer.stdin.write(b"key%d\tvalue%d\n" % (i, i))
        writer.stdin.flush()
        check_equal(writer.stdout.readline(), b"key%d\n" % i)
    writer.send_signal(signal.SIGKILL)
    writer.communicate()
    at = (folder / "a.vtr-wal").read_bytes().index(b"value1")
    flip(folder / "a.vtr-wal", at)
    refused_by_all(folder, "integrity_failure", "LOG_REPLAY_HOLE", "a.vtr")
    flip(folder / "a.vtr-wal", at)
    check_equal(len(folder.content("a.vtr")), 5)
    flip(folder / "a.vtr-wal", at)
    folder.ok("put", "a.vtr", "new", "2", "--accept-lost-log")
    check_equal(folder.content("a.vtr"), {b"key0": b"value0", b"new": b"2"})
    folder.verified("a.vtr")


def case_an_old_file_beside_a_newer_log_is_refused(folder):
    folder.database({b"old": b"1"})
    old = (folder / "a.vtr").read_bytes()
    writer = folder.start("put", "a.vtr", "--stdin", "--ack")
    writer.stdin.write(b"key\t1\n")
    writer.stdin.flush()
    writer.stdout.readline()
    writer.send_signal(signal.SIGKILL)
    writer.communicate()
    new = (folder / "a.vtr").read_bytes()
    (folder / "a.vtr").write_bytes(old)
    refused_by_all(folder, "integrity_failure", "LOG_REPLAY_HOLE", "a.vtr", READERS + WRITERS[:1])
    (folder / "a.vtr").write_bytes(new)
    check_equal(folder.content("a.vtr"), {b"old": b"1", b"key": b"1"})
    (folder / "a.vtr").write_bytes(old)
    folder.ok("put", "a.vtr", "new", "2", "--accept-lost-log")
    check_equal(folder.content("a.vtr"), {b"old": b"1", b"new": b"2"})
    folder.verified("a.vtr")


def case_a_header_damaged_in_every_copy_is_named(folder):
    folder.database({b"a": b"1"})
    folder.ok("put", "a.vtr", "b", "2")
    for at in (100, 4096 + 100, 8192 + 100, 12288 + 100):
        check_equal(len(folder.content("a.vtr")), 2)
        flip(folder / "a.vtr", at)
    refused_by_all(folder, "integrity_failure", "DATABASE_OPEN_HEADER_DAMAGED", "a.vtr")


def case_a_damaged_page_stops_what_needs_it_and_nothing_else(folder):
    entries = {b"%05d" % i: folder.random.randbytes(80) for i in range(3000)}
    folder.database(entries, options=("--page-size", "4096"))
    at = (folder / "a.vtr").read_bytes().index(entries[b"01500"])
    flip(folder / "a.vtr", at)
    for words in (("get", "a.vtr", "01500"), ("list", "a.vtr", "--count"), ("export", "a.vtr", "a.export"),
                  ("backup", "a.vtr", "copy.vtr"), ("put", "a.vtr", "01500", "new"), ("delete", "a.vtr", "01500")):
        details = folder.fails("integrity_failure", "PAGE_READ_CHECKSUM", *words, files_change=words[0] in WRITES)
        check_equal(details["page"], str(at // 4096), f"page named by {words}")
    check_equal(sorted(folder.files()), ["a.vtr"], "no half copies")
    folder.ok("get", "a.vtr", "00001", "--raw", out=entries[b"00001"])
    folder.ok("put", "a.vtr", "00001", "new")
    folder.ok("get", "a.vtr", "00001", out="new\n")


def as_nobody(folder):
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        raise Skipped("root sees everything, and setpriv is missing")
    wrapper = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    if folder.run("--version", wrapper=wrapper).code != 0:
        raise Skipped("another user cannot run the program where it lies")
    return wrapper


def case_missing_permission_is_named(folder):
    folder.database({b"a": b"1"})
    wrapper = as_nobody(folder)
    (folder / "a.vtr").chmod(0)
    refused_by_all(folder, "permission_denied", "FILE_OPEN_PERMISSION", "a.vtr", READERS[:3] + WRITERS[:3],
                   wrapper=wrapper)


def case_a_database_on_read_only_terms_can_be_read(folder):
    folder.database({b"a": b"1"})
    wrapper = as_nobody(folder)
    (folder / "a.vtr").chmod(0o444)
    folder.path.chmod(0o555)
    folder.reads("get", "a.vtr", "a", out="1\n", wrapper=wrapper)
    folder.reads("verify", "a.vtr", wrapper=wrapper)
    for command, *words in WRITERS[:1] + WRITERS[2:4]:
        run = folder.run(command, "a.vtr", *words, wrapper=wrapper)
        check_equal(run.code, 5, str(run))
    folder.path.chmod(0o755)


def case_a_second_writer_is_told_who_owns_the_database(folder):
    folder.database({b"a": b"1"})
    writer = folder.start("put", "a.vtr", "--stdin", "--ack")
    writer.stdin.write(b"b\t2\n")
    writer.stdin.flush()
    check_equal(writer.stdout.readline(), b"b\n")
    details = folder.fails("busy", "FILE_OPEN_LOCKED", "put", "a.vtr", "c", "3")
    check_equal(details["owner"], str(writer.pid))
    folder.fails("busy", "FILE_OPEN_LOCKED", "vacuum", "a.vtr", "--lock-timeout", "100ms")
    folder.reads("list", "a.vtr", out="a\t1\nb\t2\n")
    folder.reads("verify", "a.vtr")
    writer.communicate(timeout=60)
    folder.ok("put", "a.vtr", "c", "3")


def case_a_writer_waits_when_told(folder):
    folder.database({b"a": b"1"})
    writer = folder.start("put", "a.vtr", "--stdin", "--ack")
    writer.stdin.write(b"b\t2\n")
    writer.stdin.flush()
    writer.stdout.readline()
    waiting = folder.start("put", "a.vtr", "c", "3", "--lock-timeout", "60s")
    writer.communicate(timeout=60)
    out, err = waiting.communicate(timeout=60)
    check_equal((waiting.returncode, out, err), (0, b"", b""))
    check_equal(folder.content("a.vtr"), {b"a": b"1", b"b": b"2", b"c": b"3"})


def case_keys_and_values_beyond_the_bounds_are_refused(folder):
    folder.database({b"a": b"1"})
    size_max = folder.ok("info", "a.vtr", "--json").payload()["key_size_max"]
    folder.ok("put", "a.vtr", "k" * size_max, "longest")
    folder.fails("invalid_input", "KEY_CHECK_TOO_LONG", "put", "a.vtr", "k" * (size_max + 1), "v", files_change=True)
    folder.fails("invalid_input", "KEY_CHECK_EMPTY", "put", "a.vtr", "", "v", files_change=True)
    check_equal(set(folder.content("a.vtr")), {b"a", b"k" * size_max})
    folder.verified("a.vtr")


def case_a_value_above_1_gib_is_refused(folder):
    if shutil.disk_usage(folder.path).free < 8 << 30:
        raise Skipped("less than 8 GiB of disk")
    folder.database({b"a": b"1"})
    with open(folder / "huge", "wb") as file:
        file.truncate((1 << 30) + 1)
    run = folder.run("put", "a.vtr", "key", "--file", "huge")
    check_equal((run.code, run.out), (2, b""), str(run))
    check(b"VALUE_CHECK_TOO_LARGE" in run.err, str(run))
    check_equal(folder.content("a.vtr"), {b"a": b"1"})


def limited(which, amount):
    def apply():
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(which, (amount, amount))
    return apply


def case_a_full_disk_is_named_and_loses_nothing(folder):
    entries = {b"a": b"1"}
    folder.database(entries)
    value = folder.random.randbytes(8 << 20)
    # A limit on file sizes stands for a full disk: the same calls fail, and it needs no privileges.
    run = folder.run("put", "a.vtr", "key", stdin=value, preexec_fn=limited(resource.RLIMIT_FSIZE, 4 << 20))
    check_equal((run.code, run.out), (9, b""), str(run))
    check(b"FILE_WRITE_FULL" in run.err, str(run))
    check_equal(folder.content("a.vtr"), entries)
    folder.ok("put", "a.vtr", "key", stdin=value)
    folder.verified("a.vtr")


def case_a_lack_of_file_descriptors_is_named(folder):
    folder.database({b"a": b"1"})
    before = folder.files()
    named = 0
    for limit in (3, 4, 5):
        run = folder.run("put", "a.vtr", "b", "2", preexec_fn=limited(resource.RLIMIT_NOFILE, limit))
        named += 1 if run.code == 9 and b"FILE_OPEN_LIMIT" in run.err else 0
        check(run.code in (0, 9, 127), str(run))
        if run.code == 0:
            break
        check_equal(folder.files()["a.vtr"], before["a.vtr"])
    check(named > 0, "at some limit the program starts and cannot open its files")
    folder.verified("a.vtr")
