// SPDX-License-Identifier: MIT OR Apache-2.0
// What the C++ library of this system expects from its C library and musl does not have, so that a C++ program can be
// linked to musl, whose start costs a tenth of the memory. For the footprint program only.
#include <link.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

extern "C" {

extern const char __ehdr_start[];
extern const char _end[];

char __libc_single_threaded = 0;  // "perhaps not", which is always right

void* __memcpy_chk(void* to, const void* from, std::size_t size, std::size_t) { return std::memcpy(to, from, size); }

int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  return static_cast<int>(syscall(SYS_renameat2, from_folder, from, to_folder, to, flags));
}

// Waits by the clock of the day, which is the only one musl's call knows.
int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock, const timespec* until) {
  constexpr long long kSecond = 1'000'000'000;
  timespec now{};
  timespec day{};
  clock_gettime(clock, &now);
  clock_gettime(CLOCK_REALTIME, &day);
  const long long at = (until->tv_sec - now.tv_sec + day.tv_sec) * kSecond + until->tv_nsec - now.tv_nsec + day.tv_nsec;
  const timespec wake{static_cast<time_t>(at / kSecond), static_cast<long>(at % kSecond)};
  return pthread_cond_timedwait(condition, mutex, &wake);
}

// Where the tables for unwinding are: in a static program, where its own header says.
int _dl_find_object(void* address, dl_find_object* found) {
  const auto* at = static_cast<const char*>(address);
  if (at < __ehdr_start || at >= _end) return -1;
  ElfW(Ehdr) header;
  std::memcpy(&header, __ehdr_start, sizeof header);
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    ElfW(Phdr) part;
    std::memcpy(&part, __ehdr_start + header.e_phoff + i * sizeof part, sizeof part);
    if (part.p_type != PT_GNU_EH_FRAME) continue;
    std::memset(found, 0, sizeof *found);
    found->dlfo_map_start = const_cast<char*>(__ehdr_start);
    found->dlfo_map_end = const_cast<char*>(_end);
    found->dlfo_eh_frame = reinterpret_cast<void*>(part.p_vaddr);
    return 0;
  }
  return -1;
}

}  // extern "C"

namespace __gnu_cxx {

// The usual one prints the name of what was thrown, and brings a demangler for it.
void __verbose_terminate_handler() { std::abort(); }

}  // namespace __gnu_cxx
