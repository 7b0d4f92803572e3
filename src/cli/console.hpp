// SPDX-License-Identifier: MIT OR Apache-2.0
// Where the program speaks. Data goes to standard output, everything else to standard error; an error is one line, or
// with --json one JSON object on one line. Used by one thread.
#pragma once

#include <string_view>

#include "cli/encoding.hpp"
#include "cli/progress.hpp"
#include "cli/record.hpp"
#include "vitrine/status.hpp"

namespace vitrine::cli {

class Console {
 public:
  Console();

  void use_json() noexcept { json_ = true; }
  bool json() const noexcept { return json_; }

  // Errors: WriteFailed, DiskFull.
  Status write(std::string_view data);
  Status flush();
  // The record as text or as JSON; with JSON, {"ok":true} goes first.
  Status print(const Record& record);
  // What `command` has to say of the state of a file: as text, or with JSON in the envelope of docs/schemas, a failure
  // as well. The status is the failure or the verdict.
  struct Answer {
    Record payload;
    Status verdict = {};  // what the payload amounts to, such as DamageFound
  };
  Status answer(std::string_view command, const Result<Answer>& found);
  // The same for what is a value already, and whose text is for the command to print.
  Status answer(std::string_view command, const Result<inspect::Value>& payload, const Status& verdict = {});
  // One of many records: a JSON line without "ok".
  Status print_line(const Record& record);
  // The command did what was asked; says so only to programs.
  Status print_done() { return json_ ? print(Record{}) : Status{}; }

  // A sentence for a person who watches: only when standard error is a terminal.
  void talk(std::string_view sentence);
  // A problem that does not end the command.
  void warn(std::string_view sentence);
  void report(const Status& status);

  ProgressBar::Drawing progress() const noexcept { return progress_; }

 private:
  Status write_error(int error);

  bool json_ = false;
  bool reader_is_gone_ = false;  // of standard output; not worth a word
  ProgressBar::Drawing progress_;
};

}  // namespace vitrine::cli
