// SPDX-License-Identifier: MIT OR Apache-2.0
// Values in and out through stdio, which reads from pipes as little as it must.
#include "cli/file_stream.hpp"

#include <cerrno>
#include <filesystem>

#include "base/try.hpp"
#include "cli/terminal.hpp"
#include "os/file_error.hpp"

namespace vitrine::cli {
namespace {

Status call_failed(int error, ErrorCode otherwise, std::string_view operation, std::string_view path) {
  if (error == EINTR && interrupt_requested()) return Status::error(ErrorCode::Cancelled);
  return os::system_error(error, otherwise, operation, path);
}

}  // namespace

Result<InputFile> InputFile::open(const std::string& path) {
  if (path == "-") return InputFile(stdin, "standard input");
  errno = 0;
  std::FILE* const file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return call_failed(errno, ErrorCode::SystemFailed, "open", path);
  return InputFile(file, path);
}

// Pipes and terminals cannot be moved in; devices can, but have no end.
std::optional<std::uint64_t> InputFile::size() const {
  const long here = std::ftell(file_.get());
  if (here < 0 || std::fseek(file_.get(), 0, SEEK_END) != 0) return std::nullopt;
  const long end = std::ftell(file_.get());
  if (std::fseek(file_.get(), here, SEEK_SET) != 0 || end <= here) return std::nullopt;
  return static_cast<std::uint64_t>(end - here);
}

Status InputFile::failed() const { return call_failed(errno, ErrorCode::ReadFailed, "read", path_); }

Result<std::size_t> InputFile::read(char* to, std::size_t size) {
  errno = 0;
  const std::size_t count = std::fread(to, 1, size, file_.get());
  if (count < size && std::ferror(file_.get()) != 0) return failed();
  return count;
}

Result<bool> InputFile::read_line(std::string& line, std::size_t size_max) {
  line.clear();
  errno = 0;
  for (;;) {
    const int character = getc_unlocked(file_.get());
    if (character == '\n') return true;
    if (character == EOF) {
      if (std::ferror(file_.get()) != 0) return failed();
      return !line.empty();
    }
    if (line.size() == size_max) {
      return Status::error(ErrorCode::ArgumentInvalid, "the line is too long").with("size_max", size_max);
    }
    line.push_back(static_cast<char>(character));
  }
}

Result<OutputFile> OutputFile::create(const std::string& path) {
  std::error_code ignored;  // a path that cannot be looked at fails just below
  if (!std::filesystem::exists(path, ignored)) return create_new(path);  // also where a link leads nowhere
  errno = 0;
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return call_failed(errno, ErrorCode::SystemFailed, "open", path);
  return OutputFile(file, nullptr, path);
}

Result<OutputFile> OutputFile::create_new(const std::string& path) {
  std::unique_ptr<os::File> file = TRY(os::system_env().open(path, os::OpenMode::CreateNew));
  return OutputFile(nullptr, std::move(file), path);
}

OutputFile::~OutputFile() {
  if (new_file_ != nullptr) (void)os::system_env().remove(path_);  // nothing more can be done
}

Status OutputFile::write(Bytes bytes) {
  if (new_file_ != nullptr) {
    const os::IoSlice slice{bytes.data(), bytes.size()};
    CHECK(new_file_->write_at(size_, {&slice, 1}));
    size_ += bytes.size();
    return {};
  }
  errno = 0;
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) == bytes.size()) return {};
  return call_failed(errno, ErrorCode::WriteFailed, "write", path_);
}

Status OutputFile::close() {
  if (new_file_ != nullptr) {
    CHECK(new_file_->sync());
    CHECK(os::system_env().sync_directory_of(path_));
    new_file_.reset();
    return {};
  }
  errno = 0;
  if (std::fflush(file_.get()) != 0) return call_failed(errno, ErrorCode::WriteFailed, "write", path_);
  const bool is_closed = std::fclose(file_.release()) == 0;
  return is_closed ? Status{} : call_failed(errno, ErrorCode::WriteFailed, "write", path_);
}

}  // namespace vitrine::cli
