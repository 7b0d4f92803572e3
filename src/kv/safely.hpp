// SPDX-License-Identifier: MIT OR Apache-2.0
// The border where our exceptions stop: runs `body`, and turns the end of memory into a Status. What a function of the
// caller throws (a visitor, a progress report) is the caller's and passes through.
#pragma once

#include <new>

#include "vitrine/status.hpp"

namespace vitrine::kv {

template <typename Body>
auto safely(Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return Status::out_of_memory();
  }
}

}  // namespace vitrine::kv
