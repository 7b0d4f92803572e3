// SPDX-License-Identifier: MIT OR Apache-2.0
// TRY(expression): the value of a Result, or return its Status from the enclosing function (ADR 0002).
// CHECK(expression): the same for a plain Status.
#pragma once

#include "vitrine/status.hpp"

#define VITRINE_TRY_NAMED(name, ...)             \
  __extension__({                                \
    auto&& name = (__VA_ARGS__);                 \
    if (!name.has_value()) return name.status(); \
    *std::move(name);                            \
  })
#define VITRINE_TRY_EXPAND(counter, ...) VITRINE_TRY_NAMED(vitrine_try_##counter, __VA_ARGS__)
#define VITRINE_TRY_COUNTED(counter, ...) VITRINE_TRY_EXPAND(counter, __VA_ARGS__)
#define TRY(...) VITRINE_TRY_COUNTED(__COUNTER__, __VA_ARGS__)

#define CHECK(...)                                                                                  \
  do {                                                                                              \
    if (::vitrine::Status check_status = (__VA_ARGS__); !check_status.is_ok()) return check_status; \
  } while (false)
