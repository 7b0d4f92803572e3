# SPDX-License-Identifier: MIT OR Apache-2.0
"""Manual page and completion scripts tell of every command and option."""
import pathlib
import re
import shutil
import subprocess

from harness import Skipped, check, check_equal

MANUAL = pathlib.Path(__file__).resolve().parents[2] / "docs" / "man" / "vitrine.1"


def table(folder):
    """Commands and their options, as the program's own help lists them."""
    names = re.findall(r"^  ([a-z]+)  ", folder.ok("--help").out.decode(), re.MULTILINE)
    check(len(names) >= 17, f"commands: {names}")
    return {name: re.findall(r"^  (--[a-z0-9-]+)", folder.ok(name, "--help").out.decode(), re.MULTILINE)
            for name in names}


def case_the_manual_page_names_every_command_and_option(folder):
    manual = MANUAL.read_text(encoding="utf-8")
    for command, options in table(folder).items():
        check(re.search(rf"^\.It Cm {command}\b", manual, re.MULTILINE), f"{command} has no entry")
        for option in options:
            check(re.search(rf"Fl -{option.removeprefix('--')}\b", manual) or
                  re.search(rf"^\.Fl .*-{option.removeprefix('--')}\b", manual, re.MULTILINE), f"{option} is missing")
    for code in range(11):
        check(f".It {code}\n" in manual, f"exit status {code}")


def case_the_manual_page_names_nothing_that_is_gone(folder):
    options = {option for options in table(folder).values() for option in options} | {"--version", "--name"}
    for option in re.findall(r"Fl -([a-z][a-z0-9-]+)", MANUAL.read_text(encoding="utf-8")):
        check(f"--{option}" in options, f"--{option} is not an option of any command")


def case_the_manual_page_renders_without_warnings(folder):
    if shutil.which("groff") is None:
        raise Skipped("no groff")
    done = subprocess.run(["groff", "-mdoc", "-Tutf8", "-ww", str(MANUAL)], capture_output=True, check=False)
    check_equal((done.returncode, done.stderr), (0, b""))


def bash_answers(folder, *words):
    script = ('source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _vitrine 2>/dev/null; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script, str(folder / "completion"), *words], cwd=folder.path,
                          capture_output=True, check=False)
    check_equal(done.stderr, b"")
    return done.stdout.decode().split()


def case_bash_completes_commands_options_and_choices(folder):
    (folder / "completion").write_bytes(folder.ok("completion", "bash").out)
    (folder / "file.vtr").write_bytes(b"")
    check_equal(bash_answers(folder, "vitrine", "ver"), ["verify"])
    check_equal(set(bash_answers(folder, "vitrine", "")), set(table(folder)) | {"--help", "--version"})
    for command, options in table(folder).items():
        check_equal(set(bash_answers(folder, "vitrine", command, "--")), set(options), command)
    check_equal(bash_answers(folder, "vitrine", "put", "a.vtr", "--durability", "p"), ["periodic"])
    check_equal(bash_answers(folder, "vitrine", "list", "file"), ["file.vtr"])
    check_equal(bash_answers(folder, "vitrine", "list", "a.vtr", "--prefix", ""), [])
    check_equal(bash_answers(folder, "vitrine", "completion", "z"), ["zsh"])


def case_other_shells_accept_their_scripts(folder):
    tried = 0
    for shell, words in (("zsh", ["-n"]), ("fish", ["--no-execute"])):
        script = folder / shell
        script.write_bytes(folder.ok("completion", shell).out)
        for command, options in table(folder).items():
            for option in options[:-1]:  # --help is added by hand
                check(option.removeprefix("--") in script.read_text(), f"{command} {option} for {shell}")
        if shutil.which(shell):
            done = subprocess.run([shell, *words, str(script)], capture_output=True, check=False)
            check_equal((done.returncode, done.stderr), (0, b""), shell)
            tried += 1
    if tried == 0:
        raise Skipped("neither zsh nor fish is here; the names were compared")
