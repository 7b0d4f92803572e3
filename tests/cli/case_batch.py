# SPDX-License-Identifier: MIT OR Apache-2.0
"""put --stdin: lines, groups, acknowledgements, and what a crash leaves."""
import os
import signal
import time

from harness import check, check_equal

TIMEOUT_S = 60


def case_lines_become_entries(folder):
    folder.database()
    folder.ok("put", "a.vtr", "--stdin", stdin=b"a\t1\nb\t2\nempty\t\nlast\tno newline", out="")
    check_equal(folder.content("a.vtr"), {b"a": b"1", b"b": b"2", b"empty": b"", b"last": b"no newline"})
    folder.ok("put", "a.vtr", "--stdin", stdin=b"e\\tscaped\\n\\\\\\x00\tval\tue\\xff\n")
    folder.reads("get", "a.vtr", b"e\tscaped\n\\\x00".hex(), "--hex", out=b"val\tue\xff".hex() + "\n")
    folder.ok("put", "a.vtr", "--stdin", stdin=b"")
    folder.verified("a.vtr")


def case_the_last_line_for_a_key_wins(folder):
    folder.database()
    folder.ok("put", "a.vtr", "--stdin", stdin=b"k\t1\nk\t2\nk\t3\n")
    folder.reads("list", "a.vtr", out="k\t3\n")


def case_a_batch_answers_programs_with_a_summary(folder):
    folder.database()
    lines = b"".join(b"%d\tv\n" % i for i in range(2500))
    answer = folder.ok("put", "a.vtr", "--stdin", "--json", stdin=lines).json()
    check_equal((answer["ok"], answer["entries"], answer["commits"], answer["outcome"]), (True, 2500, 3, "committed"))
    answer = folder.ok("put", "a.vtr", "--stdin", "--json", "--commit-every", "500", stdin=lines).json()
    check_equal(answer["commits"], 5)
    answer = folder.ok("put", "a.vtr", "--stdin", "--json", stdin=b"").json()
    check_equal((answer["entries"], answer["commits"]), (0, 0))


def case_a_bad_line_undoes_its_group_only(folder):
    folder.database()
    lines = b"a\t1\nb\t2\nc\t3\nno tab here\nd\t4\n"
    details = folder.fails("invalid_input", "ARGUMENT_CHECK_INVALID", "put", "a.vtr", "--stdin", "--commit-every", "2",
                           stdin=lines, files_change=True)
    check_equal((details["line"], details["committed_entries"]), ("4", "2"))
    check_equal(folder.content("a.vtr"), {b"a": b"1", b"b": b"2"})
    for line in (b"bad \\q\tv\n", b"k\tbad \\x0\n", b"\n"):
        details = folder.fails("invalid_input", "ARGUMENT_CHECK_INVALID", "put", "a.vtr", "--stdin", stdin=line,
                               files_change=True)
        check_equal(details["line"], "1")
    details = folder.fails("invalid_input", "KEY_CHECK_EMPTY", "put", "a.vtr", "--stdin", stdin=b"x\t1\n\tv\n",
                           files_change=True)
    check_equal((details["line"], details["committed_entries"]), ("2", "0"))
    check_equal(folder.content("a.vtr"), {b"a": b"1", b"b": b"2"})


def case_options_that_do_not_fit_a_batch_are_refused(folder):
    folder.database()
    for words in (("key",), ("--file", "x"), ("--if-absent",), ("--if-version", "1"), ("--commit-every", "0"),
                  ("--commit-every", "x")):
        folder.fails("invalid_input", "ARGUMENT_CHECK_INVALID", "put", "a.vtr", "--stdin", *words)
    folder.fails("invalid_input", "ARGUMENT_CHECK_INVALID", "put", "a.vtr", "k", "v", "--commit-every", "2")


def case_a_line_without_end_is_refused(folder):
    folder.database()
    run = folder.run("put", "a.vtr", "--stdin", stdin=b"k\t" + b"x" * (64 << 20) + b"\n")
    check_equal(run.code, 2, str(run.err))
    folder.reads("list", "a.vtr", out="")


