// SPDX-License-Identifier: MIT OR Apache-2.0
// Header, pages, one page, space and snapshots: what stands in the database file.
#include <algorithm>

#include "base/codec.hpp"
#include "base/try.hpp"
#include "engine/engine.hpp"
#include "inspect/parent.hpp"
#include "inspect/views.hpp"
#include "tree/describe.hpp"

namespace vitrine::inspect {
namespace {

constexpr std::uint64_t kSpaceLeaves = 2;             // leaves of the map that one answer about space looks at
constexpr std::uint64_t kSnapshotCheckpoints = 4096;  // how far back from the newest readers are looked for

Value block_value(SourceFile& source, unsigned index) {
  const unsigned slot = index / 2, copy = index % 2;
  const std::size_t offset = std::min(index * format::kMetaBlockSize, source.header_area().size());
  const auto block =
      source.header_area().subspan(offset, std::min(format::kMetaBlockSize, source.header_area().size() - offset));
  const Result<format::Meta> meta = format::decode_meta(block, slot, copy, source.keys());
  const bool is_zero = std::all_of(block.begin(), block.end(), [](std::byte b) { return b == std::byte{0}; });
  const bool is_newest =
      meta.has_value() && source.header_status().is_ok() && meta->checkpoint == source.meta().checkpoint;
  Value value = Value::object();
  value.add("slot", std::uint64_t{slot}).add("copy", std::uint64_t{copy});
  value.add("offset", std::uint64_t{index * format::kMetaBlockSize});
  value.add("state", is_zero ? "unused" : !meta.has_value() ? "damaged" : is_newest ? "newest" : "older");
  value.add("error", is_zero ? Value() : error_name_value(meta.status()));
  if (block.size() == format::kMetaBlockSize) value.add("fields", notes_value(format::describe_meta(block)));
  return value;
}

Value chosen_value(const format::Meta& meta) {
  return Value::object()
      .add("file_id", format::hex_of(meta.file))
      .add("page_size", meta.page_size)
      .add("page_count", meta.page_count)
      .add("checkpoint", meta.checkpoint)
      .add("checkpoint_wall_ms", meta.wall_ms)
      .add("open_count", meta.open_count)
      .add("clean", meta.is_clean())
      .add("version", meta.version)
      .add("commit_seq", meta.commit_seq)
      .add("entries", meta.entry_count)
      .add("tree_root", ref_value(meta.tree_root))
      .add("map_root", ref_value(meta.map_root))
      .add("log_position", meta.log_position)
      .add("encrypted", meta.is_encrypted())
      .add("key_slots", std::uint64_t{meta.keys.list().size()})
      .add("key_epoch", meta.key_epoch)
      .add("rotating", meta.is_rotating());
}

// The content of an intact page beyond its fields.
Value content_value(SourceFile& source, const PageLook& look, const Request& request) {
  if (!tree::is_node(look.image.data())) return {};
  const tree::NodeView node(look.image.data(), source.page_size());
  const Status valid = tree::validate_page(look.image.data(), source.page_size());
  if (!valid.is_ok()) return Value::object().add("error", valid.name()).add("message", valid.message());
  Value::List rows;
  for (unsigned i = 0; i < node.count() && i < request.limit; ++i) {
    std::string key;
    node.key(i).append_to(key);
    Value row = Value::object().add("slot", std::uint64_t{i});
    add_tree_key(row, key, request.disclosure);
    if (node.is_leaf()) {
      row.add("record_size", std::uint64_t{node.value(i).size()}).add("large", node.is_large(i));
      if (request.disclosure == Disclosure::Values && !node.is_large(i)) row.add("record", bytes_value(node.value(i)));
    } else {
      row.add("child", ref_value(node.child(i)));
    }
    rows.push_back(std::move(row));
  }
  return Value::object().add("count", std::uint64_t{node.count()}).add("slots", std::move(rows));
}

// The header blocks that lie in a page of the header area.
format::FieldNotes header_notes(const PageLook& look, std::uint32_t page_size) {
  format::FieldNotes notes;
  const std::uint64_t begin = look.page * page_size;
  for (std::uint64_t at = 0; at + format::kMetaBlockSize <= look.image.size(); at += format::kMetaBlockSize) {
    if (begin + at >= format::kMetaAreaSize) break;
    for (format::FieldNote& note : format::describe_meta(std::span(look.image).subspan(at, format::kMetaBlockSize))) {
      note.offset += at;
      notes.push_back(std::move(note));
    }
  }
  return notes;
}

format::FieldNotes notes_of(const SourceFile& source, const PageLook& look, Disclosure disclosure) {
  if (look.integrity == Integrity::Header) return header_notes(look, source.page_size());
  const bool is_sealed = look.integrity == Integrity::Sealed;
  if (is_sealed && look.header().page != look.page) {
    return {{0, look.image.size(), "encrypted", "", "the inside of an extent, or a page that was never written"}};
  }
  format::FieldNotes notes = format::describe_page(look.image.data(), look.image.size());
  if (is_sealed) return notes;
  switch (look.header().type) {
    case format::PageType::Leaf:
    case format::PageType::Inner:
      tree::describe_node(notes, {look.image.data(), source.page_size()}, disclosure != Disclosure::Structure);
      break;
    case format::PageType::Extent:
    case format::PageType::ExtentList:
      tree::describe_extent(notes, look.image.data(), look.image.size());
      break;
    case format::PageType::MapLeaf:
    case format::PageType::MapInner:
      space::describe_map(notes, source.page_size(), look.image.data());
      break;
  }
  std::stable_sort(notes.begin(), notes.end(), [](const auto& a, const auto& b) { return a.offset < b.offset; });
  return notes;
}

Result<Value> parent_value(SourceFile& source, const PageLook& look) {
  if (!look.is_intact() || !source.header_status().is_ok()) return Value();
  const std::optional<Parent> parent = TRY(find_parent(source, look));
  if (!parent) return Value();
  return Value::object()
      .add("page", parent->page == 0 ? Value() : Value(parent->page))
      .add("slot", parent->page == 0 ? Value() : Value(std::uint64_t{parent->slot}));
}

std::optional<bool> in_use(SourceFile& source, std::optional<MapReader>& map, PageNo page) {
  if (!source.header_status().is_ok()) return std::nullopt;
  if (!map) map.emplace(source);
  return map->is_allocated(page);
}

}  // namespace

Result<Value> header_view(SourceFile& source) {
  Value::List blocks;
  for (unsigned i = 0; i < format::kMetaBlockCount; ++i) blocks.push_back(block_value(source, i));
  return Value::object()
      .add("file_bytes", source.file_bytes())
      .add("error", error_name_value(source.header_status()))
      .add("chosen", source.header_status().is_ok() ? chosen_value(source.meta()) : Value())
      .add("blocks", std::move(blocks));
}

Result<Value> pages_view(SourceFile& source, const Request& request) {
  const PageNo from = TRY(number_from(request, 0));
  std::optional<MapReader> map;
  Value::List rows;
  PageLook extent;  // the last one, whose later pages need no second look
  PageNo page = from;
  for (; page < source.page_count() && rows.size() < request.limit; ++page) {
    const bool is_inside = extent.is_intact() && page < extent.first + extent.image.size() / source.page_size();
    if (!is_inside) extent = TRY(source.look(page));
    extent.page = page;
    rows.push_back(page_row(source, extent, in_use(source, map, page)));
  }
  return Value::object()
      .add("page_size", source.page_size())
      .add("page_count", source.page_count())
      .add("from", from)
      .add("next", page < source.page_count() ? Value(page) : Value())
      .add("pages", std::move(rows));
}

Result<Value> page_view(SourceFile& source, const Request& request) {
  const PageNo page = TRY(number_from(request, 0));
  if (page >= source.page_count()) {
    return Status::error(ErrorCode::ArgumentInvalid, "the file has no such page")
        .with("page", page)
        .with("pages", source.page_count());
  }
  std::optional<MapReader> map;
  const PageLook look = TRY(source.look(page));
  Value value = page_row(source, look, in_use(source, map, page));
  value.add("page_size", source.page_size()).add("offset", look.first * source.page_size());
  value.add("pointed_to_by", TRY(parent_value(source, look)));
  const bool has_fields = !look.image.empty();
  value.add("fields", has_fields ? notes_value(notes_of(source, look, request.disclosure)) : Value(Value::List{}));
  if (request.disclosure == Disclosure::Values) {
    value.add("bytes", format::hex_of(look.image.data(), look.image.size()));
  }
  value.add("content", look.is_intact() ? content_value(source, look, request) : Value());
  return value;
}

// Runs, each as long as possible, so that the answer to "what is free" is short. It ends behind a few leaves of the
// map, so that the cost has a bound; then the last run may go on in the next answer.
Result<Value> space_view(SourceFile& source, const Request& request) {
  CHECK(source.header_status());
  const PageNo from = std::max(TRY(number_from(request, source.first_page())), source.first_page());
  const std::uint64_t count = source.meta().page_count;
  MapReader map(source);
  Value::List runs;
  PageNo page = from;
  const std::uint64_t stop = std::min(count, from + kSpaceLeaves * space::bits_per_leaf(source.page_size()));
  while (page < stop && runs.size() < request.limit) {
    const std::optional<bool> state = map.is_allocated(page);
    PageNo end = page + 1;
    while (end < stop && map.is_allocated(end) == state) ++end;
    runs.push_back(Value::object()
                       .add("first", page)
                       .add("pages", end - page)
                       .add("state", !state   ? "unknown"
                                     : *state ? "in_use"
                                              : "free"));
    page = end;
  }
  return Value::object()
      .add("page_count", count)
      .add("file_pages", source.page_count())
      .add("from", from)
      .add("next", page < count ? Value(page) : Value())
      .add("runs", std::move(runs));
}

Result<Value> snapshots_view(SourceFile& source, const Request& request) {
  CHECK(source.header_status());
  const std::uint64_t newest = source.meta().checkpoint;
  os::File& file = source.file();
  Value::List held;
  for (std::uint64_t age = 0; age < std::min(newest, kSnapshotCheckpoints) && held.size() < request.limit; ++age) {
    if (!TRY(file.locked_by_other(engine::lock_of_checkpoint(newest - age), 1))) continue;
    held.push_back(Value::object().add("checkpoint", newest - age).add("age", age));
  }
  return Value::object()
      .add("newest_checkpoint", newest)
      .add("writer", TRY(file.locked_by_other(engine::kLockWriter, 1)))
      .add("held", std::move(held));
}

}  // namespace vitrine::inspect
