// SPDX-License-Identifier: MIT OR Apache-2.0
// Feeds arbitrary images of arbitrary length to PageCodec. Checked: no crash; an image opens under the identity in its
// header exactly when it is intact; sealing makes any image intact and opening leaves it as it was.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "base/codec.hpp"
#include "format/page.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vitrine::format;
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  std::vector<std::byte> image(bytes, bytes + size);
  const PageCodec codec(FileId{1, 2});
  if (size < kPageHeaderSize + kPageTrailerSize) {
    if (codec.is_intact(image.data(), size)) std::abort();
    return 0;
  }
  const auto header = vitrine::base::load<PageHeader>(image.data());
  const PageRef named{header.page, header.generation, header.session};
  const bool is_numbered = header.page <= kPageNoMax;
  if (codec.open(image.data(), size, named).is_ok() != (codec.is_intact(image.data(), size) && is_numbered)) {
    std::abort();
  }
  if (!codec.seal(image.data(), size).is_ok()) std::abort();
  const std::vector<std::byte> sealed = image;
  if (codec.open(image.data(), size, named).is_ok() != is_numbered || image != sealed) std::abort();
  return 0;
}
