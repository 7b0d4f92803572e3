# SPDX-License-Identifier: MIT OR Apache-2.0
"""view in a real terminal (tmux): says what inspect says, follows a writer, and leaves the terminal as it was.

Every step waits for what the screen must show, never for a time.
"""
import contextlib
import itertools
import os
import re
import shutil
import signal
import subprocess
import time

from case_inspect import filled, payload
from harness import Skipped, check, check_equal

DEADLINE_S = 60
COUNTER = itertools.count()  # a server that was told to end may still be there


class Terminal:
    """A program in a terminal of its own, with a shell behind it that says how it ended."""

    def __init__(self, folder, command, columns=80, rows=24, environment=()):
        self.folder = folder
        self.socket = str(folder / f"tmux{next(COUNTER)}")
        command = " ".join(["env", *(f"{name}={value}" for name, value in dict(environment).items()), command])
        # The settings of the terminal before and after must be the same.
        script = f"stty -a > before; {command}; echo ended with $?; stty -a > after; echo done; cat > /dev/null"
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows), script,
                  cwd=folder.path)

    def tmux(self, *words, **options):
        environment = os.environ | {"LC_ALL": "C.UTF-8", "TERM": "xterm"}
        return subprocess.run(["tmux", "-S", self.socket, *words], capture_output=True, text=True, check=True,
                              timeout=DEADLINE_S, env=environment, **options).stdout

    def screen(self):
        return self.tmux("capture-pane", "-p")

    def type(self, *keys):
        self.tmux("send-keys", *keys)

    def until(self, condition, what):
        """The first screen for which `condition`, a text or a function, holds."""
        holds = condition if callable(condition) else lambda screen: condition in screen
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end:
            screen = self.screen()
            if holds(screen):
                return screen
            time.sleep(0.02)
        raise AssertionError(f"the screen never showed {what}:\n{self.screen()}")

    def shows(self, text):
        return self.until(text, repr(text))

    def press(self, keys, text):
        self.type(keys)
        return self.shows(text)

    def ends(self, code):
        screen = self.shows("done")
        check(f"ended with {code}" in screen and "checkpoint" not in screen, f"the screen is given back:\n{screen}")
        after, before = (re.sub(r"rows \d+; columns \d+;", "", (self.folder / name).read_text())
                         for name in ("after", "before"))
        check_equal(after, before, "terminal settings")

    def process(self):
        shell = int(self.tmux("display-message", "-p", "#{pane_pid}"))
        for child in subprocess.run(["pgrep", "-P", str(shell)], capture_output=True, text=True,
                                    check=True).stdout.split():
            return int(child)
        raise AssertionError("no process runs in the terminal")


@contextlib.contextmanager
def viewer(folder, *words, **options):
    if shutil.which("tmux") is None:
        raise Skipped("there is no tmux")
    terminal = Terminal(folder, " ".join([str(folder.program), "view", "a.vtr", *words]), **options)
    try:
        yield terminal
    finally:
        subprocess.run(["tmux", "-S", terminal.socket, "kill-server"], capture_output=True, check=False)


def words_of(text):
    return re.findall(r"[^\s,]+", text)


