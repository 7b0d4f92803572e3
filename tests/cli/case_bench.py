# SPDX-License-Identifier: MIT OR Apache-2.0
"""bench: that it measures what it says, and cleans up. The figures themselves are not judged here."""
import signal
import time

from harness import check, check_equal

SMALL = ("--records", "20000", "--seconds", "1", "--threads", "1,4")


def case_bench_measures_and_removes_its_database(folder):
    answer = folder.ok("bench", "b.vtr", "--json", *SMALL).json()
    tests = [(row["test"], row["threads"]) for row in answer["results"]]
    check_equal(tests, [("sequential_put", 1), ("random_put", 1), ("random_get", 1), ("scan", 1), ("bare_fdatasync", 1),
                        ("durable_put", 1), ("bare_fdatasync", 1), ("durable_put", 4)])
    for row in answer["results"]:
        check(row["operations"] > 0 and row["seconds"] > 0 and row["per_second"] > 0, str(row))
    check_equal((answer["ok"], answer["records"], answer["value_size"]), (True, 20000, 100))
    check(answer["peak_load_memory_bytes"] > 0, str(answer))
    check_equal(folder.files(), {})


def case_bench_can_leave_its_database(folder):
    text = folder.ok("bench", "b.vtr", "--keep", *SMALL).out.decode()
    check("results\n" in text and "durable_put" in text, text)
    check_equal(folder.ok("list", "b.vtr", "--keyspace", "sequential", "--count").out, b"20000\n")
    folder.verified("b.vtr")


def case_an_interrupted_bench_leaves_nothing(folder):
    for delay_s in (0.1, 0.6, 1.5, 2.5):  # in the load, the bare loop, the durable puts, wherever the machine is then
        bench = folder.start("bench", "b.vtr", "--records", "5000", "--seconds", "1", "--threads", "2,3")
        time.sleep(delay_s)
        bench.send_signal(signal.SIGINT)
        out, err = bench.communicate(timeout=60)
        check_equal((bench.returncode, out), (8, b""), f"after {delay_s} s: {err}")
        check(err.startswith(b"vitrine: OPERATION_RUN_CANCELLED: "), err)
        check_equal(folder.files(), {}, f"after {delay_s} s")


def case_bench_never_touches_a_database_that_exists(folder):
    folder.database({b"a": b"1"})
    folder.fails("conflict", "FILE_CREATE_EXISTS", "bench", "a.vtr", *SMALL)
    for words in (("--records", "0"), ("--threads", "0"), ("--threads", "1,,2"), ("--threads", ""), ("--seconds", "0"),
                  ("--value-size", "1GiB")):
        folder.fails("invalid_input", "ARGUMENT_CHECK_INVALID", "bench", "new.vtr", *words)
