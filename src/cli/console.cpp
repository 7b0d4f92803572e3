// SPDX-License-Identifier: MIT OR Apache-2.0
// Output through stdio: its buffer keeps a list of a million lines to a few hundred writes.
#include "cli/console.hpp"

#include <cerrno>
#include <cstdio>

#include "base/try.hpp"
#include "cli/error_record.hpp"
#include "cli/terminal.hpp"
#include "os/file_error.hpp"
#include "vitrine/errors.hpp"

namespace vitrine::cli {
namespace {

void write_error_line(std::string line) {
  line.push_back('\n');
  std::fwrite(line.data(), 1, line.size(), stderr);  // nobody is left to tell when this fails
}

Record failure_record(const Status& status) {
  Record record;
  record.add("ok", false).add("error", error_record(status));
  return record;
}

}  // namespace

Console::Console() : progress_(is_terminal(Stream::Error) ? ProgressBar::Drawing::On : ProgressBar::Drawing::Off) {}

Status Console::write_error(int error) {
  if (error == EINTR && interrupt_requested()) return Status::error(ErrorCode::Cancelled);
  reader_is_gone_ = reader_is_gone_ || error == EPIPE;
  return os::system_error(error, ErrorCode::WriteFailed, "write", "standard output");
}

Status Console::write(std::string_view data) {
  errno = 0;
  if (std::fwrite(data.data(), 1, data.size(), stdout) == data.size()) return {};
  return write_error(errno);
}

Status Console::flush() {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return {};
  return write_error(errno);
}

Status Console::print(const Record& record) {
  if (!json_) return write(to_text(record));
  Record whole;
  whole.add("ok", true);
  return write(to_json(whole.append(record)).append("\n"));
}

Status Console::answer(std::string_view command, const Result<Answer>& found) {
  if (!found.has_value()) return answer(command, Result<inspect::Value>(found.status()));
  if (json_) return answer(command, value_of(found->payload), found->verdict);
  CHECK(write(to_text(found->payload)));
  return found->verdict;
}

Status Console::answer(std::string_view command, const Result<inspect::Value>& payload, const Status& verdict) {
  if (json_) CHECK(write(inspect::to_json(inspect::envelope(command, payload, verdict)) + "\n"));
  return payload.has_value() ? verdict : payload.status();
}

Status Console::print_line(const Record& record) { return write(to_json(record).append("\n")); }

void Console::talk(std::string_view sentence) {
  if (progress_ == ProgressBar::Drawing::On && !json_) write_error_line(std::string(sentence));
}

void Console::warn(std::string_view sentence) { write_error_line("vitrine: warning: " + printable(sentence)); }

void Console::report(const Status& status) {
  if (reader_is_gone_) return;
  if (json_) return write_error_line(to_json(failure_record(status)));
  write_error_line("vitrine: " + printable(status.to_string()));
  if (progress_ == ProgressBar::Drawing::On) {  // a person reads it
    write_error_line("  " + std::string(error_advice(status.code())));
  }
}

}  // namespace vitrine::cli
