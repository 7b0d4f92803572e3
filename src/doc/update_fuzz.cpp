// SPDX-License-Identifier: MIT OR Apache-2.0
// Feeds an update and a document, JSON each, with a newline between them. Checked: no crash; what comes out is a
// document that may be stored, with the id it had; an update that only sets, unsets, or adds to sets changes nothing
// when it is applied once more.
#include "doc/update.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "doc/compare.hpp"
#include "vitrine/document.hpp"

namespace {

using namespace vitrine;

bool changes_once(Bytes update) {
  for (doc::Elements walk(update); const auto element = walk.next();) {
    const bool is_one = element->name == "$set" || element->name == "$unset" || element->name == "$addToSet" ||
                        element->name == "$max" || element->name == "$min";
    if (!is_one) return false;
  }
  return true;
}

void check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = text.find('\n');
  if (line == Bytes::npos) return 0;
  const Result<Document> given = Document::from_json(text.substr(0, line));
  const Result<Document> document = Document::from_json(text.substr(line + 1));
  if (!given.has_value() || !document.has_value()) return 0;
  const Result<doc::Update> update = doc::Update::compile(given->bson());
  if (!update.has_value()) return 0;
  doc::StepBudget budget(100'000);
  const doc::UpdateMoment moment{.now_ms = 1, .is_insert = false, .budget = &budget};
  const Result<ByteString> once = update->apply(document->bson(), moment);
  if (!once.has_value()) return 0;
  check(doc::check_document(*once).is_ok());
  const auto id = doc::find_member(document->bson(), "_id");
  if (id) check(doc::compare_values(*id, *doc::find_member(*once, "_id")) == 0);
  if (changes_once(given->bson())) {
    const Result<ByteString> twice = update->apply(*once, moment);
    check(!twice.has_value() || *twice == *once);
  }
  return 0;
}
