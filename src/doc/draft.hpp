// SPDX-License-Identifier: MIT OR Apache-2.0
// A document under change: a tree that is opened only along the paths that are asked for. What nobody touches stays
// bytes of the document it comes from and is copied as a whole when the draft is finished.
//
// Values that are put in must outlive the draft, or be kept by it. Not thread-safe.
#pragma once

#include <deque>

#include "doc/bson.hpp"
#include "doc/path.hpp"

namespace vitrine::doc {

// One value with its name. While closed it is `bytes`; an open object or array is its members. Names of elements of an
// array mean nothing; they are numbered when the draft is finished.
struct DraftNode {
  Bytes name;
  Type type = Type::Null;
  Bytes bytes;
  bool is_open = false;
  std::vector<DraftNode> members;

  void assign(const Value& value) {
    type = value.type;
    bytes = value.bytes;
    is_open = false;
    members.clear();
  }
  void make_container(Type object_or_array) {
    type = object_or_array;
    is_open = true;
    members.clear();
  }
  // REQUIRES: an object or array.
  void open();
  // The value as bytes; `storage` holds them when the node is open.
  Value value(ByteString& storage) const;
};

class Draft {
 public:
  explicit Draft(Bytes document) {
    root_.assign({Type::Object, document});
    root_.open();
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  // Pointers to nodes are valid until the next call.
  DraftNode* find(const Path& path);
  struct Made {
    DraftNode* node;
    bool is_new;  // and null
  };
  // Makes what is missing on the way: objects, nulls up to a position in an array. `path` must outlive the draft.
  // Errors: UpdateTypeMismatch, DocumentTooLarge.
  Result<Made> make(const Path& path);
  // A member goes; an element of an array becomes null, so that the others keep their positions.
  void remove(const Path& path);
  // Is there an array on the way, the end excluded?
  bool leads_through_array(const Path& path);

  Bytes keep(ByteString bytes) { return kept_.emplace_back(std::move(bytes)); }

  ByteString finish() const;

 private:
  DraftNode* child(DraftNode& parent, const std::string& name);
  Status pad(DraftNode& array, std::size_t position);

  DraftNode root_;
  std::deque<ByteString> kept_;
  std::size_t padding_ = 0;  // elements that were made to reach a position
};

Status update_mismatch(std::string_view why);

}  // namespace vitrine::doc
