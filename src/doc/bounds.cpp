// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/bounds.hpp"

#include <algorithm>

namespace vitrine::doc {
namespace {

constexpr Bytes kEnd = "\xff";                            // above the kind of the greatest key
constexpr std::size_t kBytesMax = std::size_t{16} << 20;  // of the ranges of one index

// The position that divides complemented keys where `position` divides the keys themselves.
ByteString complemented(const ByteString& position) {
  if (position.empty()) return ByteString(kEnd);
  if (position == kEnd) return {};
  ByteString turned = position;
  for (char& byte : turned) byte = static_cast<char>(~byte);
  return after_prefix(turned);
}

KeyRanges in_direction(const KeyRanges& ranges, Direction direction) {
  if (direction == Direction::Ascending) return ranges;
  KeyRanges turned;
  for (auto range = ranges.rbegin(); range != ranges.rend(); ++range) {
    turned.push_back({complemented(range->high), complemented(range->low), range->is_point});
    if (!range->is_point) continue;
    turned.back().low = range->low;
    for (char& byte : turned.back().low) byte = static_cast<char>(~byte);
    turned.back().high = after_prefix(turned.back().low);
  }
  return turned;
}

std::size_t bytes_of(const KeyRanges& ranges) {
  std::size_t bytes = 0;
  for (const KeyRange& range : ranges) bytes += range.low.size() + range.high.size();
  return bytes;
}

bool all_points(const KeyRanges& ranges) {
  return std::all_of(ranges.begin(), ranges.end(), [](const KeyRange& range) { return range.is_point; });
}

}  // namespace

KeyRanges all_keys() { return {{{}, ByteString(kEnd), false}}; }

bool is_all(const KeyRanges& ranges) {
  return ranges.size() == 1 && ranges.front().low.empty() && ranges.front().high == kEnd;
}

KeyRange point_of(const Value& value) {
  ByteString key = encoded_key(value);
  ByteString after = after_prefix(key);
  return {std::move(key), std::move(after), true};
}

KeyRanges intersect(const KeyRanges& a, const KeyRanges& b) {
  KeyRanges both;
  for (std::size_t i = 0, k = 0; i < a.size() && k < b.size();) {
    const ByteString& low = std::max(a[i].low, b[k].low);
    const ByteString& high = std::min(a[i].high, b[k].high);
    if (low < high) both.push_back({low, high, a[i].is_point || b[k].is_point});
    if (a[i].high < b[k].high) {
      ++i;
    } else {
      ++k;
    }
  }
  return both;
}

KeyRanges unite(KeyRanges ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const KeyRange& a, const KeyRange& b) { return a.low < b.low; });
  KeyRanges joined;
  for (KeyRange& range : ranges) {
    if (range.low >= range.high) continue;
    if (joined.empty() || joined.back().high <= range.low) {
      joined.push_back(std::move(range));
      continue;
    }
    KeyRange& last = joined.back();
    last.is_point &= range.is_point;  // the same value twice
    if (last.high < range.high) last.high = std::move(range.high);
  }
  return joined;
}

IndexRanges index_ranges(const Index& index, const std::vector<KeyRanges>& parts, std::size_t count_max) {
  IndexRanges result{all_keys(), 0, 0};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (is_all(parts[i]) || parts[i].size() * result.ranges.size() > count_max) break;
    const KeyRanges tails = in_direction(parts[i], index.parts[i].direction);
    if (i > 0 && bytes_of(result.ranges) * std::max<std::size_t>(tails.size(), 1) > kBytesMax) break;
    KeyRanges longer;
    for (const KeyRange& head : result.ranges) {
      const Bytes prefix = i == 0 ? Bytes() : Bytes(head.low);
      for (const KeyRange& tail : tails) {
        longer.push_back({ByteString(prefix).append(tail.low), ByteString(prefix).append(tail.high), tail.is_point});
      }
    }
    result.ranges = std::move(longer);
    result.used = i + 1;
    if (!all_points(parts[i])) break;
    result.points = i + 1;
  }
  return result;
}

}  // namespace vitrine::doc
