// SPDX-License-Identifier: MIT OR Apache-2.0
#include "suite/limits.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <numeric>
#include <thread>
#include <vector>

#include <openssl/evp.h>

#include "base/prng.hpp"
#include "suite/workloads.hpp"

namespace vitrine::bench {
namespace {

constexpr std::size_t kBlockSize = 4096;
constexpr std::size_t kFileSize = std::size_t{64} << 20;
constexpr std::size_t kMemorySize = std::size_t{512} << 20;  // larger than most caches; smaller than most memories

Clock::duration to_duration(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

// Runs `step` until the time is over; returns steps a second.
template <typename Step>
double rate_of(double seconds, unsigned check_every, const Step& step) {
  std::uint64_t count = 0;
  Stopwatch watch(to_duration(seconds), check_every);
  for (; watch.goes_on(); ++count) step(count);
  return static_cast<double>(count) / watch.seconds();
}

// A file whose blocks are all written, so that overwriting one changes no metadata.
class PrewrittenFile {
 public:
  PrewrittenFile(const std::string& directory, int flags) : path_(directory + "/limits.tmp") {
    block_ = static_cast<char*>(std::aligned_alloc(kBlockSize, kBlockSize));
    std::memset(block_, 'l', kBlockSize);
    const int plain = open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
    require(plain >= 0, "limits: open", path_.c_str());
    for (std::size_t at = 0; at < kFileSize; at += kBlockSize) write_to(plain, at);
    require(fsync(plain) == 0, "limits: fsync");
    close(plain);
    file_ = open(path_.c_str(), O_RDWR | flags);
  }
  ~PrewrittenFile() {
    if (file_ >= 0) close(file_);
    unlink(path_.c_str());
    std::free(block_);
  }
  PrewrittenFile(const PrewrittenFile&) = delete;
  PrewrittenFile& operator=(const PrewrittenFile&) = delete;

  bool is_open() const noexcept { return file_ >= 0; }  // not every file system has O_DIRECT
  void overwrite(std::uint64_t index) { write_to(file_, index * kBlockSize % kFileSize); }
  void sync() { require(fdatasync(file_) == 0, "limits: fdatasync"); }

 private:
  void write_to(int file, std::uint64_t at) {
    const ssize_t written = pwrite(file, block_, kBlockSize, static_cast<off_t>(at));
    require(written == static_cast<ssize_t>(kBlockSize), "limits: pwrite");
  }

  const std::string path_;
  char* block_ = nullptr;
  int file_ = -1;
};

double synced_writes(const std::string& directory, double seconds) {
  PrewrittenFile file(directory, 0);
  return rate_of(seconds, 1, [&](std::uint64_t i) {
    file.overwrite(i);
    file.sync();
  });
}

double direct_writes(const std::string& directory, double seconds) {
  PrewrittenFile file(directory, O_DIRECT | O_DSYNC);
  if (!file.is_open()) return 0;
  return rate_of(seconds, 1, [&](std::uint64_t i) { file.overwrite(i); });
}

// `threads` that each want their number on the disk; one of those who wait writes for all.
double grouped_writes(const std::string& directory, unsigned threads, double seconds) {
  PrewrittenFile file(directory, O_DIRECT | O_DSYNC);
  if (!file.is_open()) return 0;
  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t wanted = 0;
  std::uint64_t durable = 0;
  std::uint64_t writes = 0;
  bool is_writing = false;
  const auto commit_one = [&] {
    std::unique_lock lock(mutex);
    const std::uint64_t mine = ++wanted;
    while (durable < mine) {
      if (is_writing) {
        changed.wait(lock);
        continue;
      }
      is_writing = true;
      const std::uint64_t up_to = wanted;
      lock.unlock();
      file.overwrite(writes++);
      lock.lock();
      durable = up_to;
      is_writing = false;
      changed.notify_all();
    }
  };
  std::vector<std::thread> workers;
  const Stopwatch clock(to_duration(seconds));
  for (unsigned i = 0; i < threads; ++i) {
    workers.emplace_back([&] {
      for (Stopwatch watch(to_duration(seconds), 1); watch.goes_on();) commit_one();
    });
  }
  for (std::thread& worker : workers) worker.join();
  return static_cast<double>(durable) / clock.seconds();
}

// --- Memory

class Memory {
 public:
  Memory() {
    void* address = mmap(nullptr, kMemorySize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    require(address != MAP_FAILED, "limits: mmap");
    madvise(address, kMemorySize, MADV_HUGEPAGE);
    words_ = static_cast<std::uint64_t*>(address);
    for (std::size_t i = 0; i < count(); ++i) words_[i] = i;
  }
  ~Memory() { munmap(words_, kMemorySize); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  static constexpr std::size_t count() { return kMemorySize / sizeof(std::uint64_t); }
  std::uint64_t& operator[](std::size_t i) { return words_[i]; }
  std::uint64_t sum() const { return std::accumulate(words_, words_ + count(), std::uint64_t{0}); }

 private:
  std::uint64_t* words_ = nullptr;
};

volatile std::uint64_t g_sink = 0;  // keeps results from being optimised away

double read_bandwidth(Memory& memory, double seconds) {
  return rate_of(seconds, 1, [&](std::uint64_t) { g_sink = g_sink + memory.sum(); }) * static_cast<double>(kMemorySize);
}

// Loads of which each needs the one before, over lines in random order.
double dependent_loads(Memory& memory, double seconds) {
  constexpr std::size_t kWordsPerLine = 8;
  const std::size_t lines = Memory::count() / kWordsPerLine;
  std::vector<std::uint32_t> order(lines);
  std::iota(order.begin(), order.end(), 0u);
  base::Prng prng(7);
  for (std::size_t i = lines - 1; i > 0; --i) std::swap(order[i], order[prng.below(i)]);
  for (std::size_t i = 0; i < lines; ++i) {
    memory[std::size_t{order[i]} * kWordsPerLine] = std::size_t{order[(i + 1) % lines]} * kWordsPerLine;
  }
  std::uint64_t at = 0;
  const double rate = rate_of(seconds, 1024, [&](std::uint64_t) { at = memory[at]; });
  g_sink = at;
  return rate;
}

// The map of the C++ library would be a binary tree; sorted arrays of 256 keys under an index are the leaves and the
// inner level of a B-tree without any page, version or check.
double in_memory_gets(double seconds) {
  constexpr std::uint64_t kRecords = 1'000'000;
  constexpr std::size_t kLeaf = 256;
  using Row = std::pair<std::array<char, 16>, std::array<char, 100>>;
  std::vector<Row> rows(kRecords);
  for (std::uint64_t i = 0; i < kRecords; ++i) {
    const BenchKey key(i, KeyOrder::Scattered);
    std::copy_n(key.bytes().data(), 16, rows[i].first.begin());
    rows[i].second.fill(static_cast<char>(i));
  }
  std::ranges::sort(rows, {}, &Row::first);
  std::vector<std::array<char, 16>> index;
  for (std::size_t i = 0; i < rows.size(); i += kLeaf) index.push_back(rows[i].first);
  base::Prng prng(3);
  std::uint64_t check = 0;
  const double rate = rate_of(seconds, 64, [&](std::uint64_t) {
    const BenchKey key(prng.below(kRecords), KeyOrder::Scattered);
    std::array<char, 16> wanted{};
    std::copy_n(key.bytes().data(), 16, wanted.begin());
    const auto leaf = static_cast<std::size_t>(std::ranges::upper_bound(index, wanted) - index.begin() - 1) * kLeaf;
    const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(leaf);
    const auto end = rows.begin() + static_cast<std::ptrdiff_t>(std::min(leaf + kLeaf, rows.size()));
    check += static_cast<unsigned char>(std::ranges::lower_bound(begin, end, wanted, {}, &Row::first)->second[99]);
  });
  g_sink = check;
  return rate;
}

double sealed_bytes(double seconds) {
  std::vector<unsigned char> page(8192, 'p');
  std::vector<unsigned char> sealed(page.size());
  const unsigned char key[32] = {1};
  unsigned char nonce[12] = {2};
  unsigned char tag[16];
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nullptr, key, nonce);
  const double rate = rate_of(seconds, 16, [&](std::uint64_t i) {
    std::memcpy(nonce, &i, sizeof i);
    int size = 0;
    EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, nonce);
    EVP_EncryptUpdate(context, sealed.data(), &size, page.data(), static_cast<int>(page.size()));
    EVP_EncryptFinal_ex(context, sealed.data() + size, &size);
    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, sizeof tag, tag);
  });
  EVP_CIPHER_CTX_free(context);
  return rate * static_cast<double>(page.size());
}

}  // namespace

nlohmann::json measure_limits(const std::string& directory, double seconds) {
  nlohmann::json limits;
  limits["fdatasync_4k_per_second"] = synced_writes(directory, seconds);
  limits["direct_dsync_4k_per_second"] = direct_writes(directory, seconds);
  limits["group_commit_8t_per_second"] = grouped_writes(directory, 8, seconds);
  limits["group_commit_32t_per_second"] = grouped_writes(directory, 32, seconds);
  {
    Memory memory;
    limits["memory_read_bytes_per_second"] = read_bandwidth(memory, seconds);
    limits["dependent_loads_per_second"] = dependent_loads(memory, seconds);
  }
  limits["in_memory_gets_per_second"] = in_memory_gets(seconds);
  limits["aes_256_gcm_8k_bytes_per_second"] = sealed_bytes(seconds);
  return limits;
}

}  // namespace vitrine::bench
