// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/key_decoding.hpp"

#include <bit>
#include <cmath>
#include <limits>

#include "doc/compare.hpp"

namespace vitrine::doc {
namespace {

constexpr std::uint8_t kNegativeNumber = 0x21, kZeroNumber = 0x22, kPositiveNumber = 0x23, kTrueKind = 0x51;

// Takes bytes off the front; remembers when there were too few.
class Taker {
 public:
  Taker(Bytes& from, std::uint8_t mask) : from_(from), mask_(mask) {}
  bool is_good() const noexcept { return is_good_; }

  std::uint8_t byte() {
    if (from_.empty()) {
      is_good_ = false;
      return 0;
    }
    const auto byte = static_cast<std::uint8_t>(static_cast<std::uint8_t>(from_.front()) ^ mask_);
    from_.remove_prefix(1);
    return byte;
  }
  std::uint64_t big_endian(int bytes) {
    std::uint64_t value = 0;
    while (bytes-- > 0) value = value << 8 | byte();
    return value;
  }
  ByteString bytes(std::size_t count) {
    ByteString taken;
    if (count > from_.size()) is_good_ = false;
    for (; is_good_ && count > 0; --count) taken.push_back(static_cast<char>(byte()));
    return taken;
  }
  ByteString text() {
    ByteString text;
    while (is_good_) {
      const std::uint8_t next = byte();
      if (next == 0 && byte() == 1) break;
      text.push_back(static_cast<char>(next));
    }
    return text;
  }
  void set_mask(std::uint8_t mask) noexcept { mask_ = mask; }
  std::uint8_t mask() const noexcept { return mask_; }
  void fail() noexcept { is_good_ = false; }

 private:
  Bytes& from_;
  std::uint8_t mask_;
  bool is_good_ = true;
};

// An integer too large for a double to tell it all.
void decode_digits(Taker& taker, bool is_negative, Builder& to, Bytes name) {
  const int exponent = static_cast<int>(taker.big_endian(2)) - kExponentBias;
  __extension__ __int128 magnitude = 0;
  int digits = 0;
  while (taker.is_good()) {
    const std::uint8_t pair = taker.byte();
    if (pair == 0) break;
    digits += 2;
    if (digits > 20) return taker.fail();
    magnitude = magnitude * 100 + pair - 1;
  }
  if (exponent > 19 || exponent < digits - 1) return taker.fail();
  if (exponent == digits - 1) magnitude /= 10;
  for (; digits < exponent; ++digits) magnitude *= 10;
  if (is_negative) magnitude = -magnitude;
  const auto narrow = static_cast<std::int64_t>(magnitude);
  if (narrow != magnitude) return taker.fail();
  to.add_integer(name, narrow);
}

void decode_number(Taker& taker, bool is_negative, Builder& to, Bytes name) {
  constexpr double kBound = 9223372036854775808.0;
  if (is_negative) taker.set_mask(static_cast<std::uint8_t>(~taker.mask()));
  const double magnitude = std::bit_cast<double>(taker.big_endian(8));
  const std::uint8_t more = taker.byte();
  const double number = is_negative ? -magnitude : magnitude;
  if (more == kHasDigits) {
    decode_digits(taker, is_negative, to, name);
  } else if (more != kIsDouble) {
    taker.fail();
  } else if (number >= -kBound && number < kBound && number == std::trunc(number)) {
    to.add_integer(name, static_cast<std::int64_t>(number));
  } else {
    to.add_double(name, number);
  }
}

void decode_value(Taker& taker, Builder& to, Bytes name) {
  const std::uint8_t kind = taker.byte();
  if (kind == kNegativeNumber || kind == kPositiveNumber) {
    return decode_number(taker, kind == kNegativeNumber, to, name);
  }
  if (kind == kZeroNumber) {
    to.add_int32(name, 0);
    return;
  }
  if (kind == kTrueKind) {
    to.add_bool(name, true);
    return;
  }
  switch (static_cast<Kind>(kind)) {
    case Kind::MinKey:
      to.add(name, {Type::MinKey, {}});
      return;
    case Kind::Null:
      to.add_null(name);
      return;
    case Kind::MaxKey:
      to.add(name, {Type::MaxKey, {}});
      return;
    case Kind::String:
      to.add_string(name, taker.text());
      return;
    case Kind::Binary: {
      const auto size = static_cast<std::size_t>(taker.big_endian(4));
      const std::uint8_t subtype = taker.byte();
      to.add_binary(name, taker.bytes(size), subtype);
      return;
    }
    case Kind::ObjectId:
      to.add_object_id(name, taker.bytes(12));
      return;
    case Kind::Bool:
      to.add_bool(name, false);
      return;
    case Kind::Date:
      to.add_date(name, static_cast<std::int64_t>(taker.big_endian(8) ^ std::uint64_t{1} << 63));
      return;
    case Kind::Timestamp:
      to.add_timestamp(name, taker.big_endian(8));
      return;
    case Kind::Regex: {
      const ByteString pattern = taker.text();
      to.add_regex(name, pattern, taker.text());
      return;
    }
    default:
      taker.fail();
  }
}

}  // namespace

bool decode_key(Bytes& key, Direction direction, Builder& to, Bytes name) {
  Taker taker(key, direction == Direction::Descending ? 0xff : 0);
  decode_value(taker, to, name);
  return taker.is_good();
}

}  // namespace vitrine::doc
