// SPDX-License-Identifier: MIT OR Apache-2.0
// The way back from an encoded key to the value, for values that their encoding tells exactly (decodes_exactly).
#pragma once

#include "doc/key_encoding.hpp"

namespace vitrine::doc {

// Takes one encoding off the front of `key` and adds its value as the member `name`. False when it is none, or not that
// of a value that its encoding tells exactly; then `to` is spoilt.
bool decode_key(Bytes& key, Direction direction, Builder& to, Bytes name);

}  // namespace vitrine::doc
