// SPDX-License-Identifier: MIT OR Apache-2.0
// Feeds arbitrary header areas to choose_meta. Checked: no crash; what it accepts is in range and survives a round
// trip. The first byte says which blocks get a checksum that holds, since no fuzzer guesses 128 bits.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "base/codec.hpp"
#include "format/checksum.hpp"
#include "format/meta.hpp"

namespace vitrine::format {
namespace {

void check(const Meta& meta) {
  const auto again = decode_meta(encode_meta(meta, 1), meta_slot(meta.checkpoint), 1);
  if (!again || encode_meta(*again, 0) != encode_meta(meta, 0)) std::abort();
  if (!is_page_size(meta.page_size) || meta.page_count < first_page(meta.page_size)) std::abort();
  if (meta.tree_root.page() >= meta.page_count || meta.map_root.page() >= meta.page_count) std::abort();
}

}  // namespace
}  // namespace vitrine::format

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vitrine::format;
  if (size == 0) return 0;
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  std::vector<std::byte> area(bytes + 1, bytes + size);
  for (std::size_t i = 0; i < kMetaBlockCount && (i + 1) * kMetaBlockSize <= area.size(); ++i) {
    std::byte* block = area.data() + i * kMetaBlockSize;
    if ((data[0] >> i & 1) != 0) vitrine::base::store(block + 4080, checksum(block, 4080));
  }
  if (const auto choice = choose_meta(area)) check(choice->meta);
  return 0;
}
