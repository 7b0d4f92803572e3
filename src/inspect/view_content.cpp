// SPDX-License-Identifier: MIT OR Apache-2.0
// Tree, keys and keyspaces: what the pages say together. Entries come through the engine when it can open the file,
// with what the log has; else from the pages of the last checkpoint, with a list of what is missing.
#include <algorithm>
#include <map>

#include "base/codec.hpp"
#include "base/try.hpp"
#include "inspect/tree_stream.hpp"
#include "inspect/tree_walk.hpp"
#include "inspect/views.hpp"
#include "kv/keyspace.hpp"
#include "tree/extent.hpp"

namespace vitrine::inspect {
namespace {

constexpr std::uint64_t kValueShown = 4096;
// Read for one answer: more than a way from the root to a leaf can have, so that the next one gets on.
constexpr std::uint64_t kNodesMax = 1024;

struct Entry {
  Bytes key;   // of the tree
  Bytes cell;  // value, or descriptor of a large one
  bool is_large = false;
};
using EntryVisitor = std::function<Result<bool>(const Entry&)>;

// Entries of the present through the engine, or of the checkpoint from single pages; both go on behind a damaged page.
class Entries {
 public:
  Entries(SourceFile& source, const Options& options) {
    Result<std::unique_ptr<Moment>> present = present_moment(source.path(), options);
    refused_ = present.status();
    is_present_ = present.has_value();
    if (is_present_) {
      moment_ = *std::move(present);
    } else if (source.header_status().is_ok()) {
      moment_ = checkpoint_moment(source, source.meta());
    }
  }

  // `visit` ends it by false. It reads no more than some nodes: then stopped_at() is where to go on.
  Status walk(Bytes from, const EntryVisitor& visit) {
    if (moment_ == nullptr) return refused_;
    TreeStream stream(*moment_);
    while (stream.at() != TreeStream::At::End) {
      if (stream.at() == TreeStream::At::Entry) {
        const bool is_wanted = stream.low() >= from;
        if (is_wanted && !TRY(visit({stream.low(), stream.cell(), stream.is_large()}))) return {};
        stream.skip();
      } else if (!stream.high().empty() && stream.high() <= from) {
        stream.skip();
      } else if (stream.nodes_read() + stream.gaps() == kNodesMax) {
        stopped_at_ = std::max<Bytes>(stream.low(), from);
        return {};
      } else {
        CHECK(open(stream));
      }
    }
    return {};
  }

  // Up to `size_max` bytes of the record.
  Result<std::string> record(const Entry& entry, std::uint64_t size_max) {
    if (!entry.is_large) return std::string(entry.cell.substr(0, size_max));
    const std::unique_ptr<ValueReader> value = TRY(moment_->value(entry.cell));
    std::string record;
    while (record.size() < std::min(size_max, value->size())) {
      record.append(TRY(value->at(record.size())).substr(0, size_max - record.size()));
    }
    return record;
  }

  const std::optional<std::string>& stopped_at() const noexcept { return stopped_at_; }

  void add_source(Value& to) const {
    to.add("source", is_present_ ? "database" : "checkpoint").add("error", error_name_value(refused_));
    Value::List gaps;
    for (const auto& [page, why] : gaps_) {
      gaps.push_back(Value::object().add("page", page).add("error", why.name()));
    }
    to.add("gaps", std::move(gaps));
  }

 private:
  Status open(TreeStream& stream) {
    const PageNo page = stream.ref().page();
    const std::uint64_t before = stream.gaps();
    CHECK(stream.open());
    if (stream.gaps() > before) gaps_[page] = stream.last_gap();
    return {};
  }

  std::unique_ptr<Moment> moment_;  // null: there is neither
  bool is_present_ = false;
  Status refused_;  // why it is not the present
  std::map<PageNo, Status> gaps_;
  std::optional<std::string> stopped_at_;
};

using Catalog = std::map<std::uint64_t, KeyspaceInfo>;

Result<Catalog> read_catalog(Entries& entries) {
  Catalog catalog;
  catalog[kv::kDefaultId] = {std::string(kv::kDefaultName), Keyspace{}};
  CHECK(entries.walk({}, [&](const Entry& entry) -> Result<bool> {
    Bytes key = entry.key;
    if (base::take_varint(key) != kv::kCatalogId) return false;
    const Result<Keyspace> keyspace = kv::decode_catalog_entry(entry.cell);
    if (kv::check_keyspace_name(key).is_ok() && keyspace.has_value()) {
      catalog[keyspace->id] = {std::string(key), *keyspace};
    }
    return true;
  }));
  return catalog;
}

Result<std::uint64_t> record_size(const Entry& entry) {
  if (!entry.is_large) return std::uint64_t{entry.cell.size()};
  return TRY(tree::decode_large_value(entry.cell)).size;
}

Result<Value> key_row(Entries& entries, const Catalog& catalog, const Entry& entry, Disclosure disclosure) {
  Value row = Value::object();
  add_tree_key(row, entry.key, disclosure);
  row.add("record_size", TRY(record_size(entry))).add("large", entry.is_large);
  if (disclosure != Disclosure::Values) return row;
  Bytes rest = entry.key;
  const auto found = catalog.find(base::take_varint(rest).value_or(kv::kCatalogId));
  const Keyspace keyspace = found == catalog.end() ? Keyspace{kv::kCatalogId, false} : found->second.keyspace;
  const Result<std::string> record = entries.record(entry, kValueShown + 10);
  if (!record.has_value() && record.status().kind() != ErrorKind::IntegrityFailure) return record.status();
  row.add("error", error_name_value(record.status()));
  if (!record.has_value()) return row;
  const kv::Record parts = TRY(kv::split_record(keyspace, *record));
  row.add("version", keyspace.versions ? Value(parts.version) : Value());
  row.add("value", bytes_value(parts.value.substr(0, kValueShown)));
  row.add("value_shown_bytes", std::uint64_t{std::min<std::uint64_t>(parts.value.size(), kValueShown)});
  return row;
}

Result<std::string> bytes_from_hex(const std::string& hex) {
  std::string bytes;
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    if (digit(hex[i]) < 0 || digit(hex[i + 1]) < 0) break;
    bytes.push_back(static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1])));
  }
  if (bytes.size() * 2 != hex.size()) {
    return Status::error(ErrorCode::ArgumentInvalid, "the position must be one that an earlier answer gave")
        .with("from", hex);
  }
  return bytes;
}

