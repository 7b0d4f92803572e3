// SPDX-License-Identifier: MIT OR Apache-2.0
// Input and output files in a folder of their own.
#include "cli/file_stream.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "os/testing.hpp"

namespace vitrine::cli {
namespace {

using std::string_literals::operator""s;

class FileStream : public testing::Test {
 protected:
  std::string path(const char* name) const { return folder_.path(name); }
  const os::testing::TemporaryDirectory folder_;
};

TEST_F(FileStream, lines_keep_every_byte_but_the_newline) {
  std::ofstream(path("lines"), std::ios::binary) << "a\tb\n\nc\r\n"s << '\0' << "x\nlast"s;
  InputFile file = InputFile::open(path("lines")).value();
  std::string line;
  for (const std::string& expected : {"a\tb"s, ""s, "c\r"s, "\0x"s, "last"s}) {
    EXPECT_TRUE(file.read_line(line, 100).value());
    EXPECT_EQ(line, expected);
  }
  EXPECT_FALSE(file.read_line(line, 100).value());
}

TEST_F(FileStream, the_size_is_known_of_what_has_an_end_and_asking_moves_nothing) {
  std::ofstream(path("lines")) << "12345\nlast\n";
  InputFile file = InputFile::open(path("lines")).value();
  EXPECT_EQ(file.size(), 11u);
  std::string line;
  EXPECT_TRUE(file.read_line(line, 100).value());
  EXPECT_EQ(line, "12345");
  EXPECT_EQ(InputFile::open("/dev/null").value().size(), std::nullopt);
  EXPECT_EQ(InputFile::open("/dev/zero").value().size(), std::nullopt);
}

TEST_F(FileStream, a_line_beyond_the_bound_is_refused) {
  std::ofstream(path("lines")) << "12345\n123456\n";
  InputFile file = InputFile::open(path("lines")).value();
  std::string line;
  EXPECT_TRUE(file.read_line(line, 5).value());
  EXPECT_EQ(file.read_line(line, 5).status().code(), ErrorCode::ArgumentInvalid);
}

TEST_F(FileStream, what_cannot_be_read_is_named) {
  EXPECT_EQ(InputFile::open(path("missing")).status().code(), ErrorCode::FileNotFound);
  char byte = 0;
  InputFile folder = InputFile::open(path(".")).value();
  EXPECT_EQ(folder.read(&byte, 1).status().code(), ErrorCode::FileNotRegular);
}

TEST_F(FileStream, a_new_file_that_was_not_completed_is_removed) {
  { ASSERT_TRUE(OutputFile::create(path("out")).value().write("half").is_ok()); }
  EXPECT_FALSE(std::filesystem::exists(path("out")));
  OutputFile file = OutputFile::create(path("out")).value();
  EXPECT_TRUE(file.write("whole").is_ok());
  EXPECT_TRUE(file.close().is_ok());
  EXPECT_EQ(std::filesystem::file_size(path("out")), 5u);
}

TEST_F(FileStream, a_file_of_the_user_is_never_removed) {
  std::ofstream(path("out")) << "old";
  { ASSERT_TRUE(OutputFile::create(path("out")).value().write("half").is_ok()); }
  EXPECT_TRUE(std::filesystem::exists(path("out")));
}

TEST_F(FileStream, a_new_file_is_for_its_owner_alone_and_never_behind_a_link) {
  for (const std::string& name : {path("out"), path("other")}) {
    OutputFile file = (name == path("out") ? OutputFile::create(name) : OutputFile::create_new(name)).value();
    EXPECT_TRUE(file.write("x").is_ok() && file.close().is_ok());
    EXPECT_EQ(std::filesystem::status(name).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
  std::filesystem::create_symlink(path("out"), path("link"));
  EXPECT_EQ(OutputFile::create_new(path("link")).status().code(), ErrorCode::FileExists);
  std::filesystem::create_symlink(path("nowhere"), path("dangling"));
  EXPECT_EQ(OutputFile::create_new(path("dangling")).status().code(), ErrorCode::FileExists);
  EXPECT_EQ(OutputFile::create(path("dangling")).status().code(), ErrorCode::FileExists);
  EXPECT_FALSE(std::filesystem::exists(path("nowhere")));
}

TEST_F(FileStream, a_full_disk_is_named) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  OutputFile file = OutputFile::create("/dev/full").value();
  EXPECT_TRUE(file.write("x").is_ok());  // in the buffer
  EXPECT_EQ(file.close().code(), ErrorCode::DiskFull);
}

}  // namespace
}  // namespace vitrine::cli
