# SPDX-License-Identifier: MIT OR Apache-2.0
"""repair: what is safe in place, and nothing else."""
from harness import check, check_equal

PAGE = 4096


def filled(folder):
    entries = {b"%06d" % i: folder.random.randbytes(50) for i in range(2000)}
    folder.database(entries, options=("--page-size", str(PAGE)))
    return entries


def flipped(folder, offset):
    image = bytearray((folder / "a.vtr").read_bytes())
    image[offset] ^= 1
    (folder / "a.vtr").write_bytes(image)


def case_repair_renews_a_damaged_copy_of_the_header(folder):
    entries = filled(folder)
    untouched = folder.reads("repair", "a.vtr", "--json").payload()
    check_equal((untouched["clean"], untouched["repaired"], untouched["left"]), (True, [], []))
    flipped(folder, 100)
    check_equal(folder.run("verify", "a.vtr").code, 10)
    dry = folder.reads("repair", "a.vtr", "--dry-run", "--json").payload()
    check_equal((dry["clean"], dry["dry_run"]), (True, True))
    check_equal([row["code"] for row in dry["repaired"]], ["HEADER_CHECK_COPY"])
    text = folder.ok("repair", "a.vtr").out.decode()
    check("HEADER_CHECK_COPY" in text and "clean           yes" in text, text)
    folder.verified("a.vtr")
    check_equal(folder.content("a.vtr"), entries)


def case_repair_does_not_touch_a_file_with_damage(folder):
    filled(folder)
    root = folder.ok("inspect", "tree", "a.vtr", "--json").json()["payload"]["children"][1]["ref"]["page"]
    flipped(folder, root * PAGE + 200)
    flipped(folder, 100)
    before = folder.files()
    for words in (("--dry-run",), ()):
        run = folder.run("repair", "a.vtr", "--json", *words)
        check_equal(run.code, 10, str(run))
        report = run.payload()
        check_equal((report["clean"], report["repaired"]), (False, []))
        check_equal({row["code"] for row in report["left"]}, {"PAGE_READ_CHECKSUM", "HEADER_CHECK_COPY"})
        check_equal(run.envelope()["error"]["code"], "CHECK_RUN_DAMAGE")
        check_equal(folder.files(), before, "files")


def case_repair_waits_for_no_writer_and_refuses_what_does_not_open(folder):
    filled(folder)
    writer = folder.start("put", "a.vtr", "--stdin", "--ack")
    writer.stdin.write(b"k\tv\n")
    writer.stdin.flush()
    writer.stdout.readline()
    check_equal(folder.run("repair", "a.vtr", "--dry-run").code, 0)
    writer.stdin.close()
    writer.wait(60)
    writer.stdout.close()
    writer.stderr.close()
    (folder / "none.vtr").write_bytes(b"no database" * 1000)
    folder.fails("invalid_input", "DATABASE_OPEN_NOT_DATABASE", "repair", "none.vtr")
    for block in range(4):
        flipped(folder, block * PAGE + 100)
    folder.fails("integrity_failure", "DATABASE_OPEN_HEADER_DAMAGED", "repair", "a.vtr")
