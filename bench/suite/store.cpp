// SPDX-License-Identifier: MIT OR Apache-2.0
#include "suite/store.hpp"

#include <dlfcn.h>

#include <filesystem>

namespace vitrine::bench {

StoreKind load_kind(const std::string& directory, const std::string& name) {
  constexpr std::string_view kEncrypted = "_encrypted";
  const bool asks_for_encryption = name.ends_with(kEncrypted);
  const std::string module_name = name.substr(0, name.size() - (asks_for_encryption ? kEncrypted.size() : 0));
  const std::string path = directory + "/bench_peer_" + module_name + ".so";
  // Local: two stores may define the same symbols. The program itself is linked to none of them.
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) throw PeerFailure(std::string("not loaded: ") + dlerror());
  using Entry = const PeerModule* (*)();
  const auto entry = reinterpret_cast<Entry>(dlsym(handle, "vitrine_bench_peer"));
  require(entry != nullptr, "not a module of a peer", path.c_str());
  const PeerModule* module = entry();
  require(module->can_encrypt || !asks_for_encryption, "cannot encrypt");
  return {name, module, asks_for_encryption || !module->can_run_plain};
}

Store::Store(StoreKind kind, std::string directory, PeerOptions options)
    : kind_(std::move(kind)), options_(std::move(options)) {
  options_.directory = std::move(directory);
  options_.encrypted = kind_.encrypted;
  std::filesystem::create_directories(options_.directory);
  peer_ = kind_.module->open(options_);
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

void Store::remove_files() { std::filesystem::remove_all(options_.directory); }

}  // namespace vitrine::bench
