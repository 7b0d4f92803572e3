# SPDX-License-Identifier: MIT OR Apache-2.0
"""verify, stats, info, checkpoint, compact, vacuum: what a database tells about itself, and housekeeping."""
from harness import check, check_equal

STATS = ["entries", "tree_depth", "leaf_fill", "pages", "pages_allocated", "pages_held", "pages_free",
         "largest_free_run", "fragmentation", "gets", "puts", "erases", "scans", "cache_bytes", "cache_pages",
         "cache_pages_dirty", "cache_hits", "cache_misses", "cache_evictions", "pages_read", "pages_written",
         "put_bytes", "written_bytes", "write_amplification", "log_bytes", "log_used_bytes", "log_appended_bytes",
         "log_bound_bytes", "log_syncs", "checkpoints", "checkpoint_age_ms", "commits", "rollbacks", "commit_seq",
         "durable_seq", "snapshots", "oldest_snapshot_seq", "oldest_snapshot_age_ms", "writer_waits",
         "checkpoint_waits", "verified_wall_ms", "verify_findings", "key_age_days", "latencies", "warnings"]
INFO = ["path", "file_id", "format_version", "page_size", "page_count", "file_bytes", "log_bytes", "checkpoint",
        "checkpoint_wall_ms", "open_count", "commit_seq", "was_clean", "commit_token", "cipher", "key_epoch",
        "rotating", "read_only", "key_size_max", "filesystem", "network_filesystem"]


def filled(folder, count=3000, size=100, options=("--page-size", "4096")):
    entries = {b"%06d" % i: folder.random.randbytes(size) for i in range(count)}
    folder.database(entries, options=options)
    return entries


def case_a_new_database_is_clean_at_every_level(folder):
    entries = filled(folder)
    for level in ("quick", "full", "deep"):
        report = folder.reads("verify", "a.vtr", "--level", level, "--json").payload()
        check_equal((report["clean"], report["complete"], report["level"]), (True, True, level))
        check_equal(report["findings"], [])
        if level != "quick":
            check(report["entries"] >= len(entries), f"entries seen: {report}")
    text = folder.reads("verify", "a.vtr").out.decode()
    check(text.startswith("clean             yes\n") and "findings" not in text, text)


def check_finding(folder, page):
    """verify names `page`, in both forms: in its report, or in the error when the damage keeps it from opening."""
    run = folder.run("verify", "a.vtr", "--json")
    check_equal(run.code, 10, str(run))
    answer = run.envelope()
    if answer["payload"] is None:
        check_equal(answer["error"]["details"]["page"], str(page), "damaged page")
        return
    report = answer["payload"]
    check_equal((answer["ok"], report["clean"]), (False, False))
    check(any(finding["page"] == page for finding in report["findings"]), f"page {page}: {report}")
    check_equal(set(report["findings"][0]), {"severity", "page", "code", "message"})
    text = folder.run("verify", "a.vtr")
    check_equal(text.code, 10, str(text))
    check(f"  {page} ".encode() in text.out, str(text))
    check(text.err.startswith(b"vitrine: CHECK_RUN_DAMAGE: "), str(text))


