# SPDX-License-Identifier: MIT OR Apache-2.0
# Measurements, not part of the tests and built by name only. Target `benches`: each bench/*_bench.cpp as one program,
# bench_suite, and a module for each store that is installed here. A store that is missing is a message, not an error.

add_custom_target(benches)

file(GLOB bench_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/bench/*_bench.cpp")
foreach(source IN LISTS bench_sources)
  get_filename_component(name "${source}" NAME_WE)
  add_executable(${name} EXCLUDE_FROM_ALL "${source}")
  target_link_libraries(${name} PRIVATE
    ${VITRINE_TOP_LAYER} ${VITRINE_PACKAGES_format} ${VITRINE_PACKAGES_sql} vitrine_compile_options)
  add_dependencies(benches ${name})
endforeach()

# What ./dev test counts the instructions of; needs the headers of valgrind.
add_executable(hot_operations EXCLUDE_FROM_ALL "${PROJECT_SOURCE_DIR}/bench/hot_operations.cpp")
target_include_directories(hot_operations PRIVATE "${PROJECT_SOURCE_DIR}/src")
target_link_libraries(hot_operations PRIVATE vitrine vitrine_compile_options)

# --- The suite, which is linked to no store
find_package(nlohmann_json REQUIRED)
file(GLOB suite_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/bench/suite/*.cpp")
add_executable(bench_suite EXCLUDE_FROM_ALL ${suite_sources})
target_include_directories(bench_suite PRIVATE "${PROJECT_SOURCE_DIR}/bench")
target_link_libraries(bench_suite PRIVATE
  vitrine_base PkgConfig::cryptography nlohmann_json::nlohmann_json ${CMAKE_DL_LIBS} vitrine_compile_options)
set_target_properties(bench_suite PROPERTIES UNITY_BUILD OFF)
add_dependencies(benches bench_suite)

# --- The stores: bin/bench_peer_<name>.so
# vitrine_bench_peer(NAME SOURCE HEADER LIBRARY [DEFINITION...])
function(vitrine_bench_peer name source header library)
  find_path(VITRINE_BENCH_HEADER_${name} "${header}")
  find_library(VITRINE_BENCH_LIBRARY_${name} "${library}")
  mark_as_advanced(VITRINE_BENCH_HEADER_${name} VITRINE_BENCH_LIBRARY_${name})
  if(NOT VITRINE_BENCH_HEADER_${name} OR NOT VITRINE_BENCH_LIBRARY_${name})
    message(VERBOSE "bench: no ${name} here (${header}, lib${library})")
    return()
  endif()
  add_library(bench_peer_${name} MODULE EXCLUDE_FROM_ALL "${PROJECT_SOURCE_DIR}/bench/peers/${source}")
  target_include_directories(bench_peer_${name} PRIVATE "${PROJECT_SOURCE_DIR}/bench")
  target_include_directories(bench_peer_${name} SYSTEM PRIVATE "${VITRINE_BENCH_HEADER_${name}}")
  target_link_libraries(bench_peer_${name} PRIVATE "${VITRINE_BENCH_LIBRARY_${name}}" vitrine_compile_options)
  target_compile_definitions(bench_peer_${name} PRIVATE ${ARGN})
  vitrine_bench_module(${name})
endfunction()

function(vitrine_bench_module name)
  set_target_properties(bench_peer_${name} PROPERTIES
    PREFIX "" LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
  add_dependencies(benches bench_peer_${name})
endfunction()

add_library(bench_peer_vitrine MODULE EXCLUDE_FROM_ALL "${PROJECT_SOURCE_DIR}/bench/peers/vitrine.cpp")
target_include_directories(bench_peer_vitrine PRIVATE "${PROJECT_SOURCE_DIR}/bench")
target_link_libraries(bench_peer_vitrine PRIVATE vitrine vitrine_compile_options)
target_compile_definitions(bench_peer_vitrine PRIVATE VITRINE_BENCH_VERSION="${PROJECT_VERSION}")
vitrine_bench_module(vitrine)

vitrine_bench_peer(lmdb lmdb.cpp lmdb.h lmdb)
vitrine_bench_peer(lmdb_writemap lmdb.cpp lmdb.h lmdb LMDB_WRITEMAP=1)
vitrine_bench_peer(leveldb leveldb.cpp leveldb/db.h leveldb)
vitrine_bench_peer(rocksdb rocksdb.cpp rocksdb/db.h rocksdb)
vitrine_bench_peer(sqlite sqlite.cpp sqlite3.h sqlite3)
vitrine_bench_peer(sqlcipher sqlite.cpp sqlcipher/sqlite3.h sqlcipher VITRINE_BENCH_SQLCIPHER)
vitrine_bench_peer(berkeleydb berkeleydb.cpp db.h db-5.3)
vitrine_bench_peer(wiredtiger wiredtiger.cpp wiredtiger.h wiredtiger)
vitrine_bench_peer(tkrzw tkrzw.cpp tkrzw_dbm_tree.h tkrzw)
