// SPDX-License-Identifier: MIT OR Apache-2.0
// One state of a database that can be read node by node: the present, through an engine that replayed the log, or a
// checkpoint, page by page and without the engine. Thread safety: none.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "engine/engine.hpp"
#include "inspect/source_file.hpp"
#include "tree/node.hpp"

namespace vitrine::inspect {

// A large value, by parts.
class ValueReader {
 public:
  virtual ~ValueReader() = default;
  virtual std::uint64_t size() const noexcept = 0;
  // Bytes from `offset` on, at least one when there are any. The view is valid until the next call.
  virtual Result<Bytes> at(std::uint64_t offset) = 0;
};

class Moment {
 public:
  virtual ~Moment() = default;
  virtual PageRef root() const noexcept = 0;  // null: no entries
  // The node that `ref` names, at `level` when that is given; `image` holds it. Errors: as read_node().
  virtual Result<tree::NodeView> node(const PageRef& ref, std::optional<unsigned> level,
                                      std::vector<std::byte>& image) = 0;
  virtual Result<std::unique_ptr<ValueReader>> value(Bytes descriptor) = 0;
};

// The state that `meta` names, newest or not. `source` outlives it.
std::unique_ptr<Moment> checkpoint_moment(SourceFile& source, const format::Meta& meta);

// The present of a database that opens. Errors: those of opening it.
Result<std::unique_ptr<Moment>> present_moment(const std::string& path, const Options& options);

}  // namespace vitrine::inspect
