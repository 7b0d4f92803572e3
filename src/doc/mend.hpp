// SPDX-License-Identifier: MIT OR Apache-2.0
// Documents after a salvage, where any entry may be missing. Documents are believed; what follows from them is made
// anew where it does not agree with them: numbers, names of collections, indexes, times of expiry. Thread safety: that
// of the transaction.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "kv/store.hpp"

namespace vitrine::doc {

// `lost` is told what cannot be made again, by a code and a sentence.
using LostFunction = std::function<void(std::string_view code, std::string message)>;

Status mend(kv::StoreWriter& txn, const LostFunction& lost);

}  // namespace vitrine::doc
