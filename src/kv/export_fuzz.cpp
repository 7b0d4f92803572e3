// SPDX-License-Identifier: MIT OR Apache-2.0
// Imports arbitrary export files. Most inputs would end at a checksum, so the input is a recipe: its first byte says
// whether the rest is the file itself or a row of blocks, each a type, a size of two bytes and a payload, which are
// given fitting checksums; and whether the import merges or replaces.
//
// Checked: no crash; what is refused changes nothing; what is accepted leaves a sound database, and exporting that and
// importing it again gives the same.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

#include "base/codec.hpp"
#include "base/try.hpp"
#include "kv/export_format.hpp"
#include "os/memory_env.hpp"
#include "vitrine/vitrine.hpp"

namespace {

using namespace vitrine;

constexpr char kInput[] = "/input";
constexpr char kAgain[] = "/again";

void require(bool condition) {
  if (!condition) std::abort();
}

Status write_raw(os::File& file, Bytes bytes) {
  const os::IoSlice slice{bytes.data(), bytes.size()};
  return file.write_at(0, {&slice, 1});
}

Status write_blocks(os::File& file, Bytes recipe) {
  kv::ExportWriter writer(file);
  CHECK(writer.begin({1, 1}));
  while (recipe.size() >= 3) {
    const auto type = static_cast<kv::ExportBlock>(recipe[0]);
    const std::size_t size = std::min<std::size_t>(base::load<std::uint16_t>(recipe.data() + 1), recipe.size() - 3);
    CHECK(writer.block(type, recipe.substr(3, size)));
    recipe.remove_prefix(3 + size);
  }
  return writer.finish();
}

// All that can be read, versions aside, as one text.
Result<std::string> content_of(const Database& db) {
  const ReadTransaction txn = TRY(db.begin_read());
  std::string text;
  const auto add = [&](Bytes bytes) {
    base::append_varint(text, bytes.size());
    text.append(bytes);
  };
  for (const KeyspaceInfo& info : TRY(txn.keyspaces())) {
    add(info.name);
    text.push_back(info.keyspace.versions ? 'v' : 'p');
    Cursor cursor = txn.cursor(info.keyspace);
    CHECK(cursor.seek_first());
    while (cursor.is_valid()) {
      add(cursor.key());
      add(TRY(cursor.value()));
      CHECK(cursor.next());
    }
  }
  return text;
}

Database new_database(os::Env& env) {
  Options options;
  options.env = &env;
  options.cache_size = 1u << 20;
  return Database::open_in_memory(options).value();
}

void check_round_trip(os::Env& env, const Database& db) {
  require(db.verify(VerifyLevel::Full)->is_clean());
  require(db.export_to(kAgain).has_value());
  Database copy = new_database(env);
  require(copy.import_from(kAgain, ImportMode::Replace).has_value());
  require(*content_of(copy) == *content_of(db));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::unique_ptr<os::Env> env = os::make_memory_env();
  {
    const Bytes rest(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::unique_ptr<os::File> file = env->open(kInput, os::OpenMode::CreateNew).value();
    require(((data[0] & 1) != 0 ? write_raw(*file, rest) : write_blocks(*file, rest)).is_ok());
  }
  Database db = new_database(*env);
  require(db.put("kept", "value").is_ok());
  const std::string before = content_of(db).value();
  const auto mode = (data[0] & 2) != 0 ? ImportMode::Replace : ImportMode::Merge;
  if (db.import_from(kInput, mode).has_value()) {
    check_round_trip(*env, db);
  } else {
    require(*content_of(db) == before);
  }
  return 0;
}