def case_view_shows_in_every_panel_what_inspect_says(folder):
    filled(folder, 600)
    with viewer(folder) as terminal:
        screen = terminal.shows("1>header")
        header = payload(folder, "header", "a.vtr")
        for name in ("file_id", "page_size", "page_count", "checkpoint", "commit_seq", "entries", "log_position"):
            check(re.search(rf"^..{name} +{header['chosen'][name]}$", screen, re.M), f"{name}: {screen}")
        for block in header["blocks"]:
            check(f"slot {block['slot']} copy {block['copy']} at byte {block['offset']}: {block['state']}" in screen,
                  f"{block} {screen}")

        pages = payload(folder, "pages", "a.vtr")
        screen = terminal.press("2", "2>map")
        letters = {"leaf": "L", "inner": "I", "extent": "E", "map_leaf": "m"}
        expected = "".join(
            "H" if row["integrity"] == "header" else "_" if row["integrity"] == "zero" else
            "." if not row["in_use"] else
            letters[row["type"]].lower() if row["page"] != row["first"] else letters[row["type"]]
            for row in pages["pages"][:64])
        check_equal(screen.splitlines()[3].split()[1], expected[:64], "the map")

        root = header["chosen"]["tree_root"]["page"]
        page = payload(folder, "page", str(root), "a.vtr", "--show", "values")
        terminal.press("3", "3>page")
        terminal.type(":", str(root), "Enter")
        # All of it in one look: the first line of a page may be on the screen before the rest.
        wanted = [f"page {root}: {page['integrity']}",
                  *(f"{field['name']} = {field['value']}  (" for field in page["fields"][:8])]
        screen = terminal.until(lambda screen: all(text in screen for text in wanted), f"{wanted}")
        check(re.search(rf"^ +0  {page['bytes'][:2]} ", screen, re.M), screen)

        tree = payload(folder, "tree", "a.vtr")
        screen = terminal.press("4", "4>tree")
        check(f"node at page {root}, level {tree['level']}, {tree['count']} children" in screen, screen)
        for child in tree["children"]:
            check(re.search(rf"{child['slot']} +page {child['ref']['page']} +{child['count']} slots", screen), screen)

        terminal.press("5", "there is no log")
        keys = payload(folder, "keys", "a.vtr", "--limit", "20")
        screen = terminal.press("6", "6>keys")
        for row, line in zip(keys["keys"], screen.splitlines()[3:]):
            check_equal(words_of(line.lstrip("> "))[:2], [f"1/{row['key']}", str(row["record_size"])], "a key")

        space = payload(folder, "space", "a.vtr", "--limit", "20")
        screen = terminal.press("7", "7>space")
        for run, line in zip(space["runs"], screen.splitlines()[3:]):
            check_equal(words_of(line.lstrip("> "))[1:6],
                        [str(run["first"]), "to", str(run["first"] + run["pages"] - 1), str(run["pages"]),
                         run["state"]])
        snapshots = payload(folder, "snapshots", "a.vtr")
        terminal.press("8", f"newest checkpoint {snapshots['newest_checkpoint']}, no writer")
        terminal.press("9", "nothing")
        terminal.press("?", "this help")
        terminal.press("x", "9>findings")
        terminal.type("q")
        terminal.ends(0)


def case_view_walks_searches_and_jumps(folder):
    filled(folder)
    with viewer(folder) as terminal:
        terminal.press("4", "4>tree")
        terminal.type("j", "j", "Enter")
        terminal.shows("level 0")
        terminal.press("b", "> 2 ")
        terminal.type("/", "001234", "Enter")
        terminal.until(lambda screen: re.search(r"^> \d+ +1/001234 ", screen, re.M), "the key")
        terminal.press("p", "3>page")
        terminal.press("b", "4>tree")
        terminal.type("Tab")
        terminal.shows("5>log")
        terminal.press("2", "2>map")
        terminal.press("m", "fill in tenths")
        terminal.press("m", "age: ")
        terminal.press("m", "state: ")
        terminal.type(":", "5", "Enter")
        terminal.shows("page 5: intact, in use")
        terminal.type("BTab")
        terminal.shows("1>header")
        terminal.tmux("resize-window", "-x", "50", "-y", "12")
        terminal.until(lambda screen: len(screen.splitlines()) <= 12 and "1>header" in screen, "a small screen")
        terminal.tmux("resize-window", "-x", "120", "-y", "40")
        terminal.shows("log_position")
        terminal.type("q")
        terminal.ends(0)


