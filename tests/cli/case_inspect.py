# SPDX-License-Identifier: MIT OR Apache-2.0
"""inspect and hex: every answer fits its published schema, on files that are new, full, in use, damaged or none."""
from harness import check, check_equal

VIEWS = ["header", "pages", "log", "tree", "keys", "catalog", "space", "snapshots", "cache", "health"]
PAGE = 4096


def answer(folder, view, *words):
    """The envelope of one answer, checked against the schemas; no file changes, unless a writer is at work."""
    writer_may_work = (folder / "a.vtr-wal").exists()
    before = folder.files()
    run = folder.run("inspect", view, *words, "--json")
    if not writer_may_work:
        check_equal(folder.files(), before, "files")
    whole = run.envelope()
    check_equal(whole["command"], f"inspect {view}")
    check(not whole["ok"] or run.err == b"", str(run))
    return whole


def payload(folder, view, *words):
    whole = answer(folder, view, *words)
    check(whole["ok"], f"{view}: {whole}")
    return whole["payload"]


def every_view(folder, name="a.vtr"):
    """All answers about one file, at every level of disclosure."""
    for show in ("structure", "keys", "values"):
        for view in VIEWS:
            answer(folder, view, name, "--show", show)
        header = answer(folder, "header", name)
        for page in range(0, 12 if header["ok"] else 1):
            answer(folder, "page", str(page), name, "--show", show)


def filled(folder, count=3000):
    entries = {b"%06d" % i: folder.random.randbytes(60) for i in range(count)}
    entries[b"large"] = folder.random.randbytes(100_000)
    entries[b"\xff\x00binary"] = b"\x00\x01"
    folder.database(entries, options=("--page-size", str(PAGE)))
    return entries


def all_pages(folder, limit=50):
    rows, start = [], 0
    while start is not None:
        part = payload(folder, "pages", "a.vtr", "--from", str(start), "--limit", str(limit))
        check(len(part["pages"]) <= limit, f"{len(part['pages'])} rows")
        rows += part["pages"]
        start = part["next"]
    return rows


def case_every_view_of_every_kind_of_file_fits_its_schema(folder):
    folder.ok("init", "empty.vtr")
    every_view(folder, "empty.vtr")
    filled(folder)
    every_view(folder)
    (folder / "none.vtr").write_bytes(b"no database" * 1000)
    every_view(folder, "none.vtr")
    every_view(folder, "missing.vtr")
    check_equal(answer(folder, "header", "missing.vtr")["error"]["code"], "FILE_OPEN_NOT_FOUND")
    check_equal(answer(folder, "header", "none.vtr")["error"]["code"], "DATABASE_OPEN_NOT_DATABASE")
    newer = bytearray((folder / "empty.vtr").read_bytes())
    newer[8] = 99
    (folder / "newer.vtr").write_bytes(newer)
    every_view(folder, "newer.vtr")


def case_pages_can_be_walked_and_agree_with_space_and_verify(folder):
    filled(folder)
    rows = all_pages(folder)
    check_equal([row["page"] for row in rows], list(range(len(rows))), "page numbers")
    reached = folder.verified("a.vtr")["pages_checked"]
    check_equal(sum(row["in_use"] is True for row in rows), reached, "pages in use")
    check(all(row["integrity"] == "intact" for row in rows if row["in_use"]), "pages in use verify")
    extents = [row for row in rows if row.get("type") == "extent" and row["in_use"]]
    check(any(row["pages"] > 1 and row["page"] > row["first"] for row in extents), "inside of an extent")
    runs, start = [], 4
    while start is not None:
        part = payload(folder, "space", "a.vtr", "--from", str(start), "--limit", "3")
        runs += part["runs"]
        start = part["next"]
    check_equal(sum(run["pages"] for run in runs if run["state"] == "in_use"), reached)


def all_keys(folder, *words):
    """Every key that can be shown, as text, and the pages that are missing."""
    seen, gaps, position = [], set(), []
    while True:
        part = payload(folder, "keys", "a.vtr", "--limit", "700", *words, *position)
        seen += [row["key"] for row in part["keys"]]
        gaps |= {gap["page"] for gap in part["gaps"]}
        if part["next"] is None:
            return seen, gaps
        position = ["--from", part["next"]]


def case_keys_behind_a_damaged_page_are_shown(folder):
    filled(folder)
    whole, gaps = all_keys(folder)
    check_equal(gaps, set())
    leaf = payload(folder, "tree", "a.vtr")["children"][2]["ref"]["page"]
    lost = [slot["key"] for slot in payload(folder, "page", str(leaf), "a.vtr", "--limit", "1000")["content"]["slots"]]
    image = bytearray((folder / "a.vtr").read_bytes())
    image[leaf * PAGE + 300] ^= 1
    (folder / "a.vtr").write_bytes(image)
    check_equal(all_keys(folder), ([key for key in whole if key not in lost], {leaf}))
    root = payload(folder, "tree", "a.vtr")["node"]["page"]
    image[root * PAGE + 300] ^= 1
    (folder / "a.vtr").write_bytes(image)
    check_equal(all_keys(folder), ([], {root}))


