// SPDX-License-Identifier: MIT OR Apache-2.0
// Files and standard streams that values come from and go to. Not databases: those are opened by the engine, which is
// stricter (no symbolic links, no pipes). Used by one thread.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "os/env.hpp"
#include "vitrine/bytes.hpp"
#include "vitrine/status.hpp"

namespace vitrine::cli {

class InputFile {
 public:
  // "-" is standard input. Errors: FileNotFound, FilePermission, FileNotRegular, SystemFailed.
  static Result<InputFile> open(const std::string& path);

  // How much there is to read, when that is known: for regular files. To be asked before the first read.
  std::optional<std::uint64_t> size() const;

  // Fills `to` as far as the input goes; returns how much that was. Errors: ReadFailed, FileNotRegular, Cancelled.
  Result<std::size_t> read(char* to, std::size_t size);

  // Reads up to the next newline, which is dropped; false at the end of the input. Returns as soon as a line is there,
  // however much more is to come. Errors: as read(), and ArgumentInvalid for a line longer than `size_max`.
  Result<bool> read_line(std::string& line, std::size_t size_max);

 private:
  struct Closer {
    void operator()(std::FILE* file) const noexcept {
      if (file != stdin) std::fclose(file);
    }
  };
  InputFile(std::FILE* file, std::string path) : file_(file), path_(std::move(path)) {}
  Status failed() const;

  std::unique_ptr<std::FILE, Closer> file_;
  std::string path_;
};

// A file to write to. One that we make can be read by its owner only, and never is what a symbolic link points to. What
// it holds is complete, and durable if we made it, once close() returned ok; if that never happens, what we made is
// removed.
class OutputFile {
 public:
  // What exists is written over, be it a device or a pipe. Errors: FilePermission, FileNotRegular, DiskFull,
  // SystemFailed.
  static Result<OutputFile> create(const std::string& path);
  // The same for a file that must not exist. Errors: FileExists.
  static Result<OutputFile> create_new(const std::string& path);
  ~OutputFile();
  OutputFile(OutputFile&& other) noexcept = default;
  OutputFile& operator=(OutputFile&&) = delete;

  Status write(Bytes bytes);
  Status close();

 private:
  struct Closer {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };
  OutputFile(std::FILE* file, std::unique_ptr<os::File> new_file, std::string path)
      : file_(file), new_file_(std::move(new_file)), path_(std::move(path)) {}

  std::unique_ptr<std::FILE, Closer> file_;  // existed; or
  std::unique_ptr<os::File> new_file_;       // until it is closed
  std::uint64_t size_ = 0;                   // of the new file
  std::string path_;
};

}  // namespace vitrine::cli
