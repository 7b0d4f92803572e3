# SPDX-License-Identifier: MIT OR Apache-2.0
"""shell: statements from --eval, from a pipe, and typed at a terminal."""
import json
import os
import pty
import select
import time

from harness import check, check_equal

ADA, BOB = {"_id": 1, "name": "Ada", "age": 36}, {"_id": 2, "name": "Bob", "age": 30}


def shell(folder, *statements, **options):
    """The values that the statements print."""
    words = [word for statement in statements for word in ("--eval", statement)]
    return folder.ok("shell", "a.vtr", *words, **options).json_lines()


def people(folder):
    folder.ok("init", "a.vtr")
    check_equal(shell(folder, "db.createCollection('people'); db.people.insert([%s, %s])" % (json.dumps(ADA),
                                                                                           json.dumps(BOB))),
                [{"created": "people"}, {"inserted": [1, 2]}])


def case_a_shell_runs_the_statements_of_its_arguments(folder):
    people(folder)
    check_equal(shell(folder, "db.people.find({age: {$gt: 31}}); db.people.count()", "db.collections()"),
                [ADA, 2, "people"])
    check_equal(shell(folder, "db.people.find().sort({age: 1}).limit(1)", "db.people.find().skip(1).count()"), [BOB, 1])
    check_equal(shell(folder, "db.people.findOne({name: 'Bob'})", "db.people.distinct('name')"), [BOB, ["Ada", "Bob"]])
    folder.verified("a.vtr")


def case_a_shell_changes_documents(folder):
    people(folder)
    check_equal(shell(folder, "db.people.update(1, {$inc: {age: 1}})", "db.people.get(1)"),
                [{"matched": 1, "modified": 1}, dict(ADA, age=37)])
    check_equal(shell(folder, "db.people.update(2, {name: 'Rob'})", "db.people.get(2)"),
                [{"matched": 1, "modified": 1}, {"_id": 2, "name": "Rob"}])
    check_equal(shell(folder, "db.people.updateMany({}, {$set: {x: 1}})", "db.people.upsert({_id: 3})")[:2],
                [{"matched": 2, "modified": 2}, {"matched": 0, "modified": 0}])
    check_equal(shell(folder, "db.people.delete(3)", "db.people.delete({x: 1})", "db.people.delete('none')"),
                [{"deleted": 1}, {"deleted": 2}, {"deleted": 0}])
    check_equal(shell(folder, "db.renameCollection('people', 'staff'); db.staff.drop(); db.collections()"),
                [{"renamed": "people", "to": "staff"}, {"dropped": "staff"}])
    folder.verified("a.vtr")


def case_an_id_may_be_cut_short(folder):
    folder.ok("init", "a.vtr")
    inserted = shell(folder, "db.x.insert({a: 1}); db.x.insert({_id: 'alpha'}); db.x.insert({_id: 'alpine'})")
    uuid = inserted[0]["inserted"]["$uuid"]
    for beginning in (uuid, uuid[:8], uuid[:5].upper(), uuid.replace("-", "")):
        check_equal(shell(folder, f"db.x.get('{beginning}')")[0]["a"], 1)
    check_equal(shell(folder, "db.x.get('alpi')"), [{"_id": "alpine"}])
    folder.fails("invalid_input", "ARGUMENT_CHECK_INVALID", "shell", "a.vtr", "--eval", "db.x.get('alp')",
                 files_change=True)
    folder.fails("not_found", "KEY_GET_NOT_FOUND", "shell", "a.vtr", "--eval", "db.x.get('beta')", files_change=True)


def case_references_are_followed(folder):
    folder.ok("init", "a.vtr")
    shell(folder, "db.users.insert({_id: 7, name: 'Ada', boss: $ref('users', 8)})", "db.users.insert({_id: 8})")
    shell(folder, "db.posts.insert({_id: 1, by: $ref('users', 7)})")
    check_equal(shell(folder, "db.posts.resolve(1)", "db.posts.resolveDeep(1)"),
                [{"_id": 1, "by": {"_id": 7, "name": "Ada", "boss": {"$ref": "users", "$id": 8}}},
                 {"_id": 1, "by": {"_id": 7, "name": "Ada", "boss": {"_id": 8}}}])


def case_keys_expire(folder):
    folder.ok("init", "a.vtr")
    check_equal(shell(folder, "SET a {n: 1} EX 1000", "SET b 2 ex 1; GET a")[2:], [{"n": 1}])
    time.sleep(1.1)
    check_equal(shell(folder, "KEYS", "COUNT"), ["a", 1])
    for wrong in ("SET a 1 EX 0", "SET a 1 EX 'soon'"):
        folder.fails("invalid_input", "ARGUMENT_CHECK_INVALID", "shell", "a.vtr", "--eval", wrong, files_change=True)