def case_keys_page_through_everything_and_show_only_what_was_asked(folder):
    entries = filled(folder)
    seen, words = [], []
    while True:
        part = payload(folder, "keys", "a.vtr", "--limit", "700", "--show", "values", *words)
        seen += part["keys"]
        if part["next"] is None:
            break
        words = ["--from", part["next"]]
    check_equal(len(seen), len(entries), "keys")
    by_key = {row["key"] if isinstance(row["key"], str) else row["key"]["hex"]: row for row in seen}
    check_equal(by_key["large"]["record_size"] > 100_000, True)
    check_equal(by_key["ff0062696e617279"]["value"], {"hex": "0001"})
    check_equal(by_key["000001"]["value"], {"hex": entries[b"000001"].hex()})
    structure = folder.ok("inspect", "keys", "a.vtr", "--show", "structure", "--json").out
    check(b"large\":" in structure and b"binary" not in structure and b"000001" not in structure, "keys are hidden")
    for words in (("keys", "a.vtr"), ("page", "5", "a.vtr"), ("pages", "a.vtr"), ("tree", "a.vtr")):
        hidden = folder.ok("inspect", *words, "--show", "keys", "--json").out
        check(entries[b"000001"].hex().encode() not in hidden, f"values are hidden in {words}")


def case_a_living_writer_is_looked_at_and_not_disturbed(folder):
    folder.database({b"before": b"1"}, options=("--page-size", str(PAGE)))
    writer = folder.start("put", "a.vtr", "--stdin", "--ack")
    for i in range(50):
        writer.stdin.write(b"k%03d\tv\n" % i)
        writer.stdin.flush()
        check_equal(writer.stdout.readline(), b"k%03d\n" % i)
    check_equal(payload(folder, "snapshots", "a.vtr")["writer"], True)
    log = payload(folder, "log", "a.vtr", "--limit", "1000")
    puts = [op["key"] for frame in log["frames"] for op in frame["operations"] or [] if op["type"] == "put"]
    check_equal(puts, [f"k{i:03}" for i in range(50)], "puts in the log")
    part = payload(folder, "log", "a.vtr", "--limit", "7", "--from", str(log["frames"][3]["lsn"]))
    check_equal(part["frames"], log["frames"][3:10], "frames from a position on")
    check_equal(part["next"], log["frames"][10]["lsn"])
    check_equal(len(payload(folder, "keys", "a.vtr")["keys"]), 51)
    every_view(folder)
    writer.stdin.close()
    check_equal(writer.wait(60), 0)
    writer.stdout.close()
    writer.stderr.close()
    folder.verified("a.vtr")


def case_a_damaged_file_is_explained(folder):
    filled(folder)
    whole = (folder / "a.vtr").read_bytes()
    rows = all_pages(folder)
    root = payload(folder, "tree", "a.vtr")["node"]["page"]
    leaf = next(row["page"] for row in rows if row.get("type") == "leaf" and row["in_use"])

    def damage(*pages):
        image = bytearray(whole)
        for page in pages:
            image[page * PAGE + 100] ^= 1
        (folder / "a.vtr").write_bytes(image)

    damage(leaf)
    check_equal(payload(folder, "page", str(leaf), "a.vtr")["integrity"], "damaged")
    check(any(child["error"] == "PAGE_READ_CHECKSUM" for child in payload(folder, "tree", "a.vtr")["children"]),
          "the parent names the damaged child")
    every_view(folder)
    damage(root)
    check_equal(answer(folder, "tree", "a.vtr")["error"]["code"], "PAGE_READ_CHECKSUM")
    every_view(folder)
    damage(0)
    states = [block["state"] for block in payload(folder, "header", "a.vtr")["blocks"]]
    check_equal(states.count("damaged"), 1, f"{states}")
    check_equal(payload(folder, "health", "a.vtr")["warnings"][0]["code"], "HEADER_CHECK_COPY")
    damage(0, 1, 2, 3)
    header = payload(folder, "header", "a.vtr")
    check_equal((header["error"], header["chosen"]), ("DATABASE_OPEN_HEADER_DAMAGED", None))
    check_equal(payload(folder, "health", "a.vtr")["opens"], False)
    every_view(folder)


def case_random_bytes_never_break_an_answer(folder):
    filled(folder, 500)
    whole = (folder / "a.vtr").read_bytes()
    for _ in range(15):
        image = bytearray(whole)
        for _ in range(folder.random.randrange(1, 6)):
            at = folder.random.randrange(len(image))
            size = folder.random.randrange(1, 3000)
            image[at:at + size] = folder.random.randbytes(len(image[at:at + size]))
        if folder.random.random() < 0.3:
            image = image[:folder.random.randrange(len(image))]
        (folder / "a.vtr").write_bytes(image)
        every_view(folder)


def case_hex_explains_every_byte_of_a_page(folder):
    entries = filled(folder, 200)
    for page in range(16):
        text = folder.reads("hex", "a.vtr", "--page", str(page)).out.decode()
        at = {int(line.split()[0], 16): line.split()[1:] for line in text.splitlines() if line.startswith("  ")}
        dump = b"".join(bytes.fromhex("".join(at[offset])) for offset in sorted(at))
        row = payload(folder, "page", str(page), "a.vtr")
        check_equal(folder.reads("hex", "a.vtr", "--page", str(page), "--json").payload()["fields"], row["fields"])
        size = row.get("pages", 1) * PAGE
        check_equal(dump, (folder / "a.vtr").read_bytes()[row["offset"]:row["offset"] + size], f"page {page}")
        check(("checksum of everything before it" if page >= 4 else "number of the checkpoint") in text, text)
    check(entries, "entries")


def case_mistakes_in_arguments_are_named(folder):
    folder.ok("init", "a.vtr")
    for words in (("inspect", "nothing", "a.vtr"), ("inspect", "page", "a.vtr"), ("inspect", "keys", "3", "a.vtr"),
                  ("inspect", "pages", "a.vtr", "--limit", "0"), ("hex", "a.vtr")):
        run = folder.run(*words)
        check_equal((run.code, run.out), (2, b""), str(run))
    for words in (("page", "x", "a.vtr"), ("page", "99999", "a.vtr"), ("keys", "a.vtr", "--from", "zz")):
        check_equal(answer(folder, *words)["error"]["code"], "ARGUMENT_CHECK_INVALID")
