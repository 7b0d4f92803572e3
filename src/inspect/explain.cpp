// SPDX-License-Identifier: MIT OR Apache-2.0
// Plain words for each page. Words and states stand side by side, so that people and programs read the same.
#include "vitrine/explain.hpp"

#include <algorithm>

#include "base/codec.hpp"
#include "base/try.hpp"
#include "inspect/map_reader.hpp"
#include "inspect/owners.hpp"
#include "inspect/views.hpp"
#include "tree/node.hpp"

namespace vitrine::inspect {
namespace {

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
  return std::to_string(count) + " " + std::string(count == 1 ? one : many);
}

std::string range_text(PageNo first, std::uint64_t pages) {
  if (pages == 1) return "page " + std::to_string(first);
  return "pages " + std::to_string(first) + " to " + std::to_string(first + pages - 1);
}

Value stated(std::string_view state, std::string words) {
  return Value::object().add("state", state).add("words", std::move(words));
}

// What the bytes say that `page` is. REQUIRES: `image` is intact, and begins at `first`.
std::string kind_words(const std::vector<std::byte>& image, PageNo page, PageNo first, std::uint32_t page_size) {
  const auto header = base::load<format::PageHeader>(image.data());
  const tree::NodeView node(image.data(), page_size);
  const std::string where = page != first ? "inside of " + range_text(first, image.size() / page_size) + ", " : "";
  switch (header.type) {
    case format::PageType::Leaf:
      return "leaf of the tree with " + counted(node.count(), "entry", "entries");
    case format::PageType::Inner:
      return "inner node of the tree, level " + std::to_string(header.level) + ", with " +
             counted(node.count(), "child", "children");
    case format::PageType::Extent:
      return where + "extent with " +
             counted(base::load<std::uint64_t>(image.data() + format::kPageHeaderSize), "byte", "bytes") +
             " of a large value";
    case format::PageType::ExtentList:
      return where + "list of the extents of a large value";
    case format::PageType::MapLeaf:
      return "leaf of the map of free space";
    case format::PageType::MapInner:
      return "inner page of the map of free space, level " + std::to_string(header.level);
  }
  return "page of an unknown type";
}

std::string owner_words(const Owner& owner) {
  const std::string slot = "slot " + std::to_string(owner.slot) + " of page " + std::to_string(owner.page);
  switch (owner.kind) {
    case OwnerKind::TreeRoot:
      return "the header: root of the tree";
    case OwnerKind::MapRoot:
      return "the header: root of the map of free space";
    case OwnerKind::Node:
      return slot + ", an inner node";
    case OwnerKind::Leaf:
      return slot + ", a leaf: a large value";
    case OwnerKind::ExtentList:
      return slot + ", a list of extents";
    case OwnerKind::Map:
      return slot + ", an inner page of the map";
    case OwnerKind::None:
      break;
  }
  return "nothing";
}

std::string version_text(const PageRef& ref) {
  return "version " + std::to_string(ref.generation.version()) + ", rewrite " +
         std::to_string(ref.generation.rewrite()) + ", session " + format::hex_of(ref.session);
}

// Of a page that nothing vouches for and that does not verify by itself.
std::string_view words_of_unread(Integrity integrity) noexcept {
  switch (integrity) {
    case Integrity::Zero:
      return "nothing but zeros";
    case Integrity::Beyond:
      return "the file ends before it";
    case Integrity::Sealed:
      return "encrypted: only the key, and for an extent the value it belongs to, can prove it";
    default:
      return "no page that verifies, and none is needed here";
  }
}

class Explainer {
 public:
  Explainer(SourceFile& source, const ExplainRequest& request, const RowFunction& row)
      : source_(source), request_(request), row_(row), is_sealed_(!source.check_unlocked().is_ok()), map_(source) {}

  Result<Value> run() {
    const PageNo end = std::max(source_.page_count(), source_.meta().page_count);
    const std::uint64_t window = std::max<std::uint64_t>(request_.window, 1);
    PageNo page = std::min(request_.from, end);
    const PageNo last = request_.limit < end - page ? page + request_.limit : end;
    bool is_wanted = true;
    while (page < last && is_wanted) {
      const PageNo stop = std::min(page + window, last);
      if (!is_sealed_) {
        owners_.emplace(source_, page, stop);
        CHECK(owners_->collect());
      }
      for (; page < stop && is_wanted; ++page) is_wanted = row_(TRY(explain(page)));
    }
    return Value::object()
        .add("checkpoint", source_.meta().checkpoint)
        .add("page_size", source_.page_size())
        .add("page_count", end)
        .add("explained", explained_)
        .add("in_use", in_use_)
        .add("free", free_)
        .add("damaged", damaged_)
        .add("sealed", sealed_)
        .add("next", page < end ? Value(page) : Value());
  }

