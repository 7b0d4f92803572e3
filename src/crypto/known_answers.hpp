// SPDX-License-Identifier: MIT OR Apache-2.0
// Do the primitives compute what was published for them? Asked once in a process, before the first key is used: a
// library that was built or patched wrongly must not seal a single page.
#pragma once

#include "vitrine/status.hpp"

namespace vitrine::crypto {

// Errors: CryptoFailed with the detail "primitive". Cheap after the first call.
Status self_test();

}  // namespace vitrine::crypto
