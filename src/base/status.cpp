// SPDX-License-Identifier: MIT OR Apache-2.0
#include "vitrine/status.hpp"

#include <array>

#include "base/assert.hpp"

namespace vitrine {
namespace {

struct ErrorRow {
  std::string_view name;
  std::string_view sentence;
  ErrorKind kind;
  bool retryable;
};

constexpr ErrorRow kErrorRows[] = {
    {"OK", "done", ErrorKind::None, false},
#define VITRINE_ERROR(enumerator, name, kind, retryable, sentence) {name, sentence, ErrorKind::kind, retryable},
#include "vitrine/error_codes.def"
#undef VITRINE_ERROR
};

const ErrorRow& row_of(ErrorCode code) noexcept {
  const auto index = static_cast<std::size_t>(code);
  VITRINE_ASSERT(index < std::size(kErrorRows));
  return kErrorRows[index];
}

struct KindRow {
  std::string_view name;
  int exit_code;
};

constexpr std::array<KindRow, 11> kKindRows{{
#define VITRINE_KIND(enumerator, name, exit_code, advice) {name, exit_code},
#include "vitrine/error_advice.def"
}};

}  // namespace

std::string_view error_name(ErrorCode code) noexcept { return row_of(code).name; }
std::string_view error_sentence(ErrorCode code) noexcept { return row_of(code).sentence; }
ErrorKind error_kind(ErrorCode code) noexcept { return row_of(code).kind; }
bool error_retryable(ErrorCode code) noexcept { return row_of(code).retryable; }
std::string_view kind_name(ErrorKind kind) noexcept { return kKindRows[static_cast<std::size_t>(kind)].name; }
int exit_code(ErrorKind kind) noexcept { return kKindRows[static_cast<std::size_t>(kind)].exit_code; }

struct Status::Record {
  ErrorCode code;
  std::string message;
  std::vector<ErrorDetail> details;
};

// Built before main() by the constant below; sharing them allocates nothing.
const Status& Status::without_memory(ErrorCode code) noexcept {
  static const Status exhausted(std::make_shared<const Record>(Record{ErrorCode::OutOfMemory, {}, {}}));
  static const Status unknown(std::make_shared<const Record>(Record{ErrorCode::CommitUnknown, {}, {}}));
  return code == ErrorCode::CommitUnknown ? unknown : exhausted;
}

Status Status::out_of_memory() noexcept { return without_memory(ErrorCode::OutOfMemory); }

namespace {
// Makes the shared records while memory is still there.
[[maybe_unused]] const Status kMadeEarly = Status::out_of_memory();
}  // namespace

Status Status::error(ErrorCode code, std::string_view message) noexcept {
  VITRINE_ASSERT(code != ErrorCode::Ok);
  try {
    return Status(std::make_shared<const Record>(Record{code, std::string(message), {}}));
  } catch (...) {
    return without_memory(code);
  }
}

ErrorCode Status::code() const noexcept { return record_ ? record_->code : ErrorCode::Ok; }

std::string_view Status::message() const noexcept {
  if (!record_) return {};
  return record_->message.empty() ? error_sentence(record_->code) : std::string_view(record_->message);
}

const std::vector<ErrorDetail>& Status::details() const noexcept {
  static const std::vector<ErrorDetail> none;
  return record_ ? record_->details : none;
}

std::string_view Status::detail(std::string_view key) const noexcept {
  for (const ErrorDetail& detail : details()) {
    if (detail.key == key) return detail.value;
  }
  return {};
}

Status Status::with(std::string_view key, std::string_view value) const noexcept {
  if (!record_) return *this;
  try {
    auto copy = std::make_shared<Record>(*record_);
    copy->details.push_back({std::string(key), std::string(value)});
    return Status(std::shared_ptr<const Record>(std::move(copy)));
  } catch (...) {
    return *this;
  }
}

Status Status::with(std::string_view key, std::uint64_t value) const noexcept {
  char digits[20];
  std::size_t at = sizeof digits;
  do {
    digits[--at] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  return with(key, std::string_view(digits + at, sizeof digits - at));
}

std::string Status::to_string() const {
  if (is_ok()) return "OK";
  std::string text(name());
  text.append(": ").append(message());
  const char* separator = " (";
  for (const ErrorDetail& detail : details()) {
    text.append(separator).append(detail.key).append("=").append(detail.value);
    separator = ", ";
  }
  if (!details().empty()) text.push_back(')');
  return text;
}

}  // namespace vitrine
