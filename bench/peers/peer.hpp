// SPDX-License-Identifier: MIT OR Apache-2.0
// What the benchmarks ask of every store, Vitrine among them. One adapter a store implements it; each is a module of
// its own that the suite loads, so that a store that is not installed is only missing, and stores that share symbol
// names (SQLite, SQLCipher) can stand beside each other.
//
// An adapter does each thing in the best way its store documents: the cheapest get, its batch call, its append path.
// docs/BENCHMARKS.md says which configuration each has and why.
//
// Threads: open and destroy in one thread; one Session for each thread that works.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace vitrine::bench {

// A store said no. Ends what is measured for this store; the others go on. The programs of bench/ may throw: a failure
// here leads nowhere but to a note in the report.
class PeerFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What an acknowledged commit must survive.
enum class Survives : std::uint8_t {
  Process,  // kill -9 of the process: the bytes have reached the system, nothing is synced
  Power,    // power loss: commit returns after a sync
};

// What the database will be used for first, for stores whose tuning depends on it.
struct PeerOptions {
  std::string directory;  // exists, belongs to this store
  Survives survives = Survives::Process;
  std::uint64_t cache_size = 0;     // bytes of cache the store may keep
  std::uint64_t data_size_max = 0;  // bytes of keys and values it must be able to hold
  unsigned threads_max = 1;         // sessions at the same time
  bool encrypted = false;
};

// What a scan has seen. Adding looks at both ends of each value, so that no store can win by not fetching it.
struct ScanSum {
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
  std::uint64_t check = 0;

  void add(std::string_view key, std::string_view value) noexcept {
    ++count;
    bytes += key.size() + value.size();
    if (!value.empty()) check += static_cast<unsigned char>(value.front()) + static_cast<unsigned char>(value.back());
  }
};

class Session {
 public:
  virtual ~Session() = default;

  // Reads come between these two, or inside a write; they see one state.
  virtual void begin_snapshot() = 0;
  virtual void end_snapshot() = 0;

  // The value as a view that is valid until the next call of the session; nothing if there is no such key.
  virtual bool get(std::string_view key, std::string_view& value) = 0;
  // The same with a snapshot of its own, by whatever the store has for that. Only the size of the value counts.
  virtual bool get_alone(std::string_view key, std::string_view& value) {
    begin_snapshot();
    const bool found = get(key, value);
    end_snapshot();
    return found;
  }
  // Looks up all keys in the best way the store has; returns how many were found. `sum` sees each value.
  virtual std::uint64_t get_all(std::span<const std::string_view> keys, ScanSum& sum) {
    std::uint64_t found = 0;
    for (const std::string_view key : keys) {
      std::string_view value;
      if (!get(key, value)) continue;
      sum.add(key, value);
      ++found;
    }
    return found;
  }
  // Entries in order from the first key >= `from`, at most `limit`.
  virtual void scan(std::string_view from, std::uint64_t limit, ScanSum& sum) = 0;

  // One write transaction: all of it or nothing.
  virtual void begin_write() = 0;
  virtual void put(std::string_view key, std::string_view value) = 0;
  // Keys come in ascending order, each larger than all there are.
  virtual void append(std::string_view key, std::string_view value) { put(key, value); }
  virtual void erase(std::string_view key) = 0;
  virtual void commit() = 0;
  // A transaction that puts one entry, by whatever the store has for that.
  virtual void put_alone(std::string_view key, std::string_view value) {
    begin_write();
    put(key, value);
    commit();
  }
};

class Peer {
 public:
  virtual ~Peer() = default;  // closes in order
  virtual std::unique_ptr<Session> session() = 0;
  // Everything committed reaches the files, also what is only in the store's log.
  virtual void checkpoint() = 0;
  // Rewrites what is thinly filled; false: the store has nothing for that.
  virtual bool compact() { return false; }
};

// What a module exports, as `vitrine_bench_peer`.
struct PeerModule {
  const char* name;
  const char* version;
  const char* configuration;  // in one line, for the report
  bool can_encrypt;
  bool can_run_plain;
  std::unique_ptr<Peer> (*open)(const PeerOptions& options);  // creates, or opens what is there; throws PeerFailure
};

inline void require(bool is_ok, const char* what, const char* why = "") {
  if (!is_ok) throw PeerFailure(std::string(what) + (*why != '\0' ? ": " : "") + why);
}

}  // namespace vitrine::bench

// The text of a number that a store's header defines.
#define VITRINE_BENCH_TEXT_OF(number) #number
#define VITRINE_BENCH_TEXT(number) VITRINE_BENCH_TEXT_OF(number)
#define VITRINE_BENCH_VERSION_OF(major, minor, patch) \
  VITRINE_BENCH_TEXT(major) "." VITRINE_BENCH_TEXT(minor) "." VITRINE_BENCH_TEXT(patch)

#define VITRINE_BENCH_PEER(...)                                                                              \
  extern "C" __attribute__((visibility("default"))) const vitrine::bench::PeerModule* vitrine_bench_peer() { \
    static const vitrine::bench::PeerModule module{__VA_ARGS__};                                             \
    return &module;                                                                                          \
  }                                                                                                          \
  static_assert(true)
