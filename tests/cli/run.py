#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Drives the real program and checks what a user sees: output, exit codes, files.

    python3 tests/cli/run.py build/bin/vitrine [PATTERN] [--update]

PATTERN runs only the cases whose name contains it. Prints what failed, then "N passed, N failed". --update writes the
golden files (tests/golden/) instead of comparing with them.
"""
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import case_bad_input  # noqa: E402
import case_batch  # noqa: E402
import case_bench  # noqa: E402
import case_collections  # noqa: E402
import case_diff  # noqa: E402
import case_document_files  # noqa: E402
import case_documents  # noqa: E402
import case_encryption  # noqa: E402
import case_entries  # noqa: E402
import case_errors  # noqa: E402
import case_explain  # noqa: E402
import case_format  # noqa: E402
import case_freshness  # noqa: E402
import case_golden  # noqa: E402
import case_health  # noqa: E402
import case_inspect  # noqa: E402
import case_process  # noqa: E402
import case_repair  # noqa: E402
import case_salvage  # noqa: E402
import case_shell  # noqa: E402
import case_sql  # noqa: E402
import case_stats  # noqa: E402
import case_transfer  # noqa: E402
import case_view  # noqa: E402
import harness  # noqa: E402

MODULES = [case_entries, case_batch, case_health, case_format, case_transfer, case_bad_input, case_process,
           case_explain, case_diff, case_view,
           case_inspect, case_salvage, case_bench, case_documents, case_encryption,
           case_collections,
           case_document_files,
           case_shell,
           case_sql,
           case_stats,
           case_freshness,
           case_repair,
           case_errors,
           case_golden]

if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--update"]
    if not 1 <= len(words) <= 2:
        sys.exit(__doc__)
    program = pathlib.Path(words[0]).resolve()
    if not program.is_file():
        sys.exit(f"no program {program}")
    harness.UPDATE = "--update" in sys.argv
    sys.exit(harness.run_all(MODULES, program, words[1] if len(words) == 2 else ""))
