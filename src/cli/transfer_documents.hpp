// SPDX-License-Identifier: MIT OR Apache-2.0
// `import` and `export` of one collection in the formats of other programs, and what they share with whole databases.
#pragma once

#include "cli/arguments.hpp"
#include "cli/console.hpp"
#include "vitrine/database.hpp"
#include "vitrine/document_files.hpp"

namespace vitrine::cli {

Status import_documents(const Arguments& arguments, Console& console);
Status export_documents(const Arguments& arguments, Console& console);

// --format, or what the name of FILE says. Errors: ArgumentInvalid.
Result<DocumentFormat> format_argument(const Arguments& arguments);

struct ImportTarget {
  Database db;
  bool is_new = false;  // made just now, by --create
  Secret secret;        // that opened it, or was given to it
};

Result<ImportTarget> open_import_target(const Arguments& arguments);
// Closes; after an import that failed a database made for it goes again. Answers with the first error of the two.
Status close_import_target(ImportTarget& target, const Arguments& arguments, const Status& imported);

}  // namespace vitrine::cli
