# SPDX-License-Identifier: MIT OR Apache-2.0
"""`sql`: statements from arguments and standard input, and their three kinds of output."""
import json

from harness import check, check_equal


def filled(folder):
    folder.ok("init", "a.vtr")
    documents = [{"_id": i, "name": f"name {i}", "age": 20 + i % 3, "city": {"name": "Rome"}} for i in range(6)]
    folder.ok("insert", "a.vtr", "people", stdin="\n".join(map(json.dumps, documents)).encode())
    return "a.vtr"


def case_rows_come_as_a_table_csv_and_json(folder):
    db = filled(folder)
    query = "select age, count(*) as people from people group by age order by age"
    check_equal(folder.ok("sql", db, query).out.decode(), "age  people\n20   2\n21   2\n22   2\n")
    check_equal(folder.ok("sql", db, query, "--csv").out.decode(), "age,people\r\n20,2\r\n21,2\r\n22,2\r\n")
    lines = folder.ok("sql", db, query, "--json").out.decode().splitlines()
    check_equal([json.loads(line) for line in lines], [{"age": 20 + i, "people": 2} for i in range(3)])


def case_statements_write_and_come_from_standard_input(folder):
    db = filled(folder)
    folder.ok("sql", db, stdin=b"begin; update people set age = 50 where _id = 1;"
                               b"delete from people where _id > 3; commit;")
    check_equal(folder.ok("sql", db, "select sum(age), count(*) from people", "--csv").out.decode().splitlines()[1],
                "112,4")
    folder.ok("sql", db, "insert into people(name, age) values ('Ada', 36)")
    check_equal(folder.ok("count", db, "people", '{"name": "Ada"}').out, b"1\n")
    folder.ok("verify", db, "--level", "deep")


def case_internals_are_tables(folder):
    db = filled(folder)
    out = folder.ok("sql", db, "select type, count(*) n, avg(fill) fill from vitrine_pages group by type", "--json").out
    types = {row["type"]: row for row in map(json.loads, out.decode().splitlines())}
    check(types["leaf"]["n"] >= 1 and 0 < types["leaf"]["fill"] <= 1, f"{types}")


def case_a_plan_names_the_index(folder):
    db = filled(folder)
    folder.ok("sql", db, "select 1")
    out = folder.ok("sql", db, "explain query plan select * from people where _id = 3", "--csv").out.decode()
    check("by id" in out, out)


def case_wrong_statements_are_refused(folder):
    db = filled(folder)
    for statement in ("selekt 1", "select * from nobody", "create table t(x)", "attach 'b.db' as b"):
        folder.fails("invalid_input", "SQL_RUN_REJECTED", "sql", db, statement)
    folder.fails("not_found", "FILE_OPEN_NOT_FOUND", "sql", "typo.vtr", "select 1")
