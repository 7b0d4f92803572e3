# SPDX-License-Identifier: MIT OR Apache-2.0
"""Asks the program bench_suite, one process for each question."""
import json
import pathlib
import shutil
import subprocess
import sys

# In the order of tables. A peer that is not built here is left out, with a note.
PEERS = ["lmdb", "lmdb_writemap", "libmdbx", "leveldb", "rocksdb", "sqlite", "berkeleydb", "wiredtiger", "tkrzw",
         "redb", "sqlcipher"]


class Suite:
    def __init__(self, binaries: str, directory: str):
        self.binaries = pathlib.Path(binaries).resolve()
        self.directory = pathlib.Path(directory).resolve()
        self.directory.mkdir(parents=True, exist_ok=True)

    def is_built(self, peer: str) -> bool:
        return (self.binaries / f"bench_peer_{peer}.so").exists()

    def ask(self, mode: str, settings: dict, directory: pathlib.Path | None = None) -> dict | None:
        """The answer; None when the process died or said an error."""
        asked = {"modules": str(self.binaries), "directory": str(directory or self.directory)} | settings
        done = subprocess.run([self.binaries / "bench_suite", mode, json.dumps(asked)], stdout=subprocess.PIPE,
                              stderr=None if mode == "measure" else subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            if done.returncode > 0 and done.stderr:
                print(done.stderr.strip(), file=sys.stderr)
            return None
        return json.loads(done.stdout)

    def measure(self, **settings) -> dict:
        answer = self.ask("measure", settings)
        if answer is None:
            raise SystemExit("bench: the measurement did not end well")
        return answer

    def for_one(self, mode: str, peer: str, **settings) -> dict | None:
        """A question about one peer, in a folder of its own that is removed afterwards."""
        with Folder(self.directory / f"{peer}-{mode}") as folder:
            return self.ask(mode, {"peer": peer} | settings, folder)

    def after_kill(self, peer: str, **settings) -> dict | None:
        """What a new process finds after the one before was killed once it had committed everything."""
        with Folder(self.directory / f"{peer}-killed") as folder:
            self.ask("die", {"peer": peer} | settings, folder)
            return self.ask("count", {"peer": peer} | settings, folder)


class Folder:
    """An empty folder that goes away."""

    def __init__(self, path: pathlib.Path):
        self.path = path

    def __enter__(self) -> pathlib.Path:
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(parents=True)
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)
