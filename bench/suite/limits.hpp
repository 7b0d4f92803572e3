// SPDX-License-Identifier: MIT OR Apache-2.0
// What the machine itself can do: the figures that bound every store.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace vitrine::bench {

// About `seconds` for each figure. The files it writes in `directory` are removed.
nlohmann::json measure_limits(const std::string& directory, double seconds);

}  // namespace vitrine::bench
