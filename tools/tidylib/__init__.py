# SPDX-License-Identifier: MIT OR Apache-2.0
"""The rules of tools/tidy.py, one module for each subject."""
