// SPDX-License-Identifier: MIT OR Apache-2.0
// `init`: an empty database.
#include "base/try.hpp"
#include "cli/commands.hpp"
#include "cli/database_access.hpp"

namespace vitrine::cli {

Status run_init(const Arguments& arguments, Console& console) {
  Database db = TRY(create_database(arguments));
  const DatabaseInfo info = TRY(db.info());
  CHECK(db.close());
  if (!console.json()) return {};
  Record record;
  record.add("path", info.path).add("file_id", info.file_id).add("page_size", std::uint64_t{info.page_size});
  record.add("cipher", info.cipher);
  return console.print(record);
}

}  // namespace vitrine::cli
