// SPDX-License-Identifier: MIT OR Apache-2.0
// The small benchmark of tokimo-kvdb as a program of its own, for ./dev bench --footprint: what it prints at the end is
// how little memory it takes. Linked to the lean build of the library, which has no documents and no encryption.
//
//   footprint DATABASE
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "footprint/heap.hpp"
#include "vitrine/database.hpp"

using namespace vitrine;

namespace {

constexpr std::uint64_t kCacheSize = 64u << 10;
constexpr unsigned kOperations = 64;
constexpr unsigned kScanned = 1280;

void require(const Status& status, const char* what) {
  if (status.is_ok()) return;
  std::fprintf(stderr, "footprint: %s: %s\n", what, status.to_string().c_str());
  std::exit(1);
}

class Key {
 public:
  explicit Key(unsigned number) noexcept : size_(std::snprintf(text_.data(), text_.size(), "key%09u", number)) {}
  Bytes bytes() const noexcept { return {text_.data(), static_cast<std::size_t>(size_)}; }

 private:
  std::array<char, 16> text_{};
  int size_;
};

constexpr std::string_view kValue =
    "one hundred bytes of a value that is always the same, because nobody looks at it "
    "in this small test.";

unsigned scattered(unsigned number) { return number * 2654435761u % 1'000'000; }

void put_each(Database& db, unsigned first, bool in_order) {
  for (unsigned i = 0; i < kOperations; ++i) {
    require(db.put(Key(in_order ? first + i : scattered(first + i)).bytes(), kValue), "put");
  }
}

void fill(Database& db) {
  for (unsigned start = 0; start < kScanned; start += kOperations) {
    WriteTransaction txn = db.begin_write().value();
    for (unsigned i = start; i < start + kOperations; ++i) {
      require(txn.put(Key(1'000'000 + i).bytes(), kValue), "put");
    }
    require(txn.commit().status, "commit");
  }
}

void read_all(const Database& db) {
  const ReadTransaction txn = db.begin_read().value();
  for (unsigned i = 0; i < kOperations; ++i) {
    if (!txn.get(Key(1'000'000 + i * 7).bytes()).value()) std::exit(1);
  }
  unsigned count = 0;
  for (Cursor cursor = txn.cursor();;) {
    require(count == 0 ? cursor.seek_first() : cursor.next(), "scan");
    if (!cursor.is_valid()) break;
    ++count;
  }
  if (count < kScanned) std::exit(1);
}

void erase_each(Database& db) {
  for (unsigned i = 0; i < kOperations; ++i) require(db.erase(Key(i).bytes()).status(), "erase");
}

// A number of /proc/self/status, in KiB.
unsigned long status_kib(const char* name) {
  char text[4096];
  std::FILE* file = std::fopen("/proc/self/status", "r");
  if (file == nullptr) return 0;
  text[std::fread(text, 1, sizeof text - 1, file)] = '\0';
  std::fclose(file);
  const char* at = std::strstr(text, name);
  return at == nullptr ? 0 : std::strtoul(at + std::strlen(name), nullptr, 10);
}

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count != 2) return 2;
  Options options;
  options.page_size = 4096;
  options.cache_size = kCacheSize;
  options.log_size_max = 1u << 20;
  Database db = Database::open(arguments[1], OpenMode::CreateNew, std::move(options)).value();
  put_each(db, 0, true);
  put_each(db, 0, false);
  fill(db);
  read_all(db);
  put_each(db, 0, false);
  erase_each(db);
  require(db.compact().status(), "compact");
  require(db.close(), "close");
  std::printf(R"({"peak_kib": %lu, "anonymous_kib": %lu, "heap_bytes": %zu})"
              "\n",
              status_kib("VmHWM:"), status_kib("RssAnon:"), bench::heap_peak());
}
