# SPDX-License-Identifier: MIT OR Apache-2.0
# The quick look before a commit: format, tidy, headers alone, both compilers, unit tests.
need "${PACKAGES_BUILD[@]}" "${PACKAGES_TEST[@]}" "${PACKAGES_CLANG[@]}" "${PACKAGES_FORMAT[@]}"
(source tools/dev/fmt.sh --check)
set -- --stage tidy --stage headers --stage clang --stage unit
source tools/dev/test.sh