Value child_row(SourceFile& source, const PageRef& ref, unsigned level, unsigned slot) {
  std::vector<std::byte> image;
  const Result<tree::NodeView> node = read_node(source, ref, level, image);
  Value row = Value::object().add("slot", std::uint64_t{slot}).add("ref", ref_value(ref));
  row.add("error", error_name_value(node.status()));
  if (!node.has_value()) return row;
  row.add("count", std::uint64_t{node->count()});
  row.add("fill", static_cast<double>(node->used()) / static_cast<double>(tree::node_capacity(source.page_size())));
  return row;
}

// The reference that leads to a node: from the header, or what the page says of itself when it was asked for by number.
Result<PageRef> tree_target(SourceFile& source, PageNo page) {
  if (page == 0) {
    CHECK(source.header_status());
    return source.meta().tree_root;
  }
  const PageLook look = TRY(source.look(page));
  if (!look.is_intact()) return Status::error(ErrorCode::PageChecksum).with("page", page);
  return PageRef{page, look.header().generation, look.header().session};
}

}  // namespace

// `from` is PAGE, or PAGE:SLOT to go on inside a node.
Result<Value> tree_view(SourceFile& source, const Request& request) {
  const std::size_t colon = request.from.find(':');
  Request part;
  part.from = request.from.substr(0, colon);
  const PageRef ref = TRY(tree_target(source, TRY(number_from(part, 0))));
  part.from = colon == std::string::npos ? "" : request.from.substr(colon + 1);
  const std::uint64_t first = TRY(number_from(part, 0));
  Value value = Value::object().add("node", ref_value(ref));
  if (ref.is_null()) return std::move(value).add("level", Value()).add("count", std::uint64_t{0});
  std::vector<std::byte> image;
  const tree::NodeView node = TRY(read_node(source, ref, std::nullopt, image));
  value.add("level", std::uint64_t{node.level()}).add("count", std::uint64_t{node.count()});
  value.add("fill", static_cast<double>(node.used()) / static_cast<double>(tree::node_capacity(source.page_size())));
  if (node.is_leaf()) return value;
  Value::List children;
  unsigned i = static_cast<unsigned>(std::min<std::uint64_t>(first, node.count()));
  for (; i < node.count() && children.size() < request.limit; ++i) {
    Value row = child_row(source, node.child(i), node.level() - 1, i);
    std::string key;
    node.key(i).append_to(key);
    if (request.disclosure != Disclosure::Structure) row.add("separator", bytes_value(key));
    children.push_back(std::move(row));
  }
  value.add("next", i < node.count() ? Value(std::to_string(ref.page()) + ":" + std::to_string(i)) : Value());
  return std::move(value).add("children", std::move(children));
}

Result<Value> keys_view(SourceFile& source, const Request& request, const Options& options) {
  const std::string from = TRY(bytes_from_hex(request.from));
  Entries entries(source, options);
  Catalog catalog;
  if (request.disclosure == Disclosure::Values) catalog = TRY(read_catalog(entries));
  Value::List rows;
  Value next;
  CHECK(entries.walk(from, [&](const Entry& entry) -> Result<bool> {
    if (rows.size() == request.limit) {
      next = format::hex_of(entry.key.data(), entry.key.size());
      return false;
    }
    rows.push_back(TRY(key_row(entries, catalog, entry, request.disclosure)));
    return true;
  }));
  if (next.is_null() && entries.stopped_at()) {
    next = format::hex_of(entries.stopped_at()->data(), entries.stopped_at()->size());
  }
  Value value = Value::object();
  entries.add_source(value);
  return std::move(value).add("next", std::move(next)).add("keys", std::move(rows));
}

Result<Value> catalog_view(SourceFile& source, const Options& options) {
  Entries entries(source, options);
  Value::List rows;
  for (const auto& [id, info] : TRY(read_catalog(entries))) {
    rows.push_back(
        Value::object().add("id", id).add("name", bytes_value(info.name)).add("versions", info.keyspace.versions));
  }
  Value value = Value::object();
  entries.add_source(value);
  return std::move(value).add("keyspaces", std::move(rows));
}

}  // namespace vitrine::inspect
