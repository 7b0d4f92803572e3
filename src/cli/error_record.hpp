// SPDX-License-Identifier: MIT OR Apache-2.0
// The form of an error that programs read: code, status, message, details, retryable, advice and, if there is one, the
// error behind it in the same form.
#pragma once

#include "cli/record.hpp"
#include "vitrine/status.hpp"

namespace vitrine::cli {

Record error_record(const Status& status);

}  // namespace vitrine::cli
