// SPDX-License-Identifier: MIT OR Apache-2.0
// The program `vitrine`.
#include "cli/program.hpp"
#include "cli/terminal.hpp"

int main(int argument_count, char** arguments) {
  vitrine::cli::prepare_process();
  // An empty argument vector is possible (execve) and means no words.
  return vitrine::cli::run_program({arguments + (argument_count > 0 ? 1 : 0), arguments + argument_count});
}
