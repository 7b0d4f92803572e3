# SPDX-License-Identifier: MIT OR Apache-2.0
"""import and export of a collection: JSON, NDJSON, CSV, TSV, BSON."""
import json
import time

from harness import check, check_equal

PEOPLE = [{"_id": 1, "name": "Ada", "age": 36, "address": {"city": "Rome", "zip": "00100"}},
          {"_id": 2, "name": "Bob, the \"builder\"", "age": 30.5}, {"_id": "3", "name": "", "tags": ["a", "b"]}]


def people(folder, name="a.vtr"):
    lines = b"".join(json.dumps(person).encode() + b"\n" for person in PEOPLE)
    (folder / "people.ndjson").write_bytes(lines)
    folder.ok("import", name, "people.ndjson", "--collection", "people", "--create", out="documents  3\nskipped    0\n")
    return name


def found(folder, name="a.vtr", collection="people"):
    return folder.reads("find", name, collection).json_lines()


def case_what_is_exported_is_imported_again(folder):
    people(folder)
    for suffix in ("json", "ndjson", "bson"):
        file = f"out.{suffix}"
        report = folder.reads_with([file], "export", "a.vtr", file, "--collection", "people", "--json").json()
        check_equal((report["documents"], report["written_bytes"]), (3, (folder / file).stat().st_size))
        folder.ok("import", "a.vtr", file, "--collection", suffix)
        check_equal(found(folder, collection=suffix), PEOPLE)
        folder.fails("conflict", "FILE_CREATE_EXISTS", "export", "a.vtr", file, "--collection", "people")
    check_equal(json.loads((folder / "out.json").read_bytes()), PEOPLE)
    folder.reads("export", "a.vtr", "-", "--collection", "people", "--format", "ndjson", "--filter", "{_id: 1}",
                 out=json.dumps(PEOPLE[0], separators=(",", ":")) + "\n")
    folder.verified("a.vtr")


def case_csv_spreads_objects_over_columns(folder):
    people(folder)
    folder.ok("export", "a.vtr", "out.csv", "--collection", "people")
    check_equal((folder / "out.csv").read_bytes(),
                b'_id,name,age,address.city,address.zip,tags\r\n1,Ada,36,Rome,00100,\r\n'
                b'2,"Bob, the ""builder""",30.5,,,\r\n"3","",,,,"[""a"",""b""]"\r\n')
    folder.ok("import", "a.vtr", "out.csv", "--collection", "again")
    check_equal(found(folder, collection="again"), PEOPLE[:2] + [dict(PEOPLE[2], tags='["a","b"]')])
    folder.reads("export", "a.vtr", "-", "--format", "tsv", "--collection", "people", "--fields", "name,age,none",
                 "--filter", "{age: {$gt: 0}}",
                 out='name\tage\tnone\r\nAda\t36\t\r\n"Bob, the ""builder"""\t30.5\t\r\n')
    folder.ok("import", "a.vtr", "-", "--format", "csv", "--collection", "typed", "--types", "none",
              stdin=b"_id,n\nx,1")
    check_equal(found(folder, collection="typed"), [{"_id": "x", "n": "1"}])


def case_an_import_is_whole_or_nothing(folder):
    people(folder)
    lines = b"".join(b'{"_id":%d}\n' % i for i in range(10, 500))
    (folder / "bad.ndjson").write_bytes(lines + b'{"_id":2}\n{"_id":1000}\n')
    words = ("import", "a.vtr", "bad.ndjson", "--collection", "people")
    details = folder.fails("conflict", "DOCUMENT_INSERT_EXISTS", *words, files_change=True)
    check_equal((details["line"], details["committed_documents"]), ("491", "0"))
    check_equal(found(folder), PEOPLE)
    for words in (("bad.ndjson", "--collection", "c"), ("none.ndjson", "--collection", "c", "--create")):
        folder.fails("not_found", "FILE_OPEN_NOT_FOUND", "import", "b.vtr", *words)
    (folder / "worse.ndjson").write_bytes(b"{}\n{bad\n")
    folder.fails("invalid_input", "JSON_READ_MALFORMED", "import", "b.vtr", "worse.ndjson", "--collection", "c",
                 "--create")
    folder.verified("a.vtr")


def case_batches_keep_what_was_committed(folder):
    people(folder)
    lines = b"".join(b'{"_id":%d}\n' % i for i in range(10, 35))
    (folder / "more.ndjson").write_bytes(lines + b"bad\n")
    run = folder.run("import", "a.vtr", "more.ndjson", "--collection", "people", "--batch", "10", "--json")
    check_equal((run.code, run.out), (2, b""))
    details = json.loads(run.err)["error"]["details"]
    check_equal((details["line"], details["committed_documents"]), ("26", "20"))
    folder.reads("count", "a.vtr", "people", out="23\n")
    (folder / "more.ndjson").write_bytes(lines)
    report = folder.ok("import", "a.vtr", "more.ndjson", "--collection", "people", "--batch", "10", "--upsert",
                       "--json").json()
    check_equal((report["documents"], report["commits"]), (25, 3))
    folder.reads("count", "a.vtr", "people", out="28\n")
    folder.verified("a.vtr")


