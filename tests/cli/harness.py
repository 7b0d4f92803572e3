# SPDX-License-Identifier: MIT OR Apache-2.0
"""What every case needs: a folder of its own, a way to run the program, and checks that say what went wrong.

A case is a function whose name starts with case_; its one argument is a Folder. The name says the behaviour.
"""
import concurrent.futures
import dataclasses
import functools
import hashlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import time
import traceback

import jsonschema

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "docs" / "schemas"
TIMEOUT_S = 120
UPDATE = False  # --update: golden files are written, not compared
ENVELOPED = ("inspect", "hex", "verify", "repair", "salvage", "stats", "info", "diff")
EXIT_CODES = {"internal": 1, "invalid_input": 2, "incomplete": 3, "not_found": 4, "permission_denied": 5,
              "conflict": 6, "unsupported": 7, "busy": 8, "external_failure": 9, "integrity_failure": 10}


class Skipped(Exception):
    """The machine cannot show this behaviour; says why."""


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def check_equal(actual, expected, what="value"):
    if actual != expected:
        raise AssertionError(f"{what}: expected {shorten(expected)}, got {shorten(actual)}")


@functools.lru_cache(None)
def validator(name):
    """The published schema docs/schemas/NAME."""
    schema = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def shorten(value, limit=600):
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"


