// SPDX-License-Identifier: MIT OR Apache-2.0
// Where the program gets secrets from: standard input, another descriptor, a key file, or a person at a terminal. Never
// from the command line, which every user of the machine can read. What is read is wiped.
#pragma once

#include <string_view>

#include "cli/arguments.hpp"
#include "vitrine/secret.hpp"

namespace vitrine::cli {

// What --passphrase-stdin, --passphrase-fd, --keyfile or --recovery-stdin give; none when none of them was given.
// Errors: SecretInvalid, ArgumentInvalid (more than one; a bad number), those of reading.
Result<Secret> secret_argument(const Arguments& arguments);

// The same of the options that begin with --file-: of the file that an import reads.
Result<Secret> file_secret_argument(const Arguments& arguments);

// What --new-passphrase-stdin or --new-passphrase-fd give, else what is typed twice. Errors: as above, and
// SecretInvalid when there is no terminal or the two differ.
Result<Secret> new_passphrase(const Arguments& arguments);

// The key file of --new-keyfile.
Result<Secret> new_key_file(const Arguments& arguments);

// The secret of a database to be made: the options above, else a new passphrase.
Result<Secret> first_secret(const Arguments& arguments);

// Whether somebody can be asked.
bool can_ask() noexcept;
Result<Secret> ask_passphrase(std::string_view prompt);
// Ok when the same recovery key was typed.
Status ask_recovery_key_again(const NewRecoveryKey& made);

}  // namespace vitrine::cli
