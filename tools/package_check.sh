#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Installs a build into a scratch folder and uses it as a stranger would: the example of README.md is built through
# find_package and through pkg-config, and run. Argument: the build folder. Ends with "N passed, N failed".
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build="$(realpath "${1:?build folder}")"
scratch="$(mktemp -d)"
trap 'rm -rf -- "$scratch"' EXIT
passed=0
failed=0

case_of() { # NAME COMMAND...
  local name="$1"
  shift
  if "$@" >"$scratch/log" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $name"
    cat "$scratch/log"
  fi
}

with_cmake() {
  cat >"$scratch/CMakeLists.txt" <<'TEXT'
cmake_minimum_required(VERSION 3.25)
project(example LANGUAGES CXX)
find_package(vitrine 0.1 REQUIRED)
add_executable(example main.cpp)
target_link_libraries(example PRIVATE vitrine::vitrine)
TEXT
  cmake -G Ninja -S "$scratch" -B "$scratch/build" -DCMAKE_PREFIX_PATH="$scratch/prefix" &&
    cmake --build "$scratch/build"
}

with_pkg_config() {
  local flags
  flags="$(PKG_CONFIG_PATH="$(dirname "$(find "$scratch/prefix" -name vitrine.pc)")" \
    pkg-config --cflags --libs --static vitrine)" || return 1
  # shellcheck disable=SC2086
  g++ -O1 "$scratch/main.cpp" -o "$scratch/with_pkg_config" $flags
}

run_in_empty_folder() { # PROGRAM
  mkdir -p "$scratch/run" && (cd "$scratch/run" && rm -f ./* && "$1")
}

python3 tools/readme_example.py >"$scratch/main.cpp" || failed=$((failed + 1))
case_of "installs" cmake --install "$build" --prefix "$scratch/prefix"
case_of "README example builds with find_package" with_cmake
case_of "README example runs" run_in_empty_folder "$scratch/build/example"
case_of "README example builds with pkg-config" with_pkg_config
case_of "README example runs again" run_in_empty_folder "$scratch/with_pkg_config"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
