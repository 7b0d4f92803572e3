// SPDX-License-Identifier: MIT OR Apache-2.0
// Explains every page of a database file: what it is, who points to it, whether it is intact and the content that is
// meant, and whether all that it names is there. Rows come one by one, so that memory does not grow with the file.
//
//   inspect::explain("app.vtr", {}, [](const inspect::Value& row) {
//     std::puts(row.find("what")->text()->c_str());
//     return true;
//   });
//
// Thread safety: the function shares nothing and may be called from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "vitrine/inspect.hpp"

namespace vitrine::inspect {

using RowFunction = std::function<bool(const Value& row)>;  // false: no more rows are wanted

struct ExplainRequest {
  std::uint64_t from = 0;                         // the first page
  std::uint64_t limit = ~std::uint64_t{0};        // rows at most
  std::uint64_t window = std::uint64_t{1} << 17;  // pages whose owners are kept in memory at once, about 64 bytes each
};

// One row for each page of the last checkpoint and of what the file has behind it: docs/schemas/explain-page.json. The
// tree is walked once for each window of pages. Returns counts. What is damaged is in the rows. Of an encrypted file
// without Options::secret the rows tell what can be known from outside. Errors: as look().
Result<Value> explain(const std::string& path, const ExplainRequest& request, const RowFunction& row,
                      const Options& options = {});

}  // namespace vitrine::inspect
