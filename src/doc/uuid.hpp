// SPDX-License-Identifier: MIT OR Apache-2.0
// New ids for documents: UUIDs of version 7 (RFC 9562), the time in milliseconds and then 74 random bits. They sort by
// the time of their making, so that new documents lie side by side.
#pragma once

#include "os/env.hpp"
#include "vitrine/bytes.hpp"

namespace vitrine::doc {

// 16 bytes. Errors: those of random_bytes.
Result<ByteString> make_uuid(os::Env& env);

}  // namespace vitrine::doc