 private:
  Result<Value> explain(PageNo page) {
    ++explained_;
    if (page < source_.first_page()) return header_row(page);
    if (is_sealed_) return sealed_row(page);
    const Owner& owner = owners_->of(page);
    if (owner.kind == OwnerKind::None) return loose_row(page);
    // The inside of an extent shares what was found of its first page.
    if (!last_ref_.same(owner.expected)) {
      last_status_ = source_.read(owner.expected, owner.pages, image_);
      if (!last_status_.is_ok() && last_status_.kind() != ErrorKind::IntegrityFailure) return last_status_;
      last_ref_ = owner.expected;
    }
    return owned_row(page, owner);
  }

  Value header_row(PageNo page) {
    const unsigned per_page = std::max<unsigned>(source_.page_size() / format::kMetaBlockSize, 1);
    std::string words;
    bool is_sound = true;
    for (unsigned i = 0; i < per_page; ++i) {
      const auto block = static_cast<unsigned>(page) * per_page + i;
      if (block >= format::kMetaBlockCount) break;
      is_sound = is_sound && source_.choice().is_sound(block);
      words += std::string(words.empty() ? "" : ", ") + "slot " + std::to_string(block / 2) + " copy " +
               std::to_string(block % 2) + (source_.choice().is_sound(block) ? " is sound" : " is damaged");
    }
    damaged_ += is_sound ? 0 : 1;
    return row(
        page, "part of the header", Value(), "its place: the file begins with it", Value(true),
        stated(is_sound ? "intact" : "damaged", words),
        stated("current", "the newest sound copy counts: checkpoint " + std::to_string(source_.meta().checkpoint)),
        stated("complete", "one sound copy is enough"));
  }

  // Without the key: page headers are not encrypted, so what they say can be told, but nothing proves it.
  Result<Value> sealed_row(PageNo page) {
    const PageLook look = TRY(source_.look_at_start(page));
    std::string what = "sealed: content, or free; only the key tells";
    if (look.integrity == Integrity::Sealed && look.header().page == page) {
      what = "sealed: it calls itself " + std::string(format::page_type_name(look.header().type)) + " of version " +
             std::to_string(look.header().generation.version());
    } else if (look.integrity != Integrity::Sealed) {
      what = std::string(words_of_unread(look.integrity));
    }
    sealed_ += look.integrity == Integrity::Sealed ? 1 : 0;
    const format::Meta& meta = source_.meta();
    std::string pointed = "only the key tells";
    if (page == meta.tree_root.page()) pointed = "the header: root of the tree";
    if (page == meta.map_root.page()) pointed = "the header: root of the map of free space";
    const std::string unknown = "only the key tells";
    return row(page, what, Value(), pointed, Value(),
               stated(integrity_name(look.integrity), std::string(words_of_unread(look.integrity))),
               stated("unknown", unknown), stated("unknown", unknown));
  }

  Value owned_row(PageNo page, const Owner& owner) {
    const std::optional<bool> allocated = map_.is_allocated(page);
    ++in_use_;
    std::string pointed = owner_words(owner);
    if (owner.is_shared) pointed += "; and another page, which is damage";
    if (allocated == false) pointed += "; but the map of free space calls it free, which is damage";
    const bool is_good = last_status_.is_ok() && !owner.is_shared && allocated != false;
    const PageNo first = owner.expected.page();
    std::string what = "a content that is not there";
    if (last_status_.is_ok()) what = kind_words(image_, page, first, source_.page_size());
    if (!is_good) ++damaged_;
    return row(page, what, owner.page == 0 ? Value() : Value(owner.page), pointed,
               allocated ? Value(*allocated) : Value(), integrity_of_owned(), freshness_of_owned(owner),
               completeness_of(owner));
  }

  std::string proof_words() const { return source_.is_encrypted() ? "its seal holds" : "its checksum holds"; }

