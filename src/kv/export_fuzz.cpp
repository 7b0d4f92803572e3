// SPDX-License-Identifier: MIT OR Apache-2.0
// Imports arbitrary export files. Most inputs would end at a checksum, so the input is a recipe: its first byte says
// whether the rest is the file itself or a row of blocks, each a type, a size of two bytes and a payload, which are
// given fitting checksums; whether the import merges or replaces; and whether the file is sealed in the envelope of
// encrypted databases, with the last three bytes as an offset and a mask that one byte of it is changed by.
//
// Checked: no crash; what is refused changes nothing; what is accepted leaves a sound database, and exporting that and
// importing it again gives the same; a changed envelope is always refused.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

#include "base/codec.hpp"
#include "base/try.hpp"
#include "kv/export_envelope.hpp"
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

Status write_blocks(kv::ExportSink& sink, Bytes recipe) {
  kv::ExportWriter writer(sink);
  CHECK(writer.begin({1, 1}));
  while (recipe.size() >= 3) {
    const auto type = static_cast<kv::ExportBlock>(recipe[0]);
    const std::size_t size = std::min<std::size_t>(base::load<std::uint16_t>(recipe.data() + 1), recipe.size() - 3);
    CHECK(writer.block(type, recipe.substr(3, size)));
    recipe.remove_prefix(3 + size);
  }
  return writer.finish();
}

const Secret& file_secret() {
  static const Secret secret = Secret::raw_key(std::string(32, 'k')).value();
  return secret;
}

// True when a byte of it was changed.
Result<bool> write_sealed(os::Env& env, os::File& file, Bytes recipe) {
  std::array<std::byte, crypto::kKeySize> bytes{};
  const crypto::MasterKey master = TRY(crypto::MasterKey::copy_of(bytes));
  crypto::KeyTable keys = TRY(crypto::make_key_table(env));
  CHECK(crypto::add_key(env, keys, master, file_secret()).status());
  const auto cipher = recipe.size() % 2 == 0 ? Cipher::Aes256Gcm : Cipher::ChaCha20Poly1305;
  const std::unique_ptr<kv::ExportSink> sink = TRY(kv::SealedSink::create(env, file, keys, master, cipher));
  const Bytes change = recipe.substr(recipe.size() - std::min<std::size_t>(recipe.size(), 3));
  recipe.remove_suffix(change.size());
  CHECK(write_blocks(*sink, recipe));
  if (change.size() < 3 || change[2] == 0) return false;
  const std::uint64_t at = base::load<std::uint16_t>(change.data()) % TRY(file.size());
  char byte = 0;
  CHECK(file.read_at(at, &byte, 1).status());
  byte = static_cast<char>(byte ^ change[2]);
  const os::IoSlice slice{&byte, 1};
  CHECK(file.write_at(at, {&slice, 1}));
  return true;
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
  const bool is_sealed = (data[0] & 5) == 4;
  bool is_changed = false;
  {
    const Bytes rest(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::unique_ptr<os::File> file = env->open(kInput, os::OpenMode::CreateNew).value();
    kv::PlainSink sink(*file);
    if (is_sealed) {
      is_changed = write_sealed(*env, *file, rest).value();
    } else {
      require(((data[0] & 1) != 0 ? write_raw(*file, rest) : write_blocks(sink, rest)).is_ok());
    }
  }
  Database db = new_database(*env);
  require(db.put("kept", "value").is_ok());
  const std::string before = content_of(db).value();
  const auto mode = (data[0] & 2) != 0 ? ImportMode::Replace : ImportMode::Merge;
  const Secret secret = is_sealed ? file_secret() : Secret();
  if (db.import_from(kInput, mode, {}, secret, Plaintext::Allowed).has_value()) {
    require(!is_changed);
    check_round_trip(*env, db);
  } else {
    require(*content_of(db) == before);
  }
  return 0;
}
