// SPDX-License-Identifier: MIT OR Apache-2.0
// Status and Result<T>: how every fallible call answers.
//
// Vitrine throws nothing of its own. A call returns Status, or Result<T> that holds either a T or a Status that is not
// ok. Callers who prefer exceptions use Result<T>::value(), which throws vitrine::Error.
//
// A Status is one pointer (null means ok), so the good path costs nothing. Copies share one immutable record. Reading a
// Status from several threads is safe.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace vitrine {

enum class ErrorCode : std::uint16_t {
  Ok = 0,
#define VITRINE_ERROR(enumerator, name, kind, retryable, sentence) enumerator,
#include "vitrine/error_codes.def"
#undef VITRINE_ERROR
};

// What a caller can do about it. The command line maps each kind to one exit code (exit_code()).
enum class ErrorKind : std::uint8_t {
  None,
  Internal,
  InvalidInput,
  Incomplete,
  NotFound,
  PermissionDenied,
  Conflict,
  Unsupported,
  Busy,
  External,
  IntegrityFailure,
};

std::string_view error_name(ErrorCode code) noexcept;      // "PAGE_READ_CHECKSUM"; "OK"
std::string_view error_sentence(ErrorCode code) noexcept;  // fixed text of the registry
ErrorKind error_kind(ErrorCode code) noexcept;
bool error_retryable(ErrorCode code) noexcept;
std::string_view kind_name(ErrorKind kind) noexcept;  // "integrity_failure"
int exit_code(ErrorKind kind) noexcept;               // 0 to 10, docs/ERRORS.md

// One typed detail of an error, for example {"page", "97"}.
struct ErrorDetail {
  std::string key;
  std::string value;
};

class [[nodiscard]] Status {
 public:
  Status() noexcept = default;  // ok

  // Fails with `code`. Never throws: without memory the result is OutOfMemory, but CommitUnknown stays what it is,
  // because nobody may take such a commit for undone.
  static Status error(ErrorCode code, std::string_view message = {}) noexcept;
  static Status out_of_memory() noexcept;  // allocates nothing

  bool is_ok() const noexcept { return record_ == nullptr; }
  explicit operator bool() const noexcept { return is_ok(); }

  ErrorCode code() const noexcept;
  ErrorKind kind() const noexcept { return error_kind(code()); }
  std::string_view name() const noexcept { return error_name(code()); }
  std::string_view message() const noexcept;  // for an administrator; never a key, value or secret
  const std::vector<ErrorDetail>& details() const noexcept;
  std::string_view detail(std::string_view key) const noexcept;  // empty when absent

  // A copy with one more detail. On an ok Status: ok. Never throws.
  Status with(std::string_view key, std::string_view value) const noexcept;
  Status with(std::string_view key, std::uint64_t value) const noexcept;

  // "NAME: message (key=value, ...)".
  std::string to_string() const;

 private:
  struct Record;
  explicit Status(std::shared_ptr<const Record> record) noexcept : record_(std::move(record)) {}
  static const Status& without_memory(ErrorCode code) noexcept;
  std::shared_ptr<const Record> record_;
};

// Thrown by Result<T>::value() and by nothing else.
class Error : public std::exception {
 public:
  explicit Error(Status status) : status_(std::move(status)), text_(status_.to_string()) {}
  const char* what() const noexcept override { return text_.c_str(); }
  const Status& status() const noexcept { return status_; }

 private:
  Status status_;
  std::string text_;
};

// A T, or the reason why there is none. REQUIRES for operator* and operator->: has_value(); checked, aborts otherwise.
template <typename T>
class [[nodiscard]] Result {
  static_assert(!std::is_reference_v<T>, "return a pointer or a view instead of a reference");

 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}                 // NOLINT: implicit by design
  Result(Status status) noexcept : state_(std::in_place_index<1>, std::move(status)) {  // NOLINT
    if (std::get<1>(state_).is_ok()) std::abort();                                      // an ok Status carries no value
  }

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  Status status() const noexcept { return has_value() ? Status{} : std::get<1>(state_); }

  // The value, or throws vitrine::Error.
  T& value() & {
    if (!has_value()) throw Error(std::get<1>(state_));
    return std::get<0>(state_);
  }
  const T& value() const& { return const_cast<Result*>(this)->value(); }
  // Out of a temporary by value, so that `for (auto& x : call().value())` does not walk over what is gone.
  T value() && {
    if (!has_value()) throw Error(std::get<1>(state_));
    return std::get<0>(std::move(state_));
  }

  T& operator*() & noexcept { return checked(); }
  const T& operator*() const& noexcept { return const_cast<Result*>(this)->checked(); }
  T&& operator*() && noexcept { return std::move(checked()); }
  T* operator->() noexcept { return &checked(); }
  const T* operator->() const noexcept { return &const_cast<Result*>(this)->checked(); }

 private:
  T& checked() noexcept {
    if (!has_value()) std::abort();
    return *std::get_if<0>(&state_);
  }
  std::variant<T, Status> state_;
};

}  // namespace vitrine
