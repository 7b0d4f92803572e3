// SPDX-License-Identifier: MIT OR Apache-2.0
#include "os/sim_disk.hpp"

#include <algorithm>
#include <utility>

#include "os/file_error.hpp"

namespace vitrine::os {
namespace {

std::size_t page_of(std::uint64_t offset) { return static_cast<std::size_t>(offset / SimBytes::kPageSize); }

std::size_t page_after(std::uint64_t end) {
  return static_cast<std::size_t>((end + SimBytes::kPageSize - 1) / SimBytes::kPageSize);
}

bool belongs_to(const SimNameChange& change, std::string_view directory) {
  return directory_of(change.to.empty() ? change.from : change.to) == directory;
}

}  // namespace

void SimFileState::mark_space(std::uint64_t offset, std::uint64_t length) {
  if (length == 0) return;
  const std::size_t end = page_after(offset + length);
  if (has_space.size() < end) has_space.resize(end);
  for (std::size_t page = page_of(offset); page < end; ++page) has_space[page] = true;
}

void SimFileState::set_size(std::uint64_t to) {
  if (to < size && page_after(to) < has_space.size()) has_space.resize(page_after(to));
  bytes.clear_from(to);
  size = to;
}

void sim_apply(SimFileState& state, const SimChange& change) {
  switch (change.kind) {
    case SimChange::Kind::Write:
      state.bytes.write(change.offset, change.bytes.data(), change.bytes.size());
      state.mark_space(change.offset, change.bytes.size());
      break;
    case SimChange::Kind::Grow:
      state.size = std::max(state.size, change.offset + change.length);
      state.mark_space(change.offset, change.length);
      break;
    case SimChange::Kind::Resize:
      state.set_size(change.length);
      break;
  }
}

std::uint64_t sim_name_hash(std::string_view path, const SimFileState& state) {
  std::uint64_t hash = path.size();
  for (const char character : path) hash = sim_mix(hash + static_cast<unsigned char>(character));
  return sim_mix(hash + state.hash());
}

void sim_apply(SimNames& names, const SimNameChange& change) {
  const auto old = change.from.empty() ? names.end() : names.find(change.from);
  if (old != names.end() && old->second == change.inode) names.erase(old);
  if (!change.to.empty()) names[change.to] = change.inode;
}

void SimInode::add_pending(SimChange change) {
  if (change.kind == SimChange::Kind::Resize) pending_size = change.length;
  if (change.kind == SimChange::Kind::Grow) {
    change.moves_end = change.offset + change.length > pending_size;
    pending_size = std::max(pending_size, change.offset + change.length);
  }
  pending.push_back(std::move(change));
}

void SimInode::make_pending_durable() {
  for (const SimChange& change : pending) sim_apply(durable, change);
  durable.bytes.clear_from(durable.size);  // a misdirected write may lie beyond the end
  pending.clear();
}

void SimInode::drop_pending() {
  pending.clear();
  pending_size = durable.size;
}

std::shared_ptr<SimInode> SimDisk::make_inode() {
  auto inode = std::make_shared<SimInode>();
  inode->number = ++last_inode_;
  std::erase_if(inodes_, [](const std::weak_ptr<SimInode>& known) { return known.expired(); });
  inodes_.push_back(inode);
  return inode;
}

SimChange SimDisk::change(SimChange::Kind kind, std::uint64_t offset, std::uint64_t length) {
  SimChange change;
  change.kind = kind;
  change.sequence = ++last_sequence_;
  change.offset = offset;
  change.length = length;
  return change;
}

void SimDisk::show_write(SimInode& inode, std::uint64_t offset, const std::vector<std::byte>& bytes) {
  inode.visible.bytes.write(offset, bytes.data(), bytes.size());
  inode.visible.mark_space(offset, bytes.size());
  inode.visible.size = std::max(inode.visible.size, offset + bytes.size());
}

void SimDisk::grow_pending(SimInode& inode, std::uint64_t offset, std::uint64_t length) {
  if (offset + length <= inode.pending_size) return;
  inode.add_pending(change(SimChange::Kind::Grow, offset, length));
}

void SimDisk::write(SimInode& inode, std::uint64_t offset, std::vector<std::byte> bytes) {
  write_misdirected(inode, offset, std::move(bytes), offset);
}

void SimDisk::write_lost(SimInode& inode, std::uint64_t offset, const std::vector<std::byte>& bytes) {
  if (bytes.empty()) return;
  show_write(inode, offset, bytes);
  grow_pending(inode, offset, bytes.size());  // the size is metadata and takes another way to the disk
}

void SimDisk::write_misdirected(SimInode& inode, std::uint64_t offset, std::vector<std::byte> bytes, std::uint64_t to) {
  if (bytes.empty()) return;
  show_write(inode, offset, bytes);
  grow_pending(inode, offset, bytes.size());
  SimChange write = change(SimChange::Kind::Write, to, bytes.size());
  write.bytes = std::move(bytes);
  inode.add_pending(std::move(write));
}

void SimDisk::resize(SimInode& inode, std::uint64_t size) {
  const bool changes_nothing = inode.visible.size == size && inode.pending_size == size;
  inode.visible.set_size(size);
  if (!changes_nothing) inode.add_pending(change(SimChange::Kind::Resize, 0, size));
}

void SimDisk::reserve(SimInode& inode, std::uint64_t offset, std::uint64_t size) {
  inode.visible.mark_space(offset, size);
  inode.visible.size = std::max(inode.visible.size, offset + size);
  inode.add_pending(change(SimChange::Kind::Grow, offset, size));
}

void SimDisk::fail_sync(SimInode& inode, SyncFailure how, std::uint64_t sector_size) {
  if (how == SyncFailure::PartlyDurable) {
    for (const SimChange& change : inode.pending) {
      if (change.kind != SimChange::Kind::Write) {
        if (random_.one_in(2)) sim_apply(inode.durable, change);
        continue;
      }
      for (std::uint64_t done = 0; done < change.bytes.size();) {
        const std::uint64_t at = change.offset + done;
        const std::uint64_t count = std::min<std::uint64_t>(sector_size - at % sector_size, change.bytes.size() - done);
        if (random_.one_in(2)) inode.durable.bytes.write(at, change.bytes.data() + done, count);
        done += count;
      }
    }
    inode.durable.bytes.clear_from(inode.durable.size);
  }
  inode.drop_pending();
  if (how == SyncFailure::RevertPending) inode.visible = inode.durable;
}

void SimDisk::apply_name_change(std::string from, std::string to, std::shared_ptr<SimInode> inode) {
  SimNameChange change{++last_sequence_, std::move(from), std::move(to), std::move(inode)};
  sim_apply(names_, change);
  pending_names_.push_back(std::move(change));
}

void SimDisk::add_name(const std::string& path, std::shared_ptr<SimInode> inode) {
  apply_name_change({}, path, std::move(inode));
}

void SimDisk::remove_name(const std::string& path) { apply_name_change(path, {}, names_.at(path)); }

void SimDisk::move_name(const std::string& from, const std::string& to) {
  apply_name_change(from, to, names_.at(from));
}

void SimDisk::sync_directory(std::string_view directory) {
  for (const SimNameChange& change : pending_names_) {
    if (belongs_to(change, directory)) sim_apply(durable_names_, change);
  }
  std::erase_if(pending_names_, [&](const SimNameChange& change) { return belongs_to(change, directory); });
}

void SimDisk::fail_directory_sync(std::string_view directory, SyncFailure how) {
  for (const SimNameChange& change : pending_names_) {
    const bool survives = how == SyncFailure::PartlyDurable && random_.one_in(2);
    if (survives && belongs_to(change, directory)) sim_apply(durable_names_, change);
  }
  std::erase_if(pending_names_, [&](const SimNameChange& change) { return belongs_to(change, directory); });
}

void SimDisk::add_durable(const std::string& path, SimFileState state) {
  std::shared_ptr<SimInode> inode = make_inode();
  inode->pending_size = state.size;
  inode->visible = state;
  inode->durable = std::move(state);
  names_[path] = inode;
  durable_names_[path] = std::move(inode);
}

std::uint64_t SimDisk::used_bytes() const {
  std::uint64_t pages = 0;
  for (const std::weak_ptr<SimInode>& known : inodes_) {
    const std::shared_ptr<SimInode> inode = known.lock();
    if (inode == nullptr) continue;
    const auto has_inode = [&](const auto& entry) { return entry.second == inode; };
    if (inode->open_handles == 0 && std::none_of(names_.begin(), names_.end(), has_inode)) continue;
    const std::vector<bool>& space = inode->visible.has_space;
    pages += static_cast<std::uint64_t>(std::count(space.begin(), space.end(), true));
  }
  return pages * SimBytes::kPageSize;
}

std::uint64_t SimDisk::fitting(const SimInode& inode, std::uint64_t offset, std::uint64_t size,
                               std::uint64_t capacity) const {
  if (capacity == kSimUnlimited || size == 0) return size;
  const std::uint64_t used = used_bytes();
  std::uint64_t free_pages = used >= capacity ? 0 : (capacity - used) / SimBytes::kPageSize;
  for (std::size_t page = page_of(offset); page < page_after(offset + size); ++page) {
    if (page < inode.visible.has_space.size() && inode.visible.has_space[page]) continue;
    if (free_pages == 0) return std::max(offset, page * std::uint64_t{SimBytes::kPageSize}) - offset;
    --free_pages;
  }
  return size;
}

}  // namespace vitrine::os