def case_a_shell_watches_changes(folder):
    folder.ok("init", "a.vtr")
    seen = shell(folder, "db.keepChanges(10); db.x.insert({_id: 1}); db.y.insert({_id: 2}); db.x.watch()",
                 "db.watch({_id: 2}); db.x.watch(); db.x.delete(1); db.x.watch()")
    changes = [(line["kind"], line["collection"], line["document"]) for line in seen if "kind" in line]
    check_equal(changes, [("create", "x", None), ("insert", "x", {"_id": 1}), ("create", "x", None),
                          ("create", "y", None), ("insert", "y", {"_id": 2}), ("remove", "x", {"_id": 1})])
    refused = folder.run("shell", "a.vtr", "--eval", "begin; db.watch()")
    check(b"HANDLE_USE_INVALID" in refused.err, str(refused))


def case_indexes_are_made_and_asked(folder):
    people(folder)
    check_equal(shell(folder, "db.people.createIndex('by_age', 'age')",
                      "begin; db.people.createIndex('by_name', {name: 1}, 'unique'); commit")[:3],
                [{"created": "by_age"}, {"transaction": "begun"}, {"created": "by_name"}])
    check_equal([index["name"] for index in shell(folder, "db.people.indexes()")], ["by_age", "by_name"])
    check_equal(shell(folder, "db.people.query('by_age', 30)", "db.people.queryRange('by_age', 30, 36)",
                      "db.people.queryRange('by_age', 30, 37)"), [BOB, BOB, BOB, ADA])
    for statement in ("explain db.people.find({age: 30})", "db.people.find({age: 30}).explain()"):
        check("by_age" in json.dumps(shell(folder, statement)), statement)
    check_equal(shell(folder, "db.people.find({age: 30}, {name: 1})", "db.people.find().project({age: 1}).limit(1)"),
                [{"_id": 2, "name": "Bob"}, {"_id": 1, "age": 36}])
    check_equal(shell(folder, "db.people.dropIndex('by_age')"), [{"dropped": "by_age"}])
    check_equal(shell(folder, "INDEX role; SET a {role: 'x'}; FIND role 'x'")[2], {"_id": "a", "value": {"role": "x"}})
    folder.verified("a.vtr")


def case_keys_hold_any_value(folder):
    folder.ok("init", "a.vtr")
    check_equal(shell(folder, "KEYS; COUNT; FIND a 1"), [0])
    check_equal(shell(folder, "SET user:1 {role: 'admin', n: 1}; SET n 5; set 'odd key' [1, 'x']"),
                [{"set": "user:1"}, {"set": "n"}, {"set": "odd key"}])
    check_equal(shell(folder, "GET user:1; GET n; GET 'odd key'; KEYS; COUNT"),
                [{"role": "admin", "n": 1}, 5, [1, "x"], "n", "odd key", "user:1", 3])
    check_equal(shell(folder, "FIND role 'admin'; DELETE user:1; COUNT")[1:], [{"deleted": 1}, 2])
    for statement in ("GET user:1", "DELETE user:1"):
        folder.fails("not_found", "KEY_GET_NOT_FOUND", "shell", "a.vtr", "--eval", statement, files_change=True)
    folder.verified("a.vtr")


def case_transactions_span_statements(folder):
    people(folder)
    check_equal(shell(folder, "begin; db.people.insert({_id: 3}); SET k 1; rollback; db.people.count(); COUNT")[-2:],
                [2, 0])
    check_equal(shell(folder, "begin; db.people.insert({_id: 3}); db.people.count(); commit")[2], 3)
    # What is open when the shell ends is undone, also when a statement failed.
    shell(folder, "begin; db.people.delete({})")
    run = folder.run("shell", "a.vtr", "--eval", "begin; db.people.delete({}); db.people.insert({_id: []})")
    check_equal(run.code, 2)
    folder.reads("count", "a.vtr", "people", out="3\n")
    folder.fails("invalid_input", "HANDLE_USE_INVALID", "shell", "a.vtr", "--eval", "commit", files_change=True)
    folder.verified("a.vtr")


def case_the_first_failure_ends_a_script_and_gives_its_exit_code(folder):
    people(folder)
    run = folder.run("shell", "a.vtr", "--json", "--eval", "db.people.count()", "--eval",
                     "db.people.count();\n db.people.insert({_id: 1}); db.people.count()", "--eval", "COUNT")
    check_equal((run.code, run.out), (6, b"2\n2\n"))
    error = json.loads(run.err)["error"]
    check_equal((error["code"], error["details"]["line"], error["details"]["column"], error["details"]["eval"]),
                ("DOCUMENT_INSERT_EXISTS", "2", "2", "2"))
    run = folder.run("shell", "a.vtr", stdin=b"db.people.count()\n\ndb.people.find({age: ?})\nCOUNT\n")
    check_equal((run.code, run.out), (2, b"2\n"))
    check(b"JSON_READ_MALFORMED" in run.err and b"line=3, column=22" in run.err, str(run))


