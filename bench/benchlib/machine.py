# SPDX-License-Identifier: MIT OR Apache-2.0
"""Facts about the machine and the build, without which figures mean nothing."""
import datetime
import os
import platform
import subprocess


def _field(path: str, name: str) -> str:
    try:
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                if line.startswith(name):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return "unknown"


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def facts(directory: str) -> dict:
    return {
        "processor": _field("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "memory": _field("/proc/meminfo", "MemTotal"),
        "system": f"{platform.system()} {platform.release()}",
        "file_system": _output("stat", "-f", "-c", "%T", directory),
        "compiler": _output("g++", "--version").split("\n", maxsplit=1)[0],
        "source": _output("git", "describe", "--always", "--dirty"),
        "time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "load_before": round(os.getloadavg()[0], 2),
    }
