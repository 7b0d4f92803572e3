// SPDX-License-Identifier: MIT OR Apache-2.0
#include "os/posix_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/assert.hpp"
#include "base/try.hpp"
#include "os/file_error.hpp"
#include "os/zeros.hpp"

namespace vitrine::os {
namespace {

// Slices handed to the kernel in one call; below IOV_MAX (1024) and small enough for the stack (1 KiB).
constexpr std::size_t kSlicesPerCall = 64;

// The next system call's share of a list of slices, and where it goes on after a short transfer.
class SliceCursor {
 public:
  explicit SliceCursor(std::span<const IoSlice> slices) : slices_(slices) { skip(0); }

  bool at_end() const { return slices_.empty(); }

  std::span<const iovec> next_batch() {
    std::size_t count = 0;
    for (; count < kSlicesPerCall && count < slices_.size(); ++count) {
      const std::size_t done = count == 0 ? done_in_first_ : 0;
      const auto* from = static_cast<const std::byte*>(slices_[count].data) + done;
      batch_[count] = {const_cast<std::byte*>(from), slices_[count].size - done};  // pwritev only reads
    }
    return {batch_.data(), count};
  }

  void skip(std::size_t size) {
    done_in_first_ += size;
    while (!slices_.empty() && done_in_first_ >= slices_.front().size) {
      done_in_first_ -= slices_.front().size;
      slices_ = slices_.subspan(1);
    }
  }

 private:
  std::span<const IoSlice> slices_;
  std::size_t done_in_first_ = 0;
  std::array<iovec, kSlicesPerCall> batch_;
};

struct flock lock_request(std::uint64_t offset, std::uint64_t size, short type) {
  VITRINE_ASSERT(size > 0 && fits_in_file(offset, size));  // a length of 0 would mean "to the end"
  struct flock request {};                                 // l_pid must be 0 for locks of a file description
  request.l_type = type;
  request.l_whence = SEEK_SET;
  request.l_start = static_cast<off_t>(offset);
  request.l_len = static_cast<off_t>(size);
  return request;
}

template <typename Call>
auto retry_interrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);  // Linux frees the number even when it reports an error
}

Status PosixFile::failed(int error, ErrorCode otherwise, std::string_view operation) const {
  return system_error(error, otherwise, operation, path_);
}

Status PosixFile::failed_at(std::uint64_t offset, int error, ErrorCode otherwise, std::string_view operation) const {
  return failed(error, otherwise, operation).with("offset", offset);
}

Status PosixFile::require_writable(std::string_view operation) const {
  if (access_ == Access::ReadWrite) return {};
  return file_error(ErrorCode::FileReadOnly, operation, path_, "the file was opened read-only");
}

Result<std::size_t> PosixFile::read_at(std::uint64_t offset, void* to, std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t count = retry_interrupted([&] {
      return ::pread(descriptor_.number(), static_cast<std::byte*>(to) + done, size - done,
                     static_cast<off_t>(offset + done));
    });
    if (count < 0) return failed_at(offset + done, errno, ErrorCode::ReadFailed, "read");
    if (count == 0) break;  // end of file
    done += static_cast<std::size_t>(count);
  }
  return done;
}

Status PosixFile::write_at(std::uint64_t offset, std::span<const IoSlice> slices) {
  CHECK(require_writable("write"));
  std::uint64_t total = 0;
  for (const IoSlice& slice : slices) total += slice.size;
  if (!fits_in_file(offset, total)) return failed_at(offset, EFBIG, ErrorCode::WriteFailed, "write");
  for (SliceCursor cursor(slices); !cursor.at_end();) {
    const std::span<const iovec> batch = cursor.next_batch();
    const auto at = static_cast<off_t>(offset);
    const ssize_t count = retry_interrupted([&] {
      // A list of one, as each commit writes, costs the system a little more than none.
      if (batch.size() == 1) return ::pwrite(descriptor_.number(), batch[0].iov_base, batch[0].iov_len, at);
      return ::pwritev(descriptor_.number(), batch.data(), static_cast<int>(batch.size()), at);
    });
    if (count < 0) return failed_at(offset, errno, ErrorCode::WriteFailed, "write");
    if (count == 0) return failed_at(offset, EIO, ErrorCode::WriteFailed, "write");  // no progress would loop for ever
    offset += static_cast<std::uint64_t>(count);
    cursor.skip(static_cast<std::size_t>(count));
  }
  return {};
}

Status PosixFile::sync() {
  // Not repeated on EINTR: whether the interrupted call consumed the error state of the file is unknown.
  if (::fdatasync(descriptor_.number()) == 0) return {};
  return failed(errno, ErrorCode::SyncFailed, "sync");
}

