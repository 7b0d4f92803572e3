// SPDX-License-Identifier: MIT OR Apache-2.0
// The inside of vitrine::Secret.
#pragma once

#include "os/secret_memory.hpp"
#include "vitrine/secret.hpp"

namespace vitrine {

struct SecretBytes {
  SecretKind kind;
  os::SecretMemory memory;
};

}  // namespace vitrine
