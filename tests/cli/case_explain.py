# SPDX-License-Identifier: MIT OR Apache-2.0
"""verify --explain: every page has its words, and they say what verify and inspect say."""
from case_inspect import PAGE, all_pages, filled, payload
from harness import check, check_equal, validator


def explained(folder, *words):
    """The rows, checked against their schema, and the verdict."""
    run = folder.run("verify", "a.vtr", "--explain", "--json", *words)
    lines = run.json_lines()
    rows = [line for line in lines if "what" in line]
    for row in rows:
        validator("explain-page.json").validate(row)
    return rows, run.envelope()


def case_explain_has_words_for_every_page_and_agrees_with_inspect(folder):
    filled(folder)
    rows, verdict = explained(folder)
    check(verdict["ok"], f"{verdict}")
    pages = all_pages(folder)
    check_equal([row["page"] for row in rows], [page["page"] for page in pages])
    check_equal([row["in_use"] for row in rows[4:]], [page["in_use"] for page in pages[4:]])
    for row, page in zip(rows[4:], pages[4:]):
        owned = row["freshness"]["state"] == "current"
        check_equal(owned, page["in_use"] is True, f"{row}")
        if owned:
            name = {"leaf": "leaf of the tree", "inner": "inner node", "extent": "extent with",
                    "map_leaf": "leaf of the map"}[page["type"]]
            check(name in row["what"], f"{row} {page}")
        if page["page"] % 9 == 0 and page.get("type") in ("leaf", "inner", "map_leaf"):
            above = payload(folder, "page", str(page["page"]), "a.vtr")["pointed_to_by"]
            check_equal(above and above["page"], row["pointed_to_by"]["page"], f"{row}")
            check_equal(above is not None, owned, f"{row}")
    text = folder.reads("verify", "a.vtr", "--explain").out.decode()
    check_equal(text.count("\npage ") + 1, len(rows), "pages in the text")
    for word in ("pointed to by", "integrity", "freshness", "completeness"):
        check_equal(text.count(f"  {word} "), len(rows), word)


def case_explain_of_an_encrypted_file_proves_with_the_key_and_tells_the_outside_without(folder):
    unlock = ("--keyfile", "key")
    for name in ("key", "wrong"):
        (folder / name).write_bytes(folder.random.randbytes(64))
    folder.ok("init", "a.vtr", "--encrypt", "--page-size", str(PAGE), *unlock)
    lines = b"".join(b"%06d\tvalue\n" % i for i in range(2000))
    folder.ok("put", "a.vtr", "--stdin", *unlock, stdin=lines)
    folder.ok("put", "a.vtr", "large", *unlock, stdin=b"l" * 50_000)
    rows, verdict = explained(folder, *unlock)
    check(verdict["ok"], f"{verdict}")
    used = [row for row in rows[4:] if row["in_use"]]
    check(len(used) > 20, f"{len(used)} pages in use")
    check_equal({(row["integrity"]["state"], row["freshness"]["state"], row["completeness"]["state"]) for row in used},
                {("intact", "current", "complete")})
    outside, verdict = explained(folder)
    check_equal(verdict["error"]["code"], "KEY_OPEN_REQUIRED")
    check_equal([row["page"] for row in outside], [row["page"] for row in rows])
    check_equal({row["in_use"] for row in outside[4:]}, {None})
    check_equal({row["integrity"]["state"] for row in outside[4:]} - {"zero", "beyond_end"}, {"sealed"})
    root = next(row["page"] for row in rows if row["pointed_to_by"]["words"] == "the header: root of the tree")
    check_equal(outside[root]["pointed_to_by"]["words"], "the header: root of the tree")
    image = bytearray((folder / "a.vtr").read_bytes())
    image[root * PAGE + 1000] ^= 1
    (folder / "a.vtr").write_bytes(image)
    rows, _ = explained(folder, *unlock)
    check_equal(rows[root]["integrity"]["state"], "damaged")
    check_equal(explained(folder, "--keyfile", "wrong")[0], [])


def case_explain_pages_through_a_file(folder):
    filled(folder, 500)
    whole, _ = explained(folder)
    parts = []
    for start in range(0, len(whole), 7):
        rows, _ = explained(folder, "--from", str(start), "--limit", "7")
        parts += rows
    check_equal(parts, whole)
    check_equal(folder.run("verify", "a.vtr", "--limit", "3").code, 2, "limit without explain")


def case_explain_names_damaged_stale_and_misplaced_pages(folder):
    filled(folder)
    whole = (folder / "a.vtr").read_bytes()
    pages = all_pages(folder)
    leaves = [page["page"] for page in pages if page.get("type") == "leaf" and page["in_use"]]
    extent = next(page["page"] for page in pages if page.get("type") == "extent" and page["in_use"])

    def image_of(page, source=whole):
        return source[page * PAGE:(page + 1) * PAGE]

    def row_with(page, content):
        (folder / "a.vtr").write_bytes(whole[:page * PAGE] + content + whole[(page + 1) * PAGE:])
        rows, verdict = explained(folder)
        check(not verdict["ok"], "verify finds it as well")
        check_equal(sum(row["freshness"]["state"] == "current" for row in rows),
                    sum(page["in_use"] is True for page in pages) + 4 - (1 if page in leaves else rows_of_extent),
                    "the other pages are as they were")
        above = rows[page]["pointed_to_by"]["page"]
        check_equal(rows[above]["completeness"]["state"], "incomplete", f"page {above} above page {page}")
        return rows[page]

    rows_of_extent = sum(page["first"] == extent for page in pages if "first" in page)
    leaf = leaves[3]
    flipped = bytearray(image_of(leaf))
    flipped[1000] ^= 4
    check_equal(row_with(leaf, bytes(flipped))["integrity"]["state"], "damaged")
    check_equal(row_with(leaf, image_of(leaves[5]))["freshness"]["state"], "misplaced")
    check_equal(row_with(extent, bytes(PAGE))["integrity"]["state"], "damaged")
    (folder / "a.vtr").write_bytes(whole)
    for count in range(10):  # pages that a checkpoint freed are used again by a later one
        folder.ok("put", "a.vtr", "000900", str(count))
    newer = (folder / "a.vtr").read_bytes()
    rows, _ = explained(folder)
    again = [n for n in [page["page"] for page in pages if page["in_use"] and page["type"] in ("leaf", "inner")]
             if rows[n]["freshness"]["state"] == "current" and image_of(n, newer) != image_of(n)]
    check(again, "a place that was used again")
    (folder / "a.vtr").write_bytes(newer[:again[0] * PAGE] + image_of(again[0]) + newer[(again[0] + 1) * PAGE:])
    row = explained(folder)[0][again[0]]
    check_equal((row["integrity"]["state"], row["freshness"]["state"]), ("intact", "stale"))
