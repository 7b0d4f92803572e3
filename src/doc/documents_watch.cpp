// SPDX-License-Identifier: MIT OR Apache-2.0
// The public interface: the feed of changes. A token is a position of the log in hexadecimal digits.
#include "doc/change_log.hpp"
#include "doc/documents_access.hpp"

namespace vitrine {
namespace {

std::string to_token(Bytes position) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string token;
  for (const char byte : position) {
    token.push_back(kDigits[static_cast<std::uint8_t>(byte) >> 4]);
    token.push_back(kDigits[static_cast<std::uint8_t>(byte) & 15]);
  }
  return token;
}

Result<ByteString> to_position(const WatchOptions& options) {
  if (options.after.empty()) {
    return options.from_version ? doc::position_before(*options.from_version) : ByteString();
  }
  ByteString position;
  const auto digit = [&](std::size_t at) { return Bytes("0123456789abcdef").find(options.after[at]); };
  for (std::size_t i = 0; i + 1 < options.after.size(); i += 2) {
    const std::size_t high = digit(i), low = digit(i + 1);
    if (high == Bytes::npos || low == Bytes::npos) break;
    position.push_back(static_cast<char>(high << 4 | low));
  }
  const bool is_whole = position.size() * 2 == options.after.size();
  return is_whole ? Result<ByteString>(position) : Status::error(ErrorCode::ArgumentInvalid, "this is no token");
}

Result<DocumentChange> to_change(const doc::ChangeView& view) {
  DocumentChange change{view.kind, ByteString(view.collection), view.version, {}, to_token(view.position)};
  if (!view.bson.empty()) change.document = TRY(doc::DocumentMaker::from_store(ByteString(view.bson)));
  return change;
}

bool is_of_document(ChangeKind kind) {
  return kind != ChangeKind::Drop && kind != ChangeKind::Rename && kind != ChangeKind::Create;
}

}  // namespace

Result<std::string> DocumentReader::watch(const WatchOptions& options, const ChangeFunction& visit) const {
  return kv::safely([&]() -> Result<std::string> {
    const kv::NativeReader store = TRY(kv::NativeReader::attach(*txn_, doc::kKeyspace));
    const doc::Filter filter = TRY(doc::Filter::compile(options.filter.bson()));
    const ByteString position = TRY(to_position(options));
    doc::StepBudget budget(options.steps_max);
    std::uint64_t count = 0;
    Status failed;
    const auto pass_on = [&](const doc::ChangeView& view) {
      if (!options.collection.empty() && view.collection != options.collection) return true;
      const bool matches = !is_of_document(view.kind) || filter.matches(view.bson, budget);
      if (budget.is_exhausted()) {
        failed = Status::error(ErrorCode::BudgetExhausted, "watching needs more steps than allowed");
        return false;
      }
      if (!matches) return true;
      Result<DocumentChange> change = to_change(view);
      failed = change.status();
      return change.has_value() && visit(*change) && ++count < options.limit;
    };
    if (options.limit == 0) return options.after;
    const ByteString last = TRY(doc::read_changes(store, position, pass_on));
    CHECK(failed);
    return last.empty() ? to_token(TRY(doc::last_position(store))) : to_token(last);
  });
}

Result<std::string> DocumentReader::watch_token() const {
  return kv::safely([&]() -> Result<std::string> {
    return to_token(TRY(doc::last_position(TRY(kv::NativeReader::attach(*txn_, doc::kKeyspace)))));
  });
}

Status DocumentWriter::keep_changes(std::uint64_t entries_max) {
  return kv::safely([&]() -> Status {
    kv::NativeWriter store = TRY(kv::NativeWriter::attach(*txn_, doc::kKeyspace));
    return doc::keep_changes(store, entries_max);
  });
}

}  // namespace vitrine
