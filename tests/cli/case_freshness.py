# SPDX-License-Identifier: MIT OR Apache-2.0
"""Older states put back: found by a commit token or an anchor file, and told apart from damage."""
import shutil

from harness import check, check_equal


def put(folder, value, *options):
    return folder.ok("put", "a.vtr", "key", value, "--json", *options).json()["token"]


def answers(run):
    report = run.payload()
    return report["integrity"], report["freshness"], report["completeness"]


def case_a_token_refuses_an_older_state(folder):
    folder.database()
    first = put(folder, "1")
    shutil.copy(folder / "a.vtr", folder / "old")
    second = put(folder, "2")
    check(first != second, first)
    check_equal(folder.ok("info", "a.vtr", "--json").payload()["commit_token"], second)
    folder.reads("get", "a.vtr", "key", "--min-commit", first, out="2\n")
    shutil.copy(folder / "old", folder / "a.vtr")
    folder.reads("get", "a.vtr", "key", "--min-commit", first, out="1\n")
    for command in (("get", "a.vtr", "key"), ("list", "a.vtr"), ("export", "a.vtr", "a.export"), ("stats", "a.vtr")):
        details = folder.fails("integrity_failure", "FRESHNESS_CHECK_BEHIND", *command, "--min-commit", second)
        check_equal(details["expected"], second)
    folder.reads("get", "a.vtr", "key", "--min-commit", second, "--accept-rollback", out="1\n")
    put(folder, "another history")
    folder.fails("integrity_failure", "FRESHNESS_CHECK_FORKED", "get", "a.vtr", "key", "--min-commit", second)
    for token in ("", "2", second + "0"):
        folder.fails("invalid_input", "ARGUMENT_CHECK_INVALID", "get", "a.vtr", "key", "--min-commit", token)


def case_an_anchor_follows_the_database(folder):
    (folder / "elsewhere").mkdir()
    anchor = ("--anchor", "elsewhere/a.anchor")
    folder.ok("init", "a.vtr", *anchor)
    folder.fails("not_found", "FILE_OPEN_NOT_FOUND", "get", "a.vtr", "key", "--anchor", "nowhere/a.anchor")
    check_equal((folder / "elsewhere/a.anchor").stat().st_mode & 0o777, 0o600, "mode")
    put(folder, "1", *anchor)
    shutil.copy(folder / "a.vtr", folder / "old")
    put(folder, "2", *anchor)
    folder.reads("get", "a.vtr", "key", *anchor, out="2\n")
    check_equal(answers(folder.reads("verify", "a.vtr", "--json", *anchor)), ("clean", "anchored", "complete"))
    check_equal(answers(folder.reads("verify", "a.vtr", "--json")), ("clean", "unanchored", "complete"))
    shutil.copy(folder / "old", folder / "a.vtr")
    folder.fails("integrity_failure", "FRESHNESS_CHECK_BEHIND", "put", "a.vtr", "key", "3", *anchor, files_change=True)
    run = folder.run("verify", "a.vtr", "--json", *anchor)
    check_equal((run.code, answers(run)), (10, ("clean", "behind", "complete")))
    check(b"behind" in folder.run("verify", "a.vtr", *anchor).out, "the report in text")
    put(folder, "3")
    run = folder.run("verify", "a.vtr", "--json", *anchor)
    check_equal((run.code, answers(run)), (10, ("clean", "forked", "complete")))
    put(folder, "4", *anchor, "--accept-rollback")
    folder.reads("get", "a.vtr", "key", *anchor, out="4\n")
    (folder / "elsewhere/a.anchor").write_bytes(b"")
    folder.fails("integrity_failure", "ANCHOR_READ_DAMAGED", "get", "a.vtr", "key", *anchor)
