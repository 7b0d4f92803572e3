// SPDX-License-Identifier: MIT OR Apache-2.0
#include "vitrine/errors.hpp"

#include <gtest/gtest.h>

#include <set>

#include "vitrine/error_codes.h"

namespace vitrine {
namespace {

TEST(Errors, the_registry_says_what_the_functions_say) {
  std::uint16_t number = 0;
  for (const ErrorInfo& info : error_registry()) {
    EXPECT_EQ(static_cast<std::uint16_t>(info.code), ++number);
    EXPECT_EQ(info.name, error_name(info.code));
    EXPECT_EQ(info.kind, error_kind(info.code));
    EXPECT_EQ(info.retryable, error_retryable(info.code));
    EXPECT_EQ(info.sentence, error_sentence(info.code));
    EXPECT_FALSE(error_advice(info.code).empty()) << info.name;
  }
  EXPECT_EQ(number, VITRINE_ERROR_COUNT);
}

TEST(Errors, the_codes_of_c_are_those_of_cpp) {
  EXPECT_EQ(VITRINE_OK, static_cast<int>(ErrorCode::Ok));
  EXPECT_EQ(VITRINE_ENGINE_CHECK_BROKEN, static_cast<int>(ErrorCode::InternalBug));
  EXPECT_EQ(VITRINE_FILE_OPEN_NOT_FOUND, static_cast<int>(ErrorCode::FileNotFound));
  EXPECT_EQ(VITRINE_EXPORT_WRITE_PLAINTEXT, static_cast<int>(ErrorCode::PlaintextRefused));
  EXPECT_EQ(VITRINE_EXIT_INTEGRITY_FAILURE, exit_code(ErrorKind::IntegrityFailure));
}

TEST(Errors, every_kind_has_a_name_and_an_exit_code_of_its_own) {
  std::set<int> exits;
  std::set<std::string_view> names;
  for (int kind = 0; kind <= static_cast<int>(ErrorKind::IntegrityFailure); ++kind) {
    exits.insert(exit_code(static_cast<ErrorKind>(kind)));
    names.insert(kind_name(static_cast<ErrorKind>(kind)));
  }
  EXPECT_EQ(exits.size(), 11u);
  EXPECT_EQ(names.size(), 11u);
}

TEST(Errors, the_chain_of_causes_is_kept) {
  const Status disk = Status::error(ErrorCode::SyncFailed, "input/output error").with("errno", 5).with("path", "/a");
  const Status poisoned = because(Status::error(ErrorCode::Poisoned).with("path", "/b"), disk);
  const Status commit = because(Status::error(ErrorCode::CommitUnknown), poisoned);
  EXPECT_EQ(commit.code(), ErrorCode::CommitUnknown);
  EXPECT_EQ(commit.detail("cause"), "DATABASE_WRITE_POISONED");
  EXPECT_TRUE(own_details(commit).empty());
  const Status second = cause_of(commit).value();
  EXPECT_EQ(second.to_string(), poisoned.to_string());
  EXPECT_EQ(own_details(second).size(), 1u);
  const Status third = cause_of(second).value();
  EXPECT_EQ(third.to_string(), disk.to_string());
  EXPECT_EQ(third.kind(), ErrorKind::External);
  EXPECT_FALSE(cause_of(third).has_value());
  EXPECT_NE(commit.to_string().find("FILE_SYNC_FAILED"), std::string::npos) << "the text tells it, too";
}

TEST(Errors, nothing_is_the_cause_of_nothing) {
  const Status error = Status::error(ErrorCode::DiskFull);
  EXPECT_TRUE(because({}, error).is_ok());
  EXPECT_EQ(because(error, {}).to_string(), error.to_string());
}

}  // namespace
}  // namespace vitrine
