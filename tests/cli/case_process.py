# SPDX-License-Identifier: MIT OR Apache-2.0
"""The program among others: closed and full outputs, readers that go away, signals, terminals, memory."""
import os
import pty
import select
import signal
import subprocess
import time

from harness import check, check_equal


def many(folder, count=30000):
    folder.ok("init", "a.vtr")
    folder.ok("put", "a.vtr", "--stdin", stdin=b"".join(b"%06d\tvalue\n" % i for i in range(count)))


def case_version_and_help_go_to_stdout(folder):
    check(folder.ok("--version").out.startswith(b"vitrine "), "version")
    text = folder.ok("--help").out.decode()
    for command in ("init", "put", "get", "delete", "list", "stats", "info", "verify", "checkpoint", "compact",
                    "vacuum", "backup", "export", "import", "bench", "completion"):
        check(f"\n  {command} " in text, f"{command} in --help")
        check(folder.ok(command, "--help").out.decode().startswith(f"vitrine {command} "), f"{command} --help")


def case_a_reader_that_goes_away_ends_the_command_quietly(folder):
    many(folder)
    lister = folder.start("list", "a.vtr")
    check_equal(lister.stdout.readline(), b"000000\tvalue\n")
    lister.stdout.close()
    check_equal(lister.stderr.read(), b"")
    check_equal(lister.wait(60), 9)
    lister.stdin.close()
    lister.stderr.close()


def case_output_to_a_full_disk_is_an_error(folder):
    many(folder)
    with open("/dev/full", "wb") as full:
        for words in (("list", "a.vtr"), ("get", "a.vtr", "000001"), ("--help",)):
            done = subprocess.run([folder.program, *words], cwd=folder.path, stdout=full, stderr=subprocess.PIPE,
                                  check=False)
            check_equal(done.returncode, 9, f"{words}: {done}")
            check(b"FILE_WRITE_FULL" in done.stderr, str(done))


def case_closed_standard_streams_never_become_a_database(folder):
    folder.database({b"a": b"1"})
    for closing in ("<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"):
        for command in ("get a.vtr a", "list a.vtr", "put a.vtr b 2", "put a.vtr c", "stats a.vtr", "nonsense"):
            subprocess.run(["sh", "-c", f'"$0" {command} {closing}', folder.program], cwd=folder.path, timeout=60,
                           capture_output=True, check=False)
    check_equal(folder.content("a.vtr")[b"a"], b"1")
    folder.verified("a.vtr")
    done = subprocess.run(["sh", "-c", '"$0" get a.vtr a >&-', folder.program], cwd=folder.path, capture_output=True,
                          check=False)
    check_equal(done.returncode, 9, str(done))


def case_an_acknowledgement_that_cannot_be_given_is_an_error(folder):
    folder.database()
    writer = folder.start("put", "a.vtr", "--stdin", "--ack")
    writer.stdout.close()
    try:
        writer.stdin.write(b"".join(b"%d\tv\n" % i for i in range(1000)))
        writer.stdin.close()
    except BrokenPipeError:
        pass
    check_equal(writer.wait(60), 9)
    writer.stderr.close()
    check(len(folder.content("a.vtr")) <= 1, "it stopped at the first")
    folder.verified("a.vtr")


def read_terminal(master, process):
    """Everything the process writes to the terminal until it ends."""
    seen = b""
    while True:
        ready, _, _ = select.select([master], [], [], 0.1)
        if ready:
            try:
                piece = os.read(master, 65536)
            except OSError:
                return seen
            if not piece:
                return seen
            seen += piece
        elif process.poll() is not None:
            return seen


def on_terminal(folder, *words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE):
    master, slave = pty.openpty()
    process = subprocess.Popen([folder.program, *words], cwd=folder.path, stdin=stdin, stdout=stdout, stderr=slave)
    os.close(slave)
    seen = read_terminal(master, process)
    out = process.stdout.read() if process.stdout else b""
    process.wait(60)
    os.close(master)
    if process.stdout:
        process.stdout.close()
    return process.returncode, out, seen


