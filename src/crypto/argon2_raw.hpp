// SPDX-License-Identifier: MIT OR Apache-2.0
// Argon2id with all its inputs and without limits, for derive.cpp, which sets limits, and for the self-test, whose
// published vector lies outside them.
#pragma once

#include "crypto/derive.hpp"

namespace vitrine::crypto {

Status argon2id_raw(ByteSpan passphrase, ByteSpan salt, ByteSpan pepper, ByteSpan associated, const Argon2Cost& cost,
                    std::span<std::byte> key);

}  // namespace vitrine::crypto