Result<std::uint64_t> PosixFile::size() {
  struct stat about {};
  if (::fstat(descriptor_.number(), &about) != 0) return failed(errno, ErrorCode::SystemFailed, "size");
  return static_cast<std::uint64_t>(about.st_size);
}

Status PosixFile::resize(std::uint64_t size) {
  CHECK(require_writable("resize"));
  if (!fits_in_file(0, size)) return failed_at(size, EFBIG, ErrorCode::WriteFailed, "resize");
  const int result = retry_interrupted([&] { return ::ftruncate(descriptor_.number(), static_cast<off_t>(size)); });
  if (result != 0) return failed_at(size, errno, ErrorCode::WriteFailed, "resize");
  return {};
}

Status PosixFile::reserve(std::uint64_t offset, std::uint64_t size) {
  CHECK(require_writable("reserve"));
  if (size == 0) return {};
  if (!fits_in_file(offset, size)) return failed_at(offset, EFBIG, ErrorCode::WriteFailed, "reserve");
  const int result = retry_interrupted(
      [&] { return ::fallocate(descriptor_.number(), 0, static_cast<off_t>(offset), static_cast<off_t>(size)); });
  if (result == 0) return {};
  if (errno == EOPNOTSUPP || errno == ENOSYS) return reserve_by_writing(offset, size);
  return failed_at(offset, errno, ErrorCode::WriteFailed, "reserve");
}

Status PosixFile::reserve_by_writing(std::uint64_t offset, std::uint64_t size) {
  const std::uint64_t end = offset + size;
  const std::uint64_t file_size = TRY(this->size());
  std::uint64_t at = offset;
  while (at < std::min(end, file_size)) {
    // A file system that cannot tell holes from data reports one run of data, and then there is nothing to do here.
    const off_t hole = ::lseek(descriptor_.number(), static_cast<off_t>(at), SEEK_HOLE);
    if (hole < 0) return failed_at(at, errno, ErrorCode::WriteFailed, "reserve");
    const off_t data = ::lseek(descriptor_.number(), hole, SEEK_DATA);
    if (data < 0 && errno != ENXIO) return failed_at(at, errno, ErrorCode::WriteFailed, "reserve");
    const auto at_hole = static_cast<std::uint64_t>(hole);
    const std::uint64_t hole_end = data < 0 ? file_size : static_cast<std::uint64_t>(data);
    CHECK(write_zeros(*this, at_hole, std::min(hole_end, end) - at_hole));
    at = hole_end;
  }
  const std::uint64_t behind = std::max(offset, file_size);
  return behind < end ? write_zeros(*this, behind, end - behind) : Status{};
}

Result<bool> PosixFile::try_lock(std::uint64_t offset, std::uint64_t size, LockMode mode) {
  const bool exclusive = mode == LockMode::Exclusive;
  if (exclusive) CHECK(require_writable("lock"));
  struct flock request = lock_request(offset, size, exclusive ? F_WRLCK : F_RDLCK);
  if (retry_interrupted([&] { return ::fcntl(descriptor_.number(), F_OFD_SETLK, &request); }) == 0) return true;
  if (errno == EAGAIN || errno == EACCES) return false;
  return failed_at(offset, errno, ErrorCode::SystemFailed, "lock");
}

Status PosixFile::unlock(std::uint64_t offset, std::uint64_t size) {
  struct flock request = lock_request(offset, size, F_UNLCK);
  if (retry_interrupted([&] { return ::fcntl(descriptor_.number(), F_OFD_SETLK, &request); }) == 0) return {};
  return failed_at(offset, errno, ErrorCode::SystemFailed, "unlock");
}

Result<bool> PosixFile::locked_by_other(std::uint64_t offset, std::uint64_t size) {
  struct flock request = lock_request(offset, size, F_WRLCK);  // what a writer would want conflicts with every lock
  if (retry_interrupted([&] { return ::fcntl(descriptor_.number(), F_OFD_GETLK, &request); }) == 0) {
    return request.l_type != F_UNLCK;
  }
  return failed_at(offset, errno, ErrorCode::SystemFailed, "query lock");
}

Result<FileIdentity> PosixFile::identity() {
  struct stat about {};
  if (::fstat(descriptor_.number(), &about) != 0) return failed(errno, ErrorCode::SystemFailed, "identify");
  return FileIdentity{static_cast<std::uint64_t>(about.st_dev), static_cast<std::uint64_t>(about.st_ino)};
}

}  // namespace vitrine::os
