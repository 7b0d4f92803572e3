// SPDX-License-Identifier: MIT OR Apache-2.0
// What the layer above has made of values of a store, kept so that it need not be made again in each transaction. It
// goes with the very bytes that it was made of: whoever asks for it has just read the same ones in a transaction of his
// own. So nothing is thrown away when transactions commit, are undone or run side by side; what is out of date is not
// found. Who sees one committed state and nothing else need not even read the bytes, where somebody did so in the same
// state. Bounded: a new value takes the place of another one. Thread safety: any thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "vitrine/bytes.hpp"

namespace vitrine::kv {

class Memo {
 public:
  using State = std::optional<std::uint64_t>;  // the number of the only state that the reader sees, if it is so

  // What was made of this value of this key, or null. The type is that which is kept for the key.
  std::shared_ptr<const void> find(Bytes key, Bytes value, State state) {
    std::lock_guard lock(mutex_);
    Place& place = places_[place_of(key)];
    if (!place.made || place.key != key || place.value != value) return nullptr;
    if (state) place.state = state;
    return place.made;
  }
  // What was made of the value that the key has in this state, or null.
  std::shared_ptr<const void> find_in(std::uint64_t state, Bytes key) const {
    std::lock_guard lock(mutex_);
    const Place& place = places_[place_of(key)];
    return place.state == state && place.key == key ? place.made : nullptr;
  }
  void keep(Bytes key, Bytes value, State state, std::shared_ptr<const void> made) {
    Place place{ByteString(key), ByteString(value), state, std::move(made)};
    std::lock_guard lock(mutex_);
    std::swap(places_[place_of(key)], place);
  }

 private:
  struct Place {
    ByteString key, value;
    State state;  // where the key is known to have this value
    std::shared_ptr<const void> made;
  };
  static constexpr std::size_t kPlaces = 64;
  static std::size_t place_of(Bytes key) noexcept { return std::hash<Bytes>{}(key) % kPlaces; }

  mutable std::mutex mutex_;
  std::array<Place, kPlaces> places_;
};

}  // namespace vitrine::kv
