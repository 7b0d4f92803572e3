// SPDX-License-Identifier: MIT OR Apache-2.0
// What the views share, and the way from a request to its view.
#include "inspect/views.hpp"

#include <array>
#include <charconv>

#include "base/codec.hpp"
#include "base/try.hpp"
#include "base/utf8.hpp"
#include "tree/node.hpp"

namespace vitrine::inspect {
namespace {

constexpr std::array<std::string_view, 11> kViewNames{"header",  "pages", "page",      "log",   "tree",  "keys",
                                                      "catalog", "space", "snapshots", "cache", "health"};

Result<Value> look_at(SourceFile& source, const Request& request, const Options& options) {
  const auto placed = [&](auto&& view) -> Result<Value> {
    CHECK(source.check_geometry());
    return view();
  };
  const auto opened = [&](auto&& view) -> Result<Value> {
    CHECK(source.check_unlocked());
    return placed(view);
  };
  switch (request.view) {
    case View::Header:
      return header_view(source);
    case View::Pages:
      return placed([&] { return pages_view(source, request); });
    case View::Page:
      return placed([&] { return page_view(source, request); });
    case View::Log:
      return log_view(source, request);
    case View::Tree:
      return opened([&] { return tree_view(source, request); });
    case View::Keys:
      return opened([&] { return keys_view(source, request, options); });
    case View::Catalog:
      return opened([&] { return catalog_view(source, options); });
    case View::Space:
      return opened([&] { return space_view(source, request); });
    case View::Snapshots:
      return snapshots_view(source, request);
    case View::Cache:
      return cache_view(source.path(), options);
    case View::Health:
      break;
  }
  return health_view(source, options);
}

bool is_printable(Bytes bytes) noexcept {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return false;
  }
  return base::is_utf8(bytes);
}

double fill_of(const PageLook& look, std::uint32_t page_size) noexcept {
  if (tree::is_node(look.image.data())) {
    const tree::NodeView node(look.image.data(), page_size);
    if (!node.validate().is_ok()) return 0;
    return static_cast<double>(node.used()) / static_cast<double>(tree::node_capacity(page_size));
  }
  const auto type = look.header().type;
  if (type == format::PageType::Extent || type == format::PageType::ExtentList) {
    const auto payload = base::load<std::uint64_t>(look.image.data() + format::kPageHeaderSize);
    return static_cast<double>(payload) / static_cast<double>(look.image.size());
  }
  return 1;
}

}  // namespace

std::string_view view_name(View view) noexcept { return kViewNames[static_cast<std::size_t>(view)]; }

std::optional<View> view_named(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kViewNames.size(); ++i) {
    if (kViewNames[i] == name) return static_cast<View>(i);
  }
  return std::nullopt;
}

Result<Value> look(const std::string& path, const Request& request, const Options& options) {
  try {
    SourceFile source = TRY(SourceFile::open(path, options, SourceFile::WithoutKey::Allowed));
    Request resolved = request;
    resolved.disclosure = resolved_disclosure(request.disclosure, source.is_encrypted());
    return look_at(source, resolved, options);
  } catch (const std::bad_alloc&) {
    return Status::out_of_memory();
  }
}

Disclosure resolved_disclosure(Disclosure disclosure, bool is_encrypted) noexcept {
  if (disclosure != Disclosure::Automatic) return disclosure;
  return is_encrypted ? Disclosure::Structure : Disclosure::Keys;
}

Result<std::uint64_t> number_from(const Request& request, std::uint64_t start) {
  if (request.from.empty()) return start;
  std::uint64_t number = 0;
  const char* const end = request.from.data() + request.from.size();
  const auto [stop, error] = std::from_chars(request.from.data(), end, number);
  if (error != std::errc{} || stop != end) {
    return Status::error(ErrorCode::ArgumentInvalid, "the position must be a number").with("from", request.from);
  }
  return number;
}

Value ref_value(const PageRef& ref) {
  if (ref.is_null()) return {};
  return Value::object()
      .add("page", ref.page())
      .add("version", ref.generation.version())
      .add("rewrite", ref.generation.rewrite())
      .add("session", format::hex_of(ref.session));
}

Value error_name_value(const Status& status) { return status.is_ok() ? Value() : Value(status.name()); }

Value bytes_value(Bytes bytes) {
  if (is_printable(bytes)) return bytes;
  return Value::object().add("hex", format::hex_of(bytes.data(), bytes.size()));
}

Value notes_value(const format::FieldNotes& notes) {
  Value::List rows;
  for (const format::FieldNote& note : notes) {
    rows.push_back(Value::object()
                       .add("offset", note.offset)
                       .add("size", note.size)
                       .add("name", note.name)
                       .add("value", note.value.empty() ? Value() : Value(note.value))
                       .add("meaning", note.meaning));
  }
  return rows;
}

Value page_row(const SourceFile& source, const PageLook& look, std::optional<bool> allocated) {
  Value row = Value::object();
  row.add("page", look.page).add("integrity", integrity_name(look.integrity));
  row.add("in_use", allocated ? Value(*allocated) : Value());
  if (!look.is_intact()) return row;
  const format::PageHeader header = look.header();
  row.add("type", format::page_type_name(header.type)).add("level", std::uint64_t{header.level});
  row.add("first", look.first).add("pages", std::uint64_t{look.image.size() / source.page_size()});
  row.add("version", header.generation.version()).add("rewrite", std::uint64_t{header.generation.rewrite()});
  row.add("session", format::hex_of(header.session)).add("fill", fill_of(look, source.page_size()));
  if (source.is_encrypted()) row.add("key_epoch", header.key_epoch);
  if (header.page != look.first) row.add("misplaced_from", header.page);
  return row;
}

void add_tree_key(Value& to, Bytes tree_key, Disclosure disclosure) {
  Bytes key = tree_key;
  const std::optional<std::uint64_t> keyspace = base::take_varint(key);
  to.add("keyspace", keyspace ? Value(*keyspace) : Value()).add("key_size", std::uint64_t{key.size()});
  if (disclosure != Disclosure::Structure) to.add("key", bytes_value(key));
}

}  // namespace vitrine::inspect
