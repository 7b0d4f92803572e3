# SPDX-License-Identifier: MIT OR Apache-2.0
# The lean build (VITRINE_LEAN): lib/libvitrine.a with the key-value core alone, optimised for size, with nothing to
# link to but xxHash, and the program `footprint`, which shows how little memory that takes (./dev bench --footprint).

set(VITRINE_LAYERS base os crypto format space pool tree wal txn engine kv)
set(VITRINE_PACKAGES_format PkgConfig::xxhash)
# Sections, so that a linker can leave out what a program does not call.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-Os -g1")
add_compile_options(-ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables)

foreach(layer IN LISTS VITRINE_LAYERS)
  vitrine_add_layer(${layer})
endforeach()
vitrine_add_combined_library()

find_library(VITRINE_XXHASH_ARCHIVE libxxhash.a REQUIRED)
add_executable(footprint EXCLUDE_FROM_ALL bench/footprint/footprint.cpp bench/footprint/heap.cpp)
target_include_directories(footprint PRIVATE bench include)
target_link_libraries(footprint PRIVATE "$<TARGET_FILE:vitrine>" "${VITRINE_XXHASH_ARCHIVE}" vitrine_compile_options)
target_link_options(footprint PRIVATE -static -s -Wl,--gc-sections)
add_dependencies(footprint vitrine)

# The same program with musl as its C library, where musl-tools and the libraries of g++ are: musl's parts come in place
# of those that the compiler would link.
find_file(VITRINE_MUSL_LIBC libc.a PATHS "/usr/lib/${CMAKE_SYSTEM_PROCESSOR}-linux-musl" NO_DEFAULT_PATH)
if(VITRINE_MUSL_LIBC AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  cmake_path(GET VITRINE_MUSL_LIBC PARENT_PATH musl)
  foreach(part IN ITEMS crtbeginT.o crtend.o libstdc++.a libgcc.a libgcc_eh.a)
    execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=${part}
      OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE)
    list(APPEND gnu "${found}")
  endforeach()
  list(POP_FRONT gnu begin end)
  add_executable(footprint_musl EXCLUDE_FROM_ALL bench/footprint/footprint.cpp bench/footprint/heap.cpp
    bench/footprint/musl.cpp)
  target_include_directories(footprint_musl PRIVATE bench include)
  target_compile_options(footprint_musl PRIVATE -fno-stack-protector)
  add_dependencies(footprint_musl vitrine)
  target_link_options(footprint_musl PRIVATE -static -nostdlib -nostartfiles -s -Wl,--gc-sections,--eh-frame-hdr)
  target_link_libraries(footprint_musl PRIVATE
    "${musl}/crt1.o" "${musl}/crti.o" "${begin}" "$<TARGET_FILE:vitrine>" "${VITRINE_XXHASH_ARCHIVE}"
    -Wl,--start-group ${gnu} "${VITRINE_MUSL_LIBC}" -Wl,--end-group "${end}" "${musl}/crtn.o")
endif()
