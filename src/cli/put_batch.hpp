// SPDX-License-Identifier: MIT OR Apache-2.0
// `put --stdin`: entries from lines, committed in groups, and what it shares with a single put.
#pragma once

#include "cli/arguments.hpp"
#include "cli/console.hpp"
#include "cli/encoding.hpp"
#include "vitrine/database.hpp"

namespace vitrine::cli {

Status put_batch(const Arguments& arguments, Encoding encoding, Console& console);

// DB, created if --create says so.
Result<Database> open_for_put(const Arguments& arguments, Secret secret);

// How an acknowledged key is printed: as list prints it, or as a JSON object.
std::string ack_line(Bytes key, Encoding encoding, const Console& console);
// Prints `lines` and flushes them, once `commit` is durable: with less than full durability that takes a sync.
Status acknowledge(Database& db, const Commit& commit, std::string_view lines, Console& console);

}  // namespace vitrine::cli
