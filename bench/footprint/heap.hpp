// SPDX-License-Identifier: MIT OR Apache-2.0
// The heap of the footprint program, counted.
#pragma once

#include <cstddef>

namespace vitrine::bench {

std::size_t heap_peak() noexcept;  // bytes

}  // namespace vitrine::bench
