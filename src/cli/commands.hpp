// SPDX-License-Identifier: MIT OR Apache-2.0
// The commands of the program. Each takes its arguments, writes data to the console and answers with a Status; the
// exit code follows from its kind (docs/ERRORS.md).
#pragma once

#include <string_view>
#include <vector>

#include "cli/arguments.hpp"
#include "cli/console.hpp"
#include "vitrine/inspect.hpp"

namespace vitrine::cli {

// All rows, in the order in which help lists them.
const std::vector<CommandSpec>& commands();
const CommandSpec* find_command(std::string_view name) noexcept;

// --show; keys when it is not given.
inspect::Disclosure disclosure_of(const Arguments& arguments) noexcept;

Status run_init(const Arguments& arguments, Console& console);
Status run_put(const Arguments& arguments, Console& console);
Status run_get(const Arguments& arguments, Console& console);
Status run_delete(const Arguments& arguments, Console& console);
Status run_list(const Arguments& arguments, Console& console);
Status run_keyspaces(const Arguments& arguments, Console& console);
Status run_insert(const Arguments& arguments, Console& console);
Status run_find(const Arguments& arguments, Console& console);
Status run_count(const Arguments& arguments, Console& console);
Status run_update(const Arguments& arguments, Console& console);
Status run_remove(const Arguments& arguments, Console& console);
Status run_collections(const Arguments& arguments, Console& console);
Status run_index(const Arguments& arguments, Console& console);
Status run_shell(const Arguments& arguments, Console& console);
Status run_watch(const Arguments& arguments, Console& console);
Status run_sql(const Arguments& arguments, Console& console);
Status run_stats(const Arguments& arguments, Console& console);
Status run_info(const Arguments& arguments, Console& console);
Status run_verify(const Arguments& arguments, Console& console);
Status run_inspect(const Arguments& arguments, Console& console);
Status run_view(const Arguments& arguments, Console& console);
Status run_diff(const Arguments& arguments, Console& console);
Status run_errors(const Arguments& arguments, Console& console);
Status run_repair(const Arguments& arguments, Console& console);
Status run_salvage(const Arguments& arguments, Console& console);
Status run_hex(const Arguments& arguments, Console& console);
Status run_checkpoint(const Arguments& arguments, Console& console);
Status run_compact(const Arguments& arguments, Console& console);
Status run_vacuum(const Arguments& arguments, Console& console);
Status run_backup(const Arguments& arguments, Console& console);
Status run_export(const Arguments& arguments, Console& console);
Status run_import(const Arguments& arguments, Console& console);
Status run_encrypt(const Arguments& arguments, Console& console);
Status run_decrypt(const Arguments& arguments, Console& console);
Status run_key(const Arguments& arguments, Console& console);
Status run_bench(const Arguments& arguments, Console& console);
Status run_completion(const Arguments& arguments, Console& console);

}  // namespace vitrine::cli