def case_acknowledgements_come_in_order_and_in_the_chosen_form(folder):
    folder.database()
    lines = b"b\t1\na\\tb\t2\n\\xff\t3\n"
    folder.ok("put", "a.vtr", "--stdin", "--ack", stdin=lines, out="b\na\\tb\n\\xff\n")
    folder.ok("put", "a.vtr", "--stdin", "--ack", "--commit-every", "2", stdin=lines, out="b\na\\tb\n\\xff\n")
    folder.ok("put", "a.vtr", "--stdin", "--ack", "--hex", "--durability", "none", stdin=b"00FF\t\n", out="00ff\n")
    rows = folder.ok("put", "a.vtr", "--stdin", "--ack", "--json", stdin=b"b\t1\n").json_lines()
    check_equal(rows[0], {"key": "b"})
    check_equal((rows[1]["ok"], rows[1]["entries"]), (True, 1))


def case_each_line_is_acknowledged_before_the_next_is_sent(folder):
    folder.database()
    writer = folder.start("put", "a.vtr", "--stdin", "--ack")
    for i in range(20):
        writer.stdin.write(b"key%d\tvalue\n" % i)
        writer.stdin.flush()
        check_equal(writer.stdout.readline(), b"key%d\n" % i)
    out, err = writer.communicate(timeout=TIMEOUT_S)
    check_equal((writer.returncode, out, err), (0, b"", b""))
    check_equal(len(folder.content("a.vtr")), 20)


def acknowledged_before_kill(folder, round_number, words):
    """Feeds a writer without pause, kills it somewhere in the middle, returns the keys it had acknowledged."""
    lines = b"".join(b"r%d-%06d\t%s\n" % (round_number, i, b"v" * (i % 300)) for i in range(200000))
    (folder / "lines").write_bytes(lines)
    with open(folder / "lines", "rb") as source:
        writer = folder.start("put", "a.vtr", "--stdin", "--ack", *words, stdin=source)
        acked = [writer.stdout.readline() for _ in range(folder.random.randint(1, 1500))]
        os.kill(writer.pid, signal.SIGKILL)
        acked += writer.stdout.read().splitlines(keepends=True)
        writer.wait()
        writer.stdout.close()
        writer.stderr.close()
    return {line[:-1] for line in acked if line.endswith(b"\n")}


def case_nothing_acknowledged_is_lost_by_a_kill(folder):
    folder.database()
    expected = set()
    for round_number, words in enumerate([(), ("--commit-every", "50"), ("--durability", "none"), (),
                                          ("--durability", "periodic", "--commit-every", "7")]):
        expected |= acknowledged_before_kill(folder, round_number, words)
        before = folder.files()
        folder.verified("a.vtr")
        keys = set(folder.ok("list", "a.vtr", "--keys-only").out.splitlines())
        check_equal(folder.files(), before, "files after reading what a crash left")
        check(expected <= keys, f"lost after round {round_number}: {sorted(expected - keys)[:5]}")
    folder.ok("put", "a.vtr", "after", "recovery")
    folder.verified("a.vtr")


def case_a_kill_keeps_groups_whole(folder):
    folder.database()
    acknowledged_before_kill(folder, 0, ("--commit-every", "10"))
    count = int(folder.ok("list", "a.vtr", "--count").out)
    check(count > 0 and count % 10 == 0, f"{count} entries in groups of 10")


def case_an_interrupt_undoes_the_open_group(folder):
    folder.database()
    writer = folder.start("put", "a.vtr", "--stdin", "--ack", "--commit-every", "2")
    writer.stdin.write(b"a\t1\nb\t2\nc\t3\n")
    writer.stdin.flush()
    check_equal(writer.stdout.readline() + writer.stdout.readline(), b"a\nb\n")
    time.sleep(0.2)  # the third line is read, and the writer waits for the fourth
    writer.send_signal(signal.SIGINT)
    writer.wait(TIMEOUT_S)
    err = writer.stderr.read()
    for pipe in (writer.stdin, writer.stdout, writer.stderr):
        pipe.close()
    check_equal(writer.returncode, 8)
    check(err.startswith(b"vitrine: OPERATION_RUN_CANCELLED") and b"committed_entries=2" in err, err)
    check_equal(folder.content("a.vtr"), {b"a": b"1", b"b": b"2"})
    check_equal(sorted(folder.files()), ["a.vtr"])
