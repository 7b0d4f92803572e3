# SPDX-License-Identifier: MIT OR Apache-2.0
"""insert, find, count, remove, collections: documents from a shell."""
import json

from harness import check, check_equal

PEOPLE = [{"_id": 1, "name": "Ada", "age": 36, "tags": ["math"]}, {"_id": 2, "name": "Bob", "age": 30.0},
          {"_id": 3, "name": "Eve", "age": 20, "address": {"city": "Rome"}}]


def lines_of(documents):
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)


def people(folder, name="a.vtr"):
    folder.ok("init", name)
    folder.ok("insert", name, "people", stdin=lines_of(PEOPLE), out="1\n2\n3\n")
    return name


def case_documents_are_inserted_and_found(folder):
    people(folder)
    check_equal(folder.reads("find", "a.vtr", "people").json_lines(), PEOPLE)
    folder.reads("find", "a.vtr", "people", "{age: 30}", out='{"_id":2,"name":"Bob","age":30.0}\n')
    check_equal([found["_id"] for found in folder.reads("find", "a.vtr", "people", "{}", "--sort", "{age: 1}", "--skip",
                                                        "1", "--limit", "1").json_lines()], [2])
    folder.reads("find", "a.vtr", "people", "{'address.city': 'Rome'}", "--canonical",
                 out='{"_id":{"$numberInt":"3"},"name":"Eve","age":{"$numberInt":"20"},"address":{"city":"Rome"}}\n')
    folder.reads("count", "a.vtr", "people", out="3\n")
    answer = folder.reads("count", "a.vtr", "people", "{age: {$gte: 30}}", "--json").json()
    check_equal(answer, {"ok": True, "count": 2})
    folder.verified("a.vtr")


def case_an_insert_makes_its_collection_and_an_id(folder):
    folder.fails("not_found", "FILE_OPEN_NOT_FOUND", "insert", "a.vtr", "c", "{}")
    printed = folder.ok("insert", "a.vtr", "c", "{a: 1}", "--create").json()
    check_equal(list(printed), ["$uuid"])
    found = folder.reads("find", "a.vtr", "c", '{"_id": %s}' % json.dumps(printed)).json_lines()
    check_equal([document["a"] for document in found], [1])
    check_equal(folder.ok("insert", "a.vtr", "c", "{_id: 'x'}", "--json").json(), {"_id": "x"})
    folder.fails("not_found", "COLLECTION_OPEN_NOT_FOUND", "find", "a.vtr", "other")
    folder.fails("invalid_input", "COLLECTION_CHECK_NAME", "insert", "a.vtr", "$c", "{}", files_change=True)


def case_an_insert_is_whole_or_nothing(folder):
    people(folder)
    more = lines_of([{"_id": i} for i in range(10, 1000)])
    details = folder.fails("conflict", "DOCUMENT_INSERT_EXISTS", "insert", "a.vtr", "people",
                           stdin=more + b'\n{"_id": 2}\n', files_change=True)
    check_equal(details["line"], "992")
    details = folder.fails("invalid_input", "JSON_READ_MALFORMED", "insert", "a.vtr", "people", stdin=more + b"{bad\n",
                           files_change=True)
    check_equal(details["line"], "991")
    folder.reads("count", "a.vtr", "people", out="3\n")
    check_equal(folder.ok("insert", "a.vtr", "people", stdin=more).out.count(b"\n"), 990)
    folder.ok("insert", "a.vtr", "people", stdin=b"", out="")
    folder.verified("a.vtr")


def case_a_filter_that_is_not_understood_names_its_place(folder):
    people(folder)
    details = folder.fails("invalid_input", "JSON_READ_MALFORMED", "find", "a.vtr", "people", "{age: ?}")
    check_equal((details["offset"], details["argument"]), ("6", "FILTER"))
    details = folder.fails("invalid_input", "JSON_READ_MALFORMED", "find", "a.vtr", "people", "--sort", "{a:")
    check_equal(details["option"], "--sort")
    folder.fails("invalid_input", "FILTER_COMPILE_MALFORMED", "count", "a.vtr", "people", "{a: {$near: 1}}")
    folder.fails("invalid_input", "ARGUMENT_CHECK_INVALID", "remove", "a.vtr", "people")


def case_documents_are_removed_by_filter(folder):
    people(folder)
    folder.ok("remove", "a.vtr", "people", "{age: {$lt: 100}}", "--limit", "1", out="removed  1\n")
    check_equal([found["_id"] for found in folder.reads("find", "a.vtr", "people").json_lines()], [2, 3])
    check_equal(folder.ok("remove", "a.vtr", "people", "{}", "--json").json(), {"ok": True, "removed": 2})
    folder.ok("remove", "a.vtr", "people", "{}", out="removed  0\n")
    folder.verified("a.vtr")