def case_view_asks_for_the_passphrase_and_shows_the_outside_without_it(folder):
    unlock = {"stdin": b"pass phrase\n"}
    folder.ok("init", "a.vtr", "--encrypt", "--page-size", "4096", "--passphrase-stdin", **unlock)
    folder.ok("put", "a.vtr", "apple", "red", "--passphrase-stdin", **unlock)
    (folder / "key").write_bytes(folder.random.randbytes(64))
    folder.ok("key", "add-keyfile", "a.vtr", "--new-keyfile", "key", "--passphrase-stdin", **unlock)
    with viewer(folder) as terminal:
        terminal.shows("Passphrase (Enter alone: look from outside):")
        terminal.type("pass phrase", "Enter")
        terminal.shows("1>header")
        terminal.press("6", "1/apple  ")
        terminal.press("4", "level 0")
        terminal.type("q")
        terminal.ends(0)
    with viewer(folder, "--keyfile", "key") as terminal:
        terminal.press("6", "1/apple  ")
        terminal.type("q")
        terminal.ends(0)
    with viewer(folder) as terminal:
        terminal.shows("Passphrase")
        terminal.press("Enter", "1>header")
        terminal.press("6", "KEY_OPEN_REQUIRED")
        root = payload(folder, "header", "a.vtr")["chosen"]["tree_root"]["page"]
        terminal.press("3", "3>page")
        terminal.type(":", str(root), "Enter")
        terminal.shows(f"page {root}: sealed")
        terminal.type("q")
        terminal.ends(0)


def case_view_follows_a_writer_without_disturbing_it(folder):
    filled(folder, 200)
    writer = folder.start("put", "a.vtr", "--stdin", "--ack")
    with viewer(folder, "--watch", "--interval", "50ms") as terminal:
        terminal.press("6", "6>keys")
        writer.stdin.write(b"000000a\tfresh\n")
        writer.stdin.flush()
        check_equal(writer.stdout.readline(), b"000000a\n")
        terminal.shows("1/000000a  6 bytes")
        terminal.press("5", "live")
        terminal.press("8", "a writer is at work")
        writer.stdin.close()
        check_equal(writer.wait(), 0)
        terminal.shows("no writer")
        terminal.type("1")
        terminal.shows("1>header")
        folder.ok("put", "a.vtr", "another", "entry")
        terminal.until(lambda screen: re.search(r"^..entries +204$", screen, re.M), "the new count")
        terminal.type("q")
        terminal.ends(0)
    folder.verified("a.vtr")


def case_view_gives_the_terminal_back_however_it_ends(folder):
    filled(folder, 50)
    for number, code in ((signal.SIGTERM, 8), (signal.SIGHUP, 8), (signal.SIGINT, 8), (signal.SIGABRT, 134),
                         (signal.SIGSEGV, 139)):
        with viewer(folder) as terminal:
            terminal.shows("1>header")
            os.kill(terminal.process(), number)
            terminal.ends(code)


def case_view_needs_neither_color_nor_a_clever_terminal(folder):
    filled(folder, 50)
    for environment in ({"TERM": "vt100"}, {"NO_COLOR": "1"}, {"LC_ALL": "C"}):
        with viewer(folder, environment=environment) as terminal:
            terminal.press("2", "HHHH")
            if "LC_ALL" not in environment:
                colors = re.findall(r"\x1b\[[0-9;]*(?:3[0-7]|4[0-7])m", terminal.tmux("capture-pane", "-p", "-e"))
                check_equal(colors, [], "colors")
            terminal.type("q")
            terminal.ends(0)


def case_view_shows_damage_and_names_mistakes(folder):
    filled(folder, 600)
    whole = bytearray((folder / "a.vtr").read_bytes())
    leaf = payload(folder, "tree", "a.vtr")["children"][1]["ref"]["page"]
    whole[leaf * 4096 + 300] ^= 1
    whole[100] ^= 1
    (folder / "a.vtr").write_bytes(whole)
    with viewer(folder) as terminal:
        terminal.shows("damaged (DATABASE_OPEN_HEADER_DAMAGED)")
        terminal.press("2", "!")
        terminal.press("4", "PAGE_READ_CHECKSUM")
        screen = terminal.press("9", f"page {leaf} is in use and does not verify")
        for warning in payload(folder, "health", "a.vtr")["warnings"]:
            check(f"{warning['code']}: {warning['message']}" in screen, f"{warning} {screen}")
        check("header slot 0 copy 0 is damaged" in screen, screen)
        terminal.type("q")
        terminal.ends(0)
    check_equal(folder.run("view", "a.vtr").code, 2, "no terminal")
    check_equal(folder.run("view", "none.vtr").code, 4, "no file")