@dataclasses.dataclass
class Run:
    words: list
    code: int
    out: bytes
    err: bytes

    def __str__(self):
        return f"{' '.join(map(str, self.words))}: exit {self.code}, out {shorten(self.out)}, err {shorten(self.err)}"

    def json(self):
        return json.loads(self.out)

    def json_lines(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def envelope(self):
        """The answer about the state of a file, the last line: checked against the schemas, and against stderr."""
        whole = self.json_lines()[-1]
        validator("envelope.json").validate(whole)
        check_equal(whole["command"].split()[0], self.words[0], "command")
        check_equal(whole["ok"], self.code == 0, f"ok ({self})")
        if not whole["ok"]:
            check_equal(json.loads(self.err)["error"], whole["error"], "the error on both outputs")
        if whole["payload"] is not None:
            schema = "inspect-page" if whole["command"] == "hex" else "-".join(whole["command"].split())
            validator(f"{schema}.json").validate(whole["payload"])
        return whole

    def payload(self):
        return self.envelope()["payload"]


class Folder:
    """The scratch folder of one case, and the program as it runs there."""

    def __init__(self, program, path, seed):
        self.program = program
        self.path = path
        self.random = random.Random(seed)

    def __truediv__(self, name):
        return self.path / name

    def run(self, *words, stdin=b"", wrapper=(), **options):
        """Runs the program to its end. stdin=None leaves standard input closed to reading (/dev/null)."""
        command = [*wrapper, self.program, *words]
        if stdin is None:
            options["stdin"] = subprocess.DEVNULL
        else:
            options["input"] = stdin
        done = subprocess.run(command, cwd=self.path, capture_output=True, timeout=TIMEOUT_S, check=False, **options)
        return Run(list(words), done.returncode, done.stdout, done.stderr)

    def start(self, *words, **options):
        pipes = {name: subprocess.PIPE for name in ("stdin", "stdout", "stderr")}
        return subprocess.Popen([self.program, *words], cwd=self.path, **(pipes | options))

    def ok(self, *words, out=None, **options):
        """The command succeeds, says nothing on stderr, and prints `out` if that is given."""
        run = self.run(*words, **options)
        check(run.code == 0 and run.err == b"", f"should succeed quietly: {run}")
        if out is not None:
            check_equal(run.out, out.encode() if isinstance(out, str) else out, f"stdout ({' '.join(map(str, words))})")
        return run

    def reads(self, *words, **options):
        """As ok(), and no file changes, comes or goes."""
        before = self.files()
        run = self.ok(*words, **options)
        check_equal(self.files(), before, f"files after {' '.join(map(str, words))}")
        return run

    def reads_with(self, new, *words, **options):
        """As reads(), but the files named in `new` come into being."""
        before = self.files()
        run = self.ok(*words, **options)
        after = self.files()
        check_equal({name: after[name] for name in after if name not in new}, before, "files that were there before")
        check(all(name in after for name in new), f"{new} must exist")
        return run

    def fails(self, status, name, *words, files_change=False, **options):
        """The command fails with error `name` of kind `status`, in text and again in JSON: right exit code, nothing on
        stdout, one line on stderr, and all files as they were. Returns the details of the error."""
        before = self.files()
        run = self.run(*words, **options)
        check_equal(run.code, EXIT_CODES[status], f"exit code ({run})")
        check_equal(run.out, b"", f"stdout ({run})")
        check(run.err.startswith(f"vitrine: {name}: ".encode()) and run.err.count(b"\n") == 1 and
              run.err.endswith(b"\n"), f"one line with {name} on stderr ({run})")
        run = self.run(words[0], "--json", *words[1:], **options)
        check_equal(run.code, EXIT_CODES[status], f"exit code with --json ({run})")
        answer = json.loads(run.err)
        if words[0] in ENVELOPED and run.out:  # a wrong call has no answer
            check_equal(run.envelope()["payload"], None, f"payload ({run})")
        else:
            check_equal(run.out, b"", f"stdout with --json ({run})")
        check_equal((answer["ok"], answer["error"]["code"], answer["error"]["status"]), (False, name, status), "error")
        check_equal(set(answer["error"]) - {"cause"},
                    {"code", "status", "message", "details", "retryable", "advice"}, "fields of an error")
        check(answer["error"]["message"] and answer["error"]["advice"], "an error has a message and advice")
        if not files_change:
            check_equal(self.files(), before, f"files after {' '.join(map(str, words))}")
        return answer["error"]["details"]

    def files(self):
        """Names and content hashes of everything in the folder."""
        found = {}
        for path in sorted(self.path.rglob("*")):
            if path.is_symlink():
                found[path.name] = ("link", os.readlink(path))
            elif path.is_file():
                found[path.name] = ("file", hashlib.sha256(path.read_bytes()).hexdigest())
            else:
                found[path.name] = ("other", "")
        return found

    def database(self, entries=(), name="a.vtr", options=()):
        """A new database with `entries` (a dict or pairs of bytes)."""
        self.ok("init", name, *options)
        pairs = dict(entries)
        if pairs:
            lines = b"".join(key.hex().encode() + b"\t" + value.hex().encode() + b"\n" for key, value in pairs.items())
            self.ok("put", name, "--stdin", "--hex", stdin=lines)
        return name

    def content(self, name, *words):
        """All entries of a database as a dict."""
        lines = self.ok("list", name, "--hex", *words).out.splitlines()
        return {bytes.fromhex(key.decode()): bytes.fromhex(value.decode())
                for key, value in (line.split(b"\t") for line in lines)}

    def verified(self, name, *unlock):
        report = self.ok("verify", name, *unlock, "--json").payload()
        check(report["clean"] and report["complete"] and report["findings"] == [], f"verify: {report}")
        return report


def cases_of(modules, pattern):
    for module in modules:
        for name, function in vars(module).items():
            if name.startswith("case_") and callable(function) and pattern in name:
                yield name.removeprefix("case_"), function


def run_case(function, program, seed):
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="vitrine-cli-"))
    scratch.chmod(0o755)  # cases that run as another user look inside
    try:
        function(Folder(program, scratch, seed))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def judged(function, program, seed):
    """(result, note, seconds) of one case."""
    started = time.monotonic()
    result, note = "passed", ""
    try:
        run_case(function, program, seed)
    except Skipped as reason:
        result, note = "skipped", str(reason)
    except (AssertionError, subprocess.TimeoutExpired, ValueError, KeyError, OSError) as error:
        place = traceback.extract_tb(error.__traceback__)
        lines = [f"{pathlib.Path(f.filename).name}:{f.lineno}" for f in place if "case_" in f.filename]
        result, note = "failed", f"{type(error).__name__} at {', '.join(lines)}: {error}"
    return result, note, time.monotonic() - started


def run_all(modules, program, pattern):
    seed = int(os.environ.get("VITRINE_SEED") or time.time_ns())
    print(f"VITRINE_SEED={seed}", flush=True)
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    # Cases wait more than they work, so there are more of them at once than processors.
    with concurrent.futures.ProcessPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        cases = [(name, pool.submit(judged, function, program, seed)) for name, function in cases_of(modules, pattern)]
        for name, case in cases:
            result, note, seconds = case.result()
            counts[result] += 1
            if result != "passed" or seconds > 5:
                print(f"{result}: {name} ({seconds:.1f} s) {note}", flush=True)
    if counts["passed"] + counts["failed"] == 0:
        counts["failed"] = 1
        print(f"no case contains '{pattern}'")
    if counts["skipped"]:
        print(f"{counts['skipped']} skipped")
    print(f"{counts['passed']} passed, {counts['failed']} failed")
    return 1 if counts["failed"] else 0
