// SPDX-License-Identifier: MIT OR Apache-2.0
// `sql`: statements over collections and internals. The database is opened for writing only when a statement writes,
// and one that does not open at all still shows its internals.
#include <cstdio>

#include "base/try.hpp"
#include "cli/commands.hpp"
#include "cli/database_access.hpp"
#include "cli/file_stream.hpp"
#include "cli/sql_output.hpp"
#include "cli/terminal.hpp"

namespace vitrine::cli {
namespace {

Result<std::string> statements_of(const Arguments& arguments) {
  if (const auto given = arguments.positional("SQL")) return std::string(*given);
  std::string text, part(std::size_t{64} << 10, '\0');
  InputFile input = TRY(InputFile::open("-"));
  for (;;) {
    const std::size_t size = TRY(input.read(part.data(), part.size()));
    if (size == 0) return text;
    text.append(part, 0, size);
  }
}

Status print_rows(sql::Session& session, std::string_view statements, const Arguments& arguments, Console& console) {
  const auto output = make_sql_output(console, arguments.has("--csv"));
  Status failed;
  const Result<sql::RunResult> result = session.run(statements, [&](const sql::Row& row) {
    failed = interrupt_requested() ? cancelled() : output->add(row);
    return failed.is_ok();
  });
  CHECK(output->finish());  // also what came before an error
  CHECK(result.status());
  return failed;
}

}  // namespace

Status run_sql(const Arguments& arguments, Console& console) {
  if (arguments.has("--csv") && console.json()) return usage_error("--csv and --json exclude each other");
  const std::string statements = TRY(statements_of(arguments));
  Options options = TRY(open_options(arguments, Access::ReadOnly));
  Result<Database> db = open_with(arguments, OpenMode::MustExist, options);
  if (!db.has_value() && db.status().kind() == ErrorKind::IntegrityFailure) {
    console.warn(
        std::string("the database does not open, so there are only its internals: ").append(db.status().to_string()));
    sql::Session session = TRY(sql::Session::open_internals(arguments.database(), options));
    return print_rows(session, statements, arguments, console);
  }
  CHECK(db.status());
  sql::Session reading = TRY(sql::Session::open(*db, options));
  if (TRY(reading.only_reads(statements))) return print_rows(reading, statements, arguments, console);

  CHECK(db->close());
  options.access = Access::ReadWrite;
  Database writable = TRY(open_with(arguments, OpenMode::MustExist, options));
  {
    sql::Session session = TRY(sql::Session::open(writable, options));
    CHECK(print_rows(session, statements, arguments, console));
  }
  return writable.close();
}

}  // namespace vitrine::cli
