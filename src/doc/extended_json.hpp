// SPDX-License-Identifier: MIT OR Apache-2.0
// The type wrappers of Extended JSON v2: objects such as {"$oid": "..."} that stand for one value.
#pragma once

#include "doc/bson.hpp"

namespace vitrine::doc {

// Does an object whose first member has this name stand for a value?
bool is_wrapper_name(Bytes name) noexcept;

// Appends the value that `object` stands for; wrappers inside it are values already. Errors: JsonMalformed.
Status add_wrapped(Builder& to, Bytes name, Bytes object);

}  // namespace vitrine::doc