  Value integrity_of_owned() const {
    const ErrorCode code = last_status_.code();
    if (last_status_.is_ok() || code == ErrorCode::PageStale || code == ErrorCode::PageMisplaced) {
      return stated("intact", proof_words());
    }
    return stated("damaged", std::string(last_status_.name()) + ": " + std::string(last_status_.message()));
  }

  Value freshness_of_owned(const Owner& owner) const {
    switch (last_status_.code()) {
      case ErrorCode::Ok:
        return stated("current", "the very content that is meant: " + version_text(owner.expected));
      case ErrorCode::PageStale:
        return stated("stale", "another content of this place; meant is " + version_text(owner.expected));
      case ErrorCode::PageMisplaced:
        return stated("misplaced", "a page of another place; meant is " + version_text(owner.expected));
      default:
        return stated("unknown", "a damaged page says nothing; meant is " + version_text(owner.expected));
    }
  }

  Value completeness_of(const Owner& owner) const {
    if (!last_status_.is_ok()) return stated("unknown", "what it should name is not known");
    if (owner.names == 0) return stated("complete", "it names no other page");
    if (owner.names_bad > 0) {
      return stated("incomplete", std::to_string(owner.names_bad) + " of the " + std::to_string(owner.names) +
                                      " it names are not there, first page " + std::to_string(owner.first_bad));
    }
    if (owner.bad_below > 0) {
      return stated("incomplete",
                    "all it names are there, but " + std::to_string(owner.bad_below) + " below them are not");
    }
    return stated("complete", counted(owner.names, "content it names is there", "contents it names are there"));
  }

  // A page that nothing points to.
  Result<Value> loose_row(PageNo page) {
    const PageLook look = TRY(source_.look(page));
    const std::optional<bool> allocated = map_.is_allocated(page);
    const bool is_behind = page >= source_.meta().page_count;
    const std::string earlier = look.is_intact() ? kind_words(look.image, page, look.first, source_.page_size()) : "";
    std::string what = is_behind ? "behind the pages of the checkpoint" : "free";
    if (!earlier.empty()) what += ", with what was once: " + earlier;
    std::string pointed = "nothing";
    if (allocated == true) {
      const bool is_known = owners_->gaps() == 0;
      what = "leaked: the map of free space calls it in use" + (earlier.empty() ? "" : ", it holds: " + earlier);
      pointed = is_known ? "nothing" : "nothing that can be read; what is damaged may point to it";
      ++damaged_;
    } else {
      ++free_;
    }
    const std::string state =
        look.integrity == Integrity::Damaged ? "unknown" : std::string(integrity_name(look.integrity));
    return row(page, what, Value(), pointed, allocated ? Value(*allocated) : Value(),
               stated(state, look.is_intact() ? proof_words() : std::string(words_of_unread(look.integrity))),
               stated("unneeded", "no content of this place is meant"), stated("unneeded", "nothing depends on it"));
  }

  static Value row(PageNo page, std::string what, Value by, std::string pointed, Value in_use, Value integrity,
                   Value freshness, Value completeness) {
    return Value::object()
        .add("page", page)
        .add("what", std::move(what))
        .add("in_use", std::move(in_use))
        .add("pointed_to_by", Value::object().add("page", std::move(by)).add("words", std::move(pointed)))
        .add("integrity", std::move(integrity))
        .add("freshness", std::move(freshness))
        .add("completeness", std::move(completeness));
  }

  SourceFile& source_;
  const ExplainRequest& request_;
  const RowFunction& row_;
  const bool is_sealed_;  // an encrypted file without its key
  MapReader map_;
  std::optional<Owners> owners_;
  std::vector<std::byte> image_;  // of the content that was read last
  PageRef last_ref_;
  Status last_status_;
  std::uint64_t explained_ = 0, in_use_ = 0, free_ = 0, damaged_ = 0, sealed_ = 0;
};

}  // namespace

Result<Value> explain(const std::string& path, const ExplainRequest& request, const RowFunction& row,
                      const Options& options) {
  try {
    SourceFile source = TRY(SourceFile::open(path, options, SourceFile::WithoutKey::Allowed));
    CHECK(source.header_status());
    return Explainer(source, request, row).run();
  } catch (const std::bad_alloc&) {
    return Status::out_of_memory();
  }
}

}  // namespace vitrine::inspect
