// SPDX-License-Identifier: MIT OR Apache-2.0
// The error registry as data, and errors behind errors. status.hpp is enough to handle errors; this is for those who
// show them.
//
// Thread safety: pure functions.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "vitrine/status.hpp"

namespace vitrine {

struct ErrorInfo {
  ErrorCode code;
  std::string_view name;
  ErrorKind kind;
  bool retryable;
  std::string_view sentence;
};

std::span<const ErrorInfo> error_registry() noexcept;    // every code but Ok, in order of number
std::string_view error_advice(ErrorCode code) noexcept;  // what a person can do

struct DetailInfo {
  std::string_view name;
  bool is_number;
  std::string_view meaning;
};
std::span<const DetailInfo> error_details() noexcept;  // the details that many errors share; others may have more

// `status`, and that `cause` is why. The chain is kept in the details, so it is in every text and JSON: "cause" is the
// name of the cause, cause_message its message, cause_NAME its details; the cause of a cause is cause_cause. Never
// throws: without memory the cause is lost, not the status.
Status because(const Status& status, const Status& cause) noexcept;
// The error behind `status`, as it was given to because(); nothing when there is none.
std::optional<Status> cause_of(const Status& status);
// The details of the error itself, without those of its causes.
std::vector<ErrorDetail> own_details(const Status& status);

}  // namespace vitrine