def case_refused_documents_are_skipped_or_reported(folder):
    people(folder)
    (folder / "mixed.ndjson").write_bytes(b'{"_id":10}\nbad\n\n{"_id":1}\n{"_id":11,"a":1,"a":2}\n{"_id":12}\n')
    words = ("import", "a.vtr", "mixed.ndjson", "--collection", "people", "--on-error")
    run = folder.run(*words, "report")
    check_equal((run.code, run.out), (0, b"documents  2\nskipped    3\n"))
    places = [line.split(b"line=")[1].rstrip(b")") for line in run.err.splitlines()]
    check_equal(places, [b"2", b"4", b"5"])
    folder.ok("remove", "a.vtr", "people", "{_id: {$gte: 10}}")
    check_equal(folder.ok(*words, "skip", "--json").json(), {"ok": True, "documents": 2, "skipped": 3})
    folder.reads("count", "a.vtr", "people", out="5\n")
    (folder / "cut.json").write_bytes(b'[{"_id":20},{"_id":')
    folder.fails("invalid_input", "JSON_READ_MALFORMED", "import", "a.vtr", "cut.json", "--collection", "people",
                 "--on-error", "skip", files_change=True)
    folder.reads("count", "a.vtr", "people", out="5\n")


def case_an_import_replaces_documents_or_the_collection(folder):
    people(folder)
    (folder / "new.csv").write_bytes(b"_id,name\n1,Eve\n9,Mallory\n")
    folder.ok("import", "a.vtr", "new.csv", "--collection", "people", "--upsert")
    check_equal([person["name"] for person in found(folder)], ["Eve", PEOPLE[1]["name"], "Mallory", ""])
    folder.ok("import", "a.vtr", "new.csv", "--collection", "people", "--replace")
    check_equal([person["name"] for person in found(folder)], ["Eve", "Mallory"])
    folder.fails("invalid_input", "ARGUMENT_CHECK_INVALID", "import", "a.vtr", "new.csv", "--collection", "people",
                 "--replace", "--upsert")
    folder.fails("invalid_input", "ARGUMENT_CHECK_INVALID", "import", "a.vtr", "new.csv", "--upsert")
    folder.fails("invalid_input", "ARGUMENT_CHECK_INVALID", "import", "a.vtr", "-", "--collection", "people")


def case_documents_of_an_encrypted_database_leave_only_when_asked_for(folder):
    folder.ok("init", "a.vtr", "--encrypt", "--passphrase-stdin", stdin=b"a secret phrase\n")
    unlock = {"stdin": b'a secret phrase\n{"_id":1}\n'}
    folder.ok("import", "a.vtr", "-", "--format", "ndjson", "--collection", "c", "--passphrase-stdin", **unlock)
    words = ("export", "a.vtr", "out.bson", "--collection", "c", "--passphrase-stdin")
    folder.fails("invalid_input", "EXPORT_WRITE_PLAINTEXT", *words, **unlock)
    folder.ok(*words, "--plaintext", **unlock)
    check_equal((folder / "out.bson").read_bytes(), bytes.fromhex("0e000000105f6964000100000000"))


def case_an_interrupted_import_changes_nothing(folder):
    people(folder)
    process = folder.start("import", "a.vtr", "-", "--format", "ndjson", "--collection", "people")
    process.stdin.write(b'{"_id":50}\n')
    process.stdin.flush()
    time.sleep(0.3)
    process.terminate()
    _, err = process.communicate(timeout=60)
    check_equal(process.returncode, 8, err)
    check(b"OPERATION_RUN_CANCELLED" in err, str(err))
    check_equal(found(folder), PEOPLE)
    folder.verified("a.vtr")


def case_updates_change_what_matches(folder):
    people(folder)
    folder.ok("update", "a.vtr", "people", "{}", "{$inc: {age: 1}}", out="matched   1\nmodified  1\n")
    answer = folder.ok("update", "a.vtr", "people", "{age: {$gt: 0}}", "{$set: {old: true}}", "--many", "--json").json()
    check_equal(answer, {"ok": True, "matched": 2, "modified": 2})
    answer = folder.ok("update", "a.vtr", "fresh", "{_id: 7}", "{$set: {a: 1}}", "--upsert", "--json").json()
    check_equal((answer["matched"], answer["upserted"]), (0, "7"))
    folder.reads("find", "a.vtr", "fresh", out='{"_id":7,"a":1}\n')
    folder.fails("invalid_input", "UPDATE_COMPILE_MALFORMED", "update", "a.vtr", "people", "{}", "{$near: 1}",
                 files_change=True)
    folder.fails("not_found", "COLLECTION_OPEN_NOT_FOUND", "update", "a.vtr", "none", "{}", "{$set: {a: 1}}",
                 files_change=True)
    folder.verified("a.vtr")
