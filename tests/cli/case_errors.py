# SPDX-License-Identifier: MIT OR Apache-2.0
"""errors: the registry is one, whatever it is read from: program, documents, C header, and the errors themselves."""
import json
import pathlib
import re
import shutil
import subprocess

from harness import EXIT_CODES, Skipped, check, check_equal, validator

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADER = ROOT / "include" / "vitrine" / "error_codes.h"


def case_the_registry_of_the_program_is_the_documented_one(folder):
    shown = folder.ok("errors", "--json").json()
    validator("errors.json").validate(shown)
    check_equal(shown.pop("ok"), True)
    check_equal(shown, json.loads((ROOT / "docs" / "errors.json").read_text(encoding="utf-8")), "errors.json")
    document = (ROOT / "docs" / "ERRORS.md").read_text(encoding="utf-8")
    codes = HEADER.read_text(encoding="utf-8").split("enum vitrine_exit_code")[0]
    header = dict(re.findall(r"^  VITRINE_(\w+) = ([1-9]\d*),$", codes, re.MULTILINE))
    for row in shown["errors"]:
        check_equal(row["exit_code"], EXIT_CODES[row["status"]], row["name"])
        check_equal(header[row["name"]], str(row["number"]), f"{row['name']} in the C header")
        check(f"| {row['number']} | `{row['name']}` |" in document and row["advice"] in document, row["name"])
        check_equal(folder.ok("errors", row["name"], "--json").json(), {"ok": True} | row)
    check_equal(len(header), len(shown["errors"]), "codes in the C header")
    text = folder.ok("errors").out.decode()
    check(all(row["name"] in text and row["advice"] in text for row in shown["errors"]), "text shows all")
    check_equal(folder.run("errors", "NO_SUCH_ERROR").code, 2)


def case_the_codes_compile_as_c(folder):
    (folder / "use.c").write_text(f'''#include "{HEADER}"
int main(void) {{ return VITRINE_FILE_OPEN_NOT_FOUND == 5 && VITRINE_EXIT_OK == 0 ? 0 : 1; }}
''', encoding="utf-8")
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise Skipped("no C compiler")
    subprocess.run([compiler, "-std=c99", "-Wall", "-Wextra", "-Werror", "-o", folder / "use", folder / "use.c"],
                   check=True)
    check_equal(subprocess.run([folder / "use"], check=False).returncode, 0)


def case_an_error_says_what_to_do(folder):
    run = folder.run("get", "missing.vtr", "k", "--json")
    error = json.loads(run.err)["error"]
    check_equal(error["code"], "FILE_OPEN_NOT_FOUND")
    check("vitrine init" in error["advice"], f"{error}")
    check_equal((error["details"]["path"], error["details"]["operation"]), ("missing.vtr", "open"))
