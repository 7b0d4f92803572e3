// SPDX-License-Identifier: MIT OR Apache-2.0
#include "os/file_error.hpp"

#include <cerrno>
#include <limits>
#include <string>
#include <system_error>

namespace vitrine::os {
namespace {

ErrorCode code_of(int error, ErrorCode otherwise) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return ErrorCode::DiskFull;
    case EMFILE:
    case ENFILE:
      return ErrorCode::FileLimit;
    case EACCES:
    case EPERM:
      return ErrorCode::FilePermission;
    case EROFS:
      return ErrorCode::FileReadOnly;
    case ELOOP:
    case EISDIR:
    case ENXIO:
      return ErrorCode::FileNotRegular;
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::FileNotFound;
    case EEXIST:
      return ErrorCode::FileExists;
    case ENOMEM:
      return ErrorCode::OutOfMemory;
    default:
      return otherwise;
  }
}

}  // namespace

Status file_error(ErrorCode code, std::string_view operation, std::string_view path, std::string_view message) {
  return Status::error(code, message).with("operation", operation).with("path", path);
}

Status system_error(int error, ErrorCode otherwise, std::string_view operation, std::string_view path) {
  const std::string text = std::generic_category().message(error);
  return file_error(code_of(error, otherwise), operation, path, text).with("errno", static_cast<std::uint64_t>(error));
}

std::string_view directory_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? path.substr(0, 1) : path.substr(0, slash);
}

bool fits_in_file(std::uint64_t offset, std::uint64_t size) {
  constexpr auto kLargestOffset = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return offset <= kLargestOffset && size <= kLargestOffset - offset;
}

}  // namespace vitrine::os