def case_damage_is_found_and_named_by_page(folder):
    entries = filled(folder)
    whole = (folder / "a.vtr").read_bytes()
    allocated = folder.ok("stats", "a.vtr", "--json").payload()["pages_allocated"]
    found = 0
    for page in range(4, len(whole) // 4096, 7):  # before these lie the copies of the header
        image = bytearray(whole)
        image[page * 4096 + folder.random.randrange(4096)] ^= 1 << folder.random.randrange(8)
        (folder / "a.vtr").write_bytes(image)
        if folder.run("verify", "a.vtr").code != 0:  # a page that nobody uses may hold anything
            check_finding(folder, page)
            found += 1
        listed = folder.run("list", "a.vtr", "--hex")
        check(listed.code in (0, 10), str(listed))
        if listed.code == 0:
            check_equal(len(listed.out.splitlines()), len(entries), "entries listed")
    check(found >= allocated // 7 // 2, f"{found} found of every seventh of {len(whole) // 4096}, {allocated} used")
    (folder / "a.vtr").write_bytes(whole)
    folder.verified("a.vtr")


def case_a_damaged_copy_of_the_header_is_not_clean(folder):
    filled(folder, count=10)
    whole = (folder / "a.vtr").read_bytes()
    for at in (100, 4096 + 100, 8192 + 100, 12288 + 100):
        image = bytearray(whole)
        image[at] ^= 0x40
        (folder / "a.vtr").write_bytes(image)
        report = folder.run("verify", "a.vtr", "--json", "--level", "quick")
        check_equal((report.code, report.payload()["clean"]), (10, False), str(report))
        found = [(f["code"], f["page"], f"at byte {at // 4096 * 4096}," in f["message"])
                 for f in report.payload()["findings"]]
        check_equal(found, [("HEADER_CHECK_COPY", at // 4096, True)], str(report))
        check_equal(folder.ok("list", "a.vtr", "--count").out, b"10\n")


def case_stats_and_info_have_stable_names(folder):
    folder.database({b"a": b"1"})
    check_equal(list(folder.reads("stats", "a.vtr", "--json").payload()), STATS)
    check_equal(list(folder.reads("info", "a.vtr", "--json").payload()), INFO)
    for words, names in (("stats", STATS), ("info", INFO)):
        text = folder.reads(words, "a.vtr").out.decode()
        shown = [line.split()[0] for line in text.splitlines() if not line.startswith(" ")]
        check_equal(shown, [name for name in names if name != "warnings"])  # there are none


def case_info_tells_what_the_file_is(folder):
    folder.database({b"a": b"1"}, options=("--page-size", "16KiB"))
    info = folder.reads("info", "a.vtr", "--json").payload()
    check_equal((info["page_size"], info["was_clean"], info["read_only"]), (16384, True, True))
    check_equal(info["file_bytes"], (folder / "a.vtr").stat().st_size)
    check_equal(info["log_bytes"], 0)
    check(info["key_size_max"] >= 1024, str(info))
    check(len(info["file_id"]) == 32 and int(info["file_id"], 16), str(info))
    check(info["filesystem"], "the file system has a name")


def case_vacuum_shrinks_the_file(folder):
    filled(folder, count=20000)
    folder.ok("delete", "a.vtr", "--from", "000100")
    before = (folder / "a.vtr").stat().st_size
    report = folder.ok("vacuum", "a.vtr", "--json").json()
    after = (folder / "a.vtr").stat().st_size
    check(after < before // 4, f"{before} to {after} bytes: {report}")
    check_equal((report["file_before_bytes"], report["file_after_bytes"]), (before, after))
    folder.verified("a.vtr")
    check_equal(folder.ok("list", "a.vtr", "--count").out, b"100\n")


def case_compact_keeps_everything_and_takes_no_more_space(folder):
    entries = {folder.random.randbytes(12): folder.random.randbytes(100) for _ in range(20000)}
    folder.database(entries, options=("--page-size", "4096"))
    before = folder.ok("stats", "a.vtr", "--json").payload()["pages_allocated"]
    report = folder.ok("compact", "a.vtr", "--json").json()
    check_equal(set(report), {"ok", "pages_before", "pages_after", "pages_moved", "file_before_bytes",
                              "file_after_bytes"})
    check(folder.ok("stats", "a.vtr", "--json").payload()["pages_allocated"] <= before, str(report))
    check_equal(folder.content("a.vtr"), entries)
    folder.verified("a.vtr")


def case_checkpoint_keeps_everything(folder):
    entries = filled(folder, count=100)
    folder.ok("checkpoint", "a.vtr", out="")
    check_equal(folder.content("a.vtr"), entries)
    check_equal(sorted(folder.files()), ["a.vtr"])


def case_a_small_cache_does_the_same_work(folder):
    entries = {folder.random.randbytes(16): folder.random.randbytes(400) for _ in range(20000)}
    folder.ok("init", "a.vtr")
    lines = b"".join(k.hex().encode() + b"\t" + v.hex().encode() + b"\n" for k, v in entries.items())
    folder.ok("put", "a.vtr", "--stdin", "--hex", "--cache-size", "1MiB", "--log-size", "1MiB", "--commit-every",
              "9999", stdin=lines)
    check_equal(folder.content("a.vtr", "--cache-size", "1MiB"), entries)
    folder.verified("a.vtr")