def case_collections_are_listed_created_renamed_and_dropped(folder):
    people(folder)
    folder.ok("collections", "a.vtr", "--create", "empty", out="")
    folder.reads("collections", "a.vtr", out="empty\npeople\n")
    folder.fails("conflict", "COLLECTION_CREATE_EXISTS", "collections", "a.vtr", "--create", "empty", files_change=True)
    folder.ok("collections", "a.vtr", "--rename", "people", "--to", "staff", out="")
    check_equal(folder.reads("collections", "a.vtr", "--json").json()["collections"],
                [{"name": "empty", "documents": 0}, {"name": "staff", "documents": 3}])
    folder.fails("invalid_input", "ARGUMENT_CHECK_INVALID", "collections", "a.vtr", "--rename", "staff")
    folder.fails("invalid_input", "ARGUMENT_CHECK_INVALID", "collections", "a.vtr", "--drop", "a", "--create", "b")
    folder.ok("collections", "a.vtr", "--drop", "staff", out="removed  3\n")
    folder.reads("collections", "a.vtr", out="empty\n")
    folder.verified("a.vtr")


def case_collections_of_an_encrypted_database_need_its_key(folder):
    folder.ok("init", "a.vtr", "--encrypt", "--passphrase-stdin", stdin=b"a secret phrase\n")
    folder.ok("insert", "a.vtr", "c", "--passphrase-stdin", stdin=b'a secret phrase\n{"_id": 1}\n', out="1\n")
    folder.reads("find", "a.vtr", "c", "--passphrase-stdin", stdin=b"a secret phrase\n", out='{"_id":1}\n')
    for words in (("find", "a.vtr", "c"), ("insert", "a.vtr", "c", "{}"), ("collections", "a.vtr")):
        run = folder.run(*words, stdin=b"")
        check(run.code == 5 and run.out == b"", str(run))


def case_an_index_answers_what_a_scan_does(folder):
    people(folder)
    folder.ok("index", "a.vtr", "people", "create", "by_age", "{age: 1}", out="")
    folder.ok("index", "a.vtr", "people", "create", "by_name", "{name: 1}", "--unique", "--partial", "{age: {$gt: 0}}")
    folder.reads("index", "a.vtr", "people", "list", out='by_age\t{"age":1}\n'
                 'by_name\t{"name":1}\tunique\tpartial {"age":{"$gt":0}}\n')
    first = folder.reads("index", "a.vtr", "people", "list", "--json").json_lines()[0]
    check_equal((first["name"], first["key"], first["unique"], first["building"]), ("by_age", {"age": 1}, False, False))
    for hint in ("by_age", "$scan"):
        check_equal(folder.reads("find", "a.vtr", "people", "{age: 30}", "--hint", hint).json_lines(), PEOPLE[1:2])
    plan = folder.reads("find", "a.vtr", "people", "{age: 30}", "--explain").json()
    check("by_age" in json.dumps(plan), str(plan))
    folder.reads("find", "a.vtr", "people", "{age: 30}", "--project", "{name: 1}", out='{"_id":2,"name":"Bob"}\n')
    folder.fails("conflict", "INDEX_WRITE_DUPLICATE", "insert", "a.vtr", "people", "{name: 'Ada', age: 1}",
                 files_change=True)
    folder.fails("conflict", "INDEX_CREATE_EXISTS", "index", "a.vtr", "people", "create", "by_age", "{name: 1}",
                 files_change=True)
    folder.ok("index", "a.vtr", "people", "drop", "by_age", out="")
    folder.fails("not_found", "INDEX_OPEN_NOT_FOUND", "index", "a.vtr", "people", "drop", "by_age", files_change=True)
    for words in (("create", "x"), ("drop",), ("list", "x"), ("make",), ("list", "--unique")):
        folder.fails("invalid_input", "ARGUMENT_CHECK_INVALID", "index", "a.vtr", "people", *words)
    folder.verified("a.vtr")


def case_changes_are_watched_once_each_and_in_order(folder):
    people(folder)
    folder.fails("invalid_input", "HANDLE_USE_INVALID", "watch", "a.vtr", "people", "--once")
    folder.ok("watch", "a.vtr", "--keep", "100")
    folder.ok("update", "a.vtr", "people", "{_id: 1}", "{$set: {age: 37}}")
    folder.ok("insert", "a.vtr", "others", "{_id: 7}")
    folder.ok("remove", "a.vtr", "people", "{_id: 2}")
    changes = folder.reads("watch", "a.vtr", "--once").json_lines()
    check_equal([(c["kind"], c["collection"]) for c in changes if c["kind"] != "create"],
                [("update", "people"), ("insert", "others"), ("remove", "people")])
    check_equal(changes[0]["document"]["age"], 37)
    check_equal(folder.reads("watch", "a.vtr", "--limit", "1").json_lines(), changes[:1])
    rest = folder.reads("watch", "a.vtr", "--after", changes[0]["token"], "--once").json_lines()
    check_equal(rest, changes[1:])
    one = folder.reads("watch", "a.vtr", "people", "{_id: 2}", "--once").json_lines()
    check_equal([c["kind"] for c in one], ["remove"])
    folder.verified("a.vtr")
