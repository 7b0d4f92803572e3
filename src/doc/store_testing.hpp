// SPDX-License-Identifier: MIT OR Apache-2.0
// For tests of the layer over both stores: the engine and the map in memory.
//
//   template <typename Holder> class MyTest : public StoreTest<Holder> {};
//   TYPED_TEST_SUITE(MyTest, Holders);
#pragma once

#include "doc/store_documents.hpp"
#include "doc/testing.hpp"
#include "kv/memory_store.hpp"
#include "kv/native_store.hpp"

namespace vitrine::doc::testing {

struct NativeHolder {
  NativeHolder() : db(Database::open_in_memory(kv::testing::small_options()).value()), store(db, "documents") {}
  ~NativeHolder() { EXPECT_TRUE(kv::testing::verifies_clean(db)); }
  Database db;
  kv::NativeStore store;
};

struct MemoryHolder {
  kv::MemoryStore store;
};

using Holders = ::testing::Types<NativeHolder, MemoryHolder>;

inline std::vector<Bytes> views(const std::vector<ByteString>& documents) {
  return {documents.begin(), documents.end()};
}

inline ByteString storable(const std::string& text) { return storable_document(json(text).bson()).value(); }

// All documents, in order, as JSON.
inline std::string contents(const kv::StoreReader& txn, Bytes name) {
  std::string text;
  const auto count = scan_documents(txn, open_collection(txn, name).value(), [&](Bytes bson, std::uint64_t) {
    text.append(Document::from_bson(bson).value().to_json());
    return true;
  });
  EXPECT_TRUE(ok(count));
  return text;
}

template <typename Holder>
class StoreTest : public ::testing::Test {
 protected:
  Holder& holder() { return holder_; }
  kv::Store& store() { return holder_.store; }
  // Runs `body` and commits what it did.
  Status write(const std::function<Status(kv::StoreWriter&)>& body) {
    return kv::run_in_transaction(store(), body).status;
  }
  Status create(Bytes name) {
    return write([&](kv::StoreWriter& txn) { return create_collection(txn, name).status(); });
  }
  Status put(Bytes name, const std::string& text, const Expectation& expectation = {}) {
    return write([&](kv::StoreWriter& txn) {
      return write_document(txn, open_collection(txn, name).value(), storable(text), expectation).status();
    });
  }
  std::unique_ptr<kv::StoreReader> reader() { return store().begin_read().value(); }
  std::vector<ByteString> names() { return list_collections(*reader()).value(); }
  std::optional<Record> get(Bytes name, const std::string& id) {
    const auto txn = reader();
    return read_document(*txn, open_collection(*txn, name).value(), OwnedValue::of_json(id).value()).value();
  }

 private:
  Holder holder_;
};

}  // namespace vitrine::doc::testing
