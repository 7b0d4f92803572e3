# SPDX-License-Identifier: MIT OR Apache-2.0
cat <<'TEXT'
./dev COMMAND [ARGS]        missing Debian packages are installed first (root or sudo)

  run                       build, then the main job: real records in, looked up, killed, reopened, verified
  build                     the program build/bin/vitrine and the library build/lib/libvitrine.a
  test                      everything that must hold: both compilers, all tests, sanitizers, fuzzing
       --fast               unit tests and tidy only
       --update             rewrite expected outputs instead of comparing with them
       --stage NAME         only this stage, can be repeated: tidy headers gcc cli instructions package asan fuzz
                           tsan mutants, or unit, clang
  check                     format, tidy, headers alone, both compilers, unit tests
  fmt [--check]             format the C++ files with clang-format
  fuzz [--seconds N] [NAME...]   fuzz all targets or those named; new inputs go to fuzz/corpus/
  sim [--minutes N] [PATTERN]    repeat the randomized system tests with new seeds
  bench [--quick] [--only NAMES] [--peers NAMES] [--records N] [--json FILE]
                            Vitrine beside other stores; docs/BENCHMARKS.md has all options
  bench --footprint         memory and size of the lean build
  bench NAME [ARGS]         Vitrine alone: cli ('vitrine bench'), log
  clean                     remove the build folder

  VITRINE_SEED=N            replay a randomized test
  VITRINE_BUILD_DIR=PATH    build somewhere else than in build/
  VITRINE_JOBS=N            parallel jobs (default: all cores)
TEXT
