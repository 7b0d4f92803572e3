// SPDX-License-Identifier: MIT OR Apache-2.0
#include "vitrine/errors.hpp"

#include <array>
#include <string>

namespace vitrine {
namespace {

constexpr std::string_view kCause = "cause";
constexpr std::string_view kCausePrefix = "cause_";
constexpr std::string_view kCauseMessage = "cause_message";

constexpr ErrorInfo kRegistry[] = {
#define VITRINE_ERROR(enumerator, name, kind, retryable, sentence) \
  {ErrorCode::enumerator, name, ErrorKind::kind, retryable, sentence},
#include "vitrine/error_codes.def"
#undef VITRINE_ERROR
};

struct Advice {
  ErrorCode code;
  std::string_view text;
};

constexpr Advice kAdvice[] = {
#define VITRINE_ADVICE(enumerator, text) {ErrorCode::enumerator, text},
#include "vitrine/error_advice.def"
};

constexpr std::string_view kKindAdvice[] = {
#define VITRINE_KIND(enumerator, name, exit_code, text) text,
#include "vitrine/error_advice.def"
};

enum class DetailType : bool { text, number };

constexpr DetailInfo kDetails[] = {
#define VITRINE_DETAIL(name, type, meaning) {name, DetailType::type == DetailType::number, meaning},
#include "vitrine/error_advice.def"
};

bool starts_with(std::string_view text, std::string_view start) noexcept {
  return text.substr(0, start.size()) == start;
}

ErrorCode code_named(std::string_view name) noexcept {
  for (const ErrorInfo& info : kRegistry) {
    if (info.name == name) return info.code;
  }
  return ErrorCode::InternalBug;
}

}  // namespace

std::span<const ErrorInfo> error_registry() noexcept { return kRegistry; }
std::span<const DetailInfo> error_details() noexcept { return kDetails; }

std::string_view error_advice(ErrorCode code) noexcept {
  for (const Advice& advice : kAdvice) {
    if (advice.code == code) return advice.text;
  }
  return kKindAdvice[static_cast<std::size_t>(error_kind(code))];
}

Status because(const Status& status, const Status& cause) noexcept {
  if (status.is_ok() || cause.is_ok()) return status;
  try {
    Status whole = status.with(kCause, cause.name()).with(kCauseMessage, cause.message());
    for (const ErrorDetail& detail : cause.details()) {
      whole = whole.with(std::string(kCausePrefix) + detail.key, detail.value);
    }
    return whole;
  } catch (...) {
    return status;
  }
}

std::optional<Status> cause_of(const Status& status) {
  const std::string_view name = status.detail(kCause);
  if (name.empty()) return std::nullopt;
  Status cause = Status::error(code_named(name), status.detail(kCauseMessage));
  for (const ErrorDetail& detail : status.details()) {
    if (!starts_with(detail.key, kCausePrefix) || detail.key == kCauseMessage) continue;
    cause = cause.with(std::string_view(detail.key).substr(kCausePrefix.size()), detail.value);
  }
  return cause;
}

std::vector<ErrorDetail> own_details(const Status& status) {
  std::vector<ErrorDetail> own;
  for (const ErrorDetail& detail : status.details()) {
    if (detail.key != kCause && !starts_with(detail.key, kCausePrefix)) own.push_back(detail);
  }
  return own;
}

}  // namespace vitrine
