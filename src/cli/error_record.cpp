// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/error_record.hpp"

#include "vitrine/errors.hpp"

namespace vitrine::cli {

Record error_record(const Status& status) {
  Record details;
  for (const ErrorDetail& detail : own_details(status)) details.add(detail.key, std::string_view(detail.value));
  Record error;
  error.add("code", status.name()).add("status", kind_name(status.kind())).add("message", status.message());
  error.add("details", std::move(details)).add("retryable", error_retryable(status.code()));
  error.add("advice", error_advice(status.code()));
  if (const std::optional<Status> cause = cause_of(status)) error.add("cause", error_record(*cause));
  return error;
}

}  // namespace vitrine::cli
