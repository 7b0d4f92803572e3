// SPDX-License-Identifier: MIT OR Apache-2.0
// The payloads of the views, each from a SourceFile, and the small parts they share.
#pragma once

#include <optional>
#include <string>

#include "format/describe.hpp"
#include "inspect/map_reader.hpp"
#include "inspect/source_file.hpp"
#include "vitrine/inspect.hpp"

namespace vitrine::inspect {

Result<Value> header_view(SourceFile& source);
Result<Value> pages_view(SourceFile& source, const Request& request);
Result<Value> page_view(SourceFile& source, const Request& request);
Result<Value> space_view(SourceFile& source, const Request& request);
Result<Value> snapshots_view(SourceFile& source, const Request& request);
Result<Value> log_view(SourceFile& source, const Request& request);
Result<Value> tree_view(SourceFile& source, const Request& request);
Result<Value> keys_view(SourceFile& source, const Request& request, const Options& options);
Result<Value> catalog_view(SourceFile& source, const Options& options);
Result<Value> cache_view(const std::string& path, const Options& options);
Result<Value> health_view(SourceFile& source, const Options& options);

// What Automatic means.
Disclosure resolved_disclosure(Disclosure disclosure, bool is_encrypted) noexcept;

// `from` as a number, `start` when it is empty. Errors: ArgumentInvalid.
Result<std::uint64_t> number_from(const Request& request, std::uint64_t start);

Value ref_value(const PageRef& ref);  // null for a null reference
Value error_name_value(const Status& status);
// Bytes as text when they are printable UTF-8, else {"hex": "..."}.
Value bytes_value(Bytes bytes);
Value notes_value(const format::FieldNotes& notes);
// A row about one page: type, generation, integrity, fill.
Value page_row(const SourceFile& source, const PageLook& look, std::optional<bool> allocated);
// The parts of a tree key: keyspace id, and the user's key when it may be shown.
void add_tree_key(Value& to, Bytes tree_key, Disclosure disclosure);

}  // namespace vitrine::inspect
