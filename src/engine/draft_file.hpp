// SPDX-License-Identifier: MIT OR Apache-2.0
// A file under a name of its own, until it is whole and gets the name it was made for. Whatever ends the scope before,
// an error or an exception, takes the draft away.
#pragma once

#include <cstdint>
#include <new>
#include <span>
#include <string>
#include <utility>

#include "base/try.hpp"
#include "os/env.hpp"

namespace vitrine::engine {

class DraftFile {
 public:
  // `path` must not exist: FileExists.
  static Result<DraftFile> of(os::Env& env, const std::string& path) {
    if (TRY(env.exists(path))) return Status::error(ErrorCode::FileExists).with("path", path);
    return beside(env, path);
  }
  // `path` may exist, for replace().
  static Result<DraftFile> beside(os::Env& env, const std::string& path) {
    std::uint64_t mark = 0;  // so that two who make the same file do not meet before one of them is refused the name
    CHECK(env.random_bytes(std::as_writable_bytes(std::span(&mark, 1))));
    return DraftFile(env, path, mark);
  }
  ~DraftFile() {
    if (env_ == nullptr) return;
    try {
      (void)env_->remove(name_);
      (void)env_->remove(log_name_);
    } catch (const std::bad_alloc&) {  // it stays, and is no harm
    }
  }
  DraftFile(DraftFile&& other) noexcept
      : env_(std::exchange(other.env_, nullptr)),
        path_(std::move(other.path_)),
        name_(std::move(other.name_)),
        log_name_(std::move(other.log_name_)) {}
  DraftFile& operator=(DraftFile&&) = delete;

  const std::string& name() const noexcept { return name_; }

  // Gives the file its name. REQUIRES: its content is durable.
  Status publish() {
    CHECK(env_->rename_new(name_, path_));
    return std::exchange(env_, nullptr)->sync_directory_of(path_);
  }

  // The same, in the place of the file that has the name. Whatever crashes, the name has the one or the other.
  Status replace() {
    CHECK(env_->rename(name_, path_));
    return std::exchange(env_, nullptr)->sync_directory_of(path_);
  }

 private:
  DraftFile(os::Env& env, const std::string& path, std::uint64_t mark)
      : env_(&env), path_(path), name_(path + ".new-" + std::to_string(mark)), log_name_(name_ + "-wal") {}

  os::Env* env_;  // null: published
  std::string path_;
  std::string name_;
  std::string log_name_;  // of a draft that is a database
};

}  // namespace vitrine::engine