def case_progress_is_drawn_on_a_terminal_only(folder):
    many(folder)
    (folder / "lines").write_bytes(b"".join(b"%08d\tvalue\n" % i for i in range(300000)))
    with open(folder / "lines", "rb") as lines:
        code, out, seen = on_terminal(folder, "put", "a.vtr", "--stdin", stdin=lines)
    check_equal((code, out), (0, b""))
    check(b"\r\x1b[Kput [" in seen and b"%" in seen and b"/s  ETA " in seen, seen[:300])
    check(b"300,000 entries in 300 commits" in seen, seen[-300:])
    cat = subprocess.Popen(["cat", "lines"], cwd=folder.path, stdout=subprocess.PIPE)
    code, out, seen = on_terminal(folder, "put", "a.vtr", "--stdin", stdin=cat.stdout)
    cat.stdout.close()
    check_equal((code, out, cat.wait(60)), (0, b"", 0))
    check(b"\r\x1b[Kput  " in seen and b" entries  " in seen and b"ETA" not in seen, seen[:300])
    code, out, seen = on_terminal(folder, "verify", "a.vtr")
    check_equal(code, 0)
    check(b"verify [" in seen and b"%" in seen and seen.endswith(b"\r\x1b[K"), seen[:300])
    check(b"\x1b" not in out, "nothing is coloured on stdout")
    run = folder.ok("verify", "a.vtr")
    check_equal((run.err, b"\x1b" in run.out), (b"", False))


def case_put_on_a_terminal_asks_for_a_value(folder):
    folder.database()
    master, slave = pty.openpty()
    done = subprocess.run([folder.program, "put", "a.vtr", "key"], cwd=folder.path, stdin=slave, capture_output=True,
                          timeout=60, check=False)
    os.close(slave)
    os.close(master)
    check_equal(done.returncode, 2, str(done))


def case_an_interrupt_ends_long_work_cleanly(folder):
    folder.ok("init", "a.vtr")
    (folder / "lines").write_bytes(b"".join(b"%08d\t%s\n" % (i, b"v" * 200) for i in range(400000)))
    for number, sent in ((0, signal.SIGINT), (1, signal.SIGTERM)):
        with open(folder / "lines", "rb") as lines:
            writer = folder.start("put", "a.vtr", "--stdin", "--commit-every", "1000000", stdin=lines)
            time.sleep(0.3)
            writer.send_signal(sent)
            out, err = writer.communicate(timeout=60)
        check_equal((writer.returncode, out), (8, b""), f"{number}: {err}")
        check(err.startswith(b"vitrine: OPERATION_RUN_CANCELLED: "), err)
        check_equal(folder.content("a.vtr"), {})
    folder.verified("a.vtr")


def case_an_interrupted_export_leaves_no_file(folder):
    folder.ok("init", "a.vtr")
    folder.ok("put", "a.vtr", "--stdin", stdin=b"".join(b"%08d\t%s\n" % (i, b"v" * 300) for i in range(200000)))
    for command in ("export", "backup"):
        process = folder.start(command, "a.vtr", "out")
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        check(process.returncode in (0, 8), f"{command}: {process.returncode} {err}")
        if process.returncode == 8:
            check_equal(sorted(folder.files()), ["a.vtr"], f"files after an interrupted {command}")
        else:
            (folder / "out").unlink()  # it was faster than the signal


def peak_kib(folder, *words, stdin):
    """The most memory the program held. Looked up while it runs: what wait() tells includes this interpreter."""
    process = subprocess.Popen([folder.program, *words], cwd=folder.path, stdin=stdin, stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
            peak = max([peak] + [int(line.split()[1]) for line in status if line.startswith("VmHWM:")])
        time.sleep(0.002)
    check_equal(process.returncode, 0, str(words))
    return peak


def case_large_values_need_little_memory(folder):
    folder.database()
    size = 128 << 20
    piece = folder.random.randbytes(1 << 20)
    with open(folder / "large", "wb") as file:
        for _ in range(size >> 20):
            file.write(piece)
    bound_kib = 48 << 10  # the program itself, its libraries, 4 MiB of cache and the buffers
    with open(folder / "large", "rb") as large:
        used = peak_kib(folder, "put", "a.vtr", "key", "--cache-size", "4MiB", stdin=large)
    check(used < bound_kib, f"put of {size >> 20} MiB took {used} KiB")
    used = peak_kib(folder, "get", "a.vtr", "key", "--cache-size", "4MiB", "--file", "copy", stdin=subprocess.DEVNULL)
    check(used < bound_kib, f"get of {size >> 20} MiB took {used} KiB")
    with open(folder / "large", "rb") as one, open(folder / "copy", "rb") as other:
        while chunk := one.read(1 << 20):
            check(chunk == other.read(1 << 20), "the value came back changed")
