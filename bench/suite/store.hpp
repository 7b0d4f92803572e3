// SPDX-License-Identifier: MIT OR Apache-2.0
// A store under test: the module of a peer, a folder, the open database in it, and what has been put there.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cli/bench_data.hpp"
#include "peers/peer.hpp"

namespace vitrine::bench {

// A store by its name in reports: that of a module, with "_encrypted" behind it for an encrypted database. A module
// that only encrypts needs no such ending.
struct StoreKind {
  std::string name;
  const PeerModule* module = nullptr;
  bool encrypted = false;
};

// Loads DIRECTORY/bench_peer_NAME.so. The module stays loaded.
StoreKind load_kind(const std::string& directory, const std::string& name);

class Store {
 public:
  Store(StoreKind kind, std::string directory, PeerOptions options);  // opens; throws PeerFailure
  ~Store();

  const std::string& name() const noexcept { return kind_.name; }
  Peer& peer() { return *peer_; }
  // The session of thread number `index`, made when first asked for. Not for two threads at once.
  Session& session(unsigned index);

  void close();
  void remove_files();  // REQUIRES: closed

  std::uint64_t records = 0;  // keys 0 to records - 1 are there, in the order of the data set

 private:
  const StoreKind kind_;
  PeerOptions options_;
  std::unique_ptr<Peer> peer_;
  std::vector<std::unique_ptr<Session>> sessions_;
};

// Keys of 16 digits and values that do not compress, as `vitrine bench` has them.
using cli::BenchKey;
using cli::BenchValues;
using cli::KeyOrder;

}  // namespace vitrine::bench
