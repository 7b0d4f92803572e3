// SPDX-License-Identifier: MIT OR Apache-2.0
#include "wal/slots.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "base/try.hpp"
#include "os/zeros.hpp"

namespace vitrine::wal {

SlotRing::SlotRing(os::File& file, std::uint32_t segment_size, std::uint64_t size_max)
    : file_(file), segment_size_(segment_size), slot_count_max_(size_max / segment_size) {}

Status SlotRing::restore(std::span<const std::optional<format::SegmentHeader>> headers,
                         std::span<const std::uint64_t> live) {
  const std::uint64_t size = TRY(file_.size());
  if (const std::uint64_t whole_size = offset_of(headers.size()); size < whole_size) CHECK(prepare(size, whole_size));
  slots_.assign(headers.size(), {});
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (headers[i]) slots_[i].number = headers[i]->number;
  }
  for (const std::uint64_t slot : live) slots_[slot].is_live = true;
  free_count_ = slots_.size() - live.size();
  count_ = slots_.size();
  prewritten_ = file_size();  // for all that is known
  return {};
}

// Gives [from, to) behind the end of the file space, which reads as zeros.
Status SlotRing::prepare(std::uint64_t from, std::uint64_t to) {
  Status status = file_.reserve(from, to - from);
  // Gives back what was taken of a full disk; nothing was in it, so failing to do so costs space only.
  if (!status.is_ok()) (void)file_.resize(from);
  return status;
}

Status SlotRing::grow() {
  if (!can_grow()) return Status::error(ErrorCode::LogFull).with("size_max", slot_count_max_ * segment_size_);
  slots_.reserve(slots_.size() + 1);
  CHECK(prepare(offset_of(slots_.size()), offset_of(slots_.size() + 1)));
  slots_.emplace_back();
  ++free_count_;
  count_ = slots_.size();
  return {};
}

Status SlotRing::prewrite(std::uint64_t end) {
  constexpr std::uint64_t kAheadMin = 128u << 10, kAheadMax = 1u << 20;
  const std::uint64_t ahead = std::clamp(end - format::kLogSlotsOffset, kAheadMin, kAheadMax);
  if (prewritten_ >= std::min(end + ahead / 2, file_size())) return {};
  const std::uint64_t from = std::max(prewritten_, end), to = std::min(end + ahead, file_size());
  if (from < to) CHECK(os::write_zeros(file_, from, to - from));
  prewritten_ = std::max(from, to);
  return {};
}

// A slot that claims this very segment; else one that claims none ahead, because the header over it may be lost in a
// crash and leave the old claim standing; else any.
std::size_t SlotRing::choose(std::uint64_t number) const noexcept {
  std::optional<std::size_t> harmless;
  std::optional<std::size_t> any;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].is_live) continue;
    if (slots_[i].number == number) return i;
    if (!harmless && (!slots_[i].number || *slots_[i].number < number)) harmless = i;
    if (!any) any = i;
  }
  VITRINE_ASSERT(any.has_value());
  return harmless ? *harmless : *any;
}

std::uint64_t SlotRing::take(std::uint64_t number) noexcept {
  const std::size_t slot = choose(number);
  slots_[slot] = {number, true};
  --free_count_;
  return offset_of(slot);
}

void SlotRing::recycle(std::uint64_t first_kept) noexcept {
  for (Slot& slot : slots_) {
    if (slot.is_live && *slot.number < first_kept) {
      slot.is_live = false;
      ++free_count_;
    }
  }
}

}  // namespace vitrine::wal
