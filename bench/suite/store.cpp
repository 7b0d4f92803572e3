// SPDX-License-Identifier: MIT OR Apache-2.0
#include "suite/store.hpp"

#include <dlfcn.h>

#include <filesystem>

namespace vitrine::bench {

const PeerModule& load_module(const std::string& directory, const std::string& name) {
  const std::string path = directory + "/bench_peer_" + name + ".so";
  // Local: two stores may define the same symbols. The program itself is linked to none of them.
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) throw PeerFailure(std::string("not loaded: ") + dlerror());
  using Entry = const PeerModule* (*)();
  const auto entry = reinterpret_cast<Entry>(dlsym(handle, "vitrine_bench_peer"));
  require(entry != nullptr, "not a module of a peer", path.c_str());
  return *entry();
}

Store::Store(const PeerModule& module, std::string directory, PeerOptions options)
    : module_(module), options_(std::move(options)) {
  options_.directory = std::move(directory);
  std::filesystem::create_directories(options_.directory);
  reopen();
}

Store::~Store() = default;

Session& Store::session(unsigned index) {
  while (sessions_.size() <= index) sessions_.push_back(peer_->session());
  return *sessions_[index];
}

void Store::close() {
  sessions_.clear();
  peer_.reset();
}

void Store::reopen() { peer_ = module_.open(options_); }

void Store::remove_files() { std::filesystem::remove_all(options_.directory); }

}  // namespace vitrine::bench