def case_a_pipe_may_spread_a_statement_over_lines(folder):
    people(folder)
    script = b"// a comment\ndb.people.insert({\n  _id: 3,\n  name: 'two\nlines',\n})\n?\n"
    run = folder.run("shell", "a.vtr", stdin=script)
    check_equal((run.code, run.out), (2, b'{"inserted":3}\n'))
    check(b"line=7" in run.err, str(run))
    folder.ok("shell", "a.vtr", stdin=b"exit\nnonsense", out="")
    run = folder.run("shell", "a.vtr", stdin=b"db.people.find({")
    check_equal((run.code, run.out), (2, b""))


def case_a_read_only_shell_works_beside_a_writer(folder):
    people(folder)
    writer = folder.start("shell", "a.vtr")
    writer.stdin.write(b"db.people.insert({_id: 3})\n")
    writer.stdin.flush()
    check_equal(writer.stdout.readline(), b'{"inserted":3}\n')
    run = folder.run("shell", "a.vtr", "--eval", "COUNT")
    check_equal(run.code, 8)
    check_equal(folder.run("shell", "a.vtr", "--read-only", "--eval", "db.people.count()").out, b"3\n")
    run = folder.run("shell", "a.vtr", "--read-only", "--eval", "SET a 1")
    check_equal(run.code, 5)
    writer.stdin.close()
    check_equal(writer.wait(timeout=60), 0)


def case_use_opens_another_database(folder):
    people(folder)
    folder.ok("init", "other.vtr")
    check_equal(shell(folder, "use other; db.x.insert({_id: 1}); use a.vtr; db.people.count()"),
                [{"database": "other.vtr"}, {"inserted": 1}, {"database": "a.vtr"}, 2])
    folder.reads("count", "other.vtr", "x", out="1\n")
    folder.fails("not_found", "FILE_OPEN_NOT_FOUND", "shell", "a.vtr", "--eval", "use missing", files_change=True)


class Typed:
    """A shell at a terminal of its own."""

    def __init__(self, folder, *options):
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.chdir(folder.path)
            os.environ.update(TERM="xterm", HOME=str(folder.path), VITRINE_HISTORY=str(folder / "history"))
            os.execv(str(folder.program), ["vitrine", "shell", "a.vtr", *options])
        self.seen = b""

    def wait_for(self, text, timeout_s=30):
        end = time.monotonic() + timeout_s
        while text not in self.seen:
            ready, _, _ = select.select([self.terminal], [], [], max(0, end - time.monotonic()))
            check(ready, f"{text!r} does not come: {self.seen!r}")
            self.seen += os.read(self.terminal, 4096)
        before, self.seen = self.seen.split(text, 1)
        return before

    def type(self, keys):
        os.write(self.terminal, keys)

    def exit_code(self):
        while True:
            try:
                if not os.read(self.terminal, 4096):
                    break
            except OSError:
                break
        os.close(self.terminal)
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])


def case_a_person_types_with_completion_history_and_several_lines(folder):
    people(folder)
    typed = Typed(folder)
    typed.wait_for(b"a> ")
    typed.type(b"db.peo\tfin\t({na\t: 'Ada'\n")
    typed.wait_for(b"... ")
    typed.type(b"})\n")
    typed.wait_for(b'{"_id":1,"name":"Ada","age":36}')
    typed.wait_for(b"a> ")
    typed.type(b"begin\n")
    typed.wait_for(b"a*> ")
    typed.type(b"db.people.nonsense()\n")
    typed.wait_for(b"ARGUMENT_CHECK_INVALID")
    typed.wait_for(b"a*> ")
    typed.type(b"half a line\x03")
    typed.wait_for(b"a*> ")
    typed.type(b"rollback\n")
    typed.wait_for(b"Transaction rolled back")
    typed.wait_for(b"a> ")
    typed.type(b"\x1b[A\n")
    typed.wait_for(b"rollback")
    typed.wait_for(b"a> ")
    typed.type(b"\x04")
    check_equal(typed.exit_code(), 0)
    check(b"begin" in (folder / "history").read_bytes(), "the history is kept")


def case_the_shell_keeps_no_history_of_an_encrypted_database(folder):
    (folder / "key").write_bytes(folder.random.randbytes(64))
    folder.ok("init", "a.vtr", "--encrypt", "--keyfile", "key")
    typed = Typed(folder, "--keyfile", "key")
    typed.wait_for(b"a> ")
    typed.type(b"SET key to-be-hidden\n")
    typed.wait_for(b"a> ")
    typed.type(b"\x04")
    check_equal(typed.exit_code(), 0)
    for name in folder.files():
        check(b"to-be-hidden" not in (folder / name).read_bytes(), name)
    check("history" not in folder.files(), "a history")
