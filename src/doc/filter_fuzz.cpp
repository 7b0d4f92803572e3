// SPDX-License-Identifier: MIT OR Apache-2.0
// Feeds a filter and a document, JSON each, with a newline between them. Checked: no crash; the answer ends within its
// budget; $nor of the filter answers the opposite.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "doc/filter.hpp"
#include "vitrine/document.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vitrine;
  const Bytes text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = text.find('\n');
  if (line == Bytes::npos) return 0;
  const Result<Document> given = Document::from_json(text.substr(0, line));
  const Result<Document> document = Document::from_json(text.substr(line + 1));
  if (!given.has_value() || !document.has_value()) return 0;
  doc::Builder builder;
  builder.open_member("$nor", doc::Type::Array).add("0", {doc::Type::Object, given->bson()}).close_member();
  const Result<doc::Filter> filter = doc::Filter::compile(given->bson());
  const Result<doc::Filter> opposite = doc::Filter::compile(builder.finish());
  if (!filter.has_value() || !opposite.has_value()) return 0;
  doc::StepBudget budget(100'000);
  const bool matches = filter->matches(document->bson(), budget);
  if (matches == opposite->matches(document->bson(), budget) && !budget.is_exhausted()) std::abort();
  return 0;
}
