# SPDX-License-Identifier: MIT OR Apache-2.0
# Language level, optimisation, warnings and sanitizers, as the interface target `vitrine_compile_options`.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)  # the archive also ends up inside shared modules
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
endif()
# No -DNDEBUG anywhere: checks of our own invariants are on in every build.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")
if(VITRINE_SANITIZE)
  set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1 -g1")  # compiles faster, and stacks in reports stay readable
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2")

if(NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(VITRINE_CCACHE ccache)
  if(VITRINE_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${VITRINE_CCACHE}")
  endif()
endif()

add_library(vitrine_compile_options INTERFACE)
target_compile_options(vitrine_compile_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -fno-omit-frame-pointer)
if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ takes a source that another one includes for a header, where a private member type would be a mistake.
  target_compile_options(vitrine_compile_options INTERFACE -Wno-subobject-linkage)
elseif(CMAKE_UNITY_BUILD)
  # A local name may be one of another source; g++, which asks less of them, looks for true shadows.
  target_compile_options(vitrine_compile_options INTERFACE -Wno-shadow)
endif()
if(VITRINE_WERROR)
  target_compile_options(vitrine_compile_options INTERFACE -Werror)
endif()

# Also accepts "address,undefined", which is easier to type.
string(REPLACE "," ";" VITRINE_SANITIZERS "${VITRINE_SANITIZE}")
foreach(sanitizer IN LISTS VITRINE_SANITIZERS)
  if(NOT sanitizer MATCHES "^(address|undefined|thread)$")
    message(FATAL_ERROR "VITRINE_SANITIZE: unknown sanitizer '${sanitizer}'")
  endif()
endforeach()
if("address" IN_LIST VITRINE_SANITIZERS AND "thread" IN_LIST VITRINE_SANITIZERS)
  message(FATAL_ERROR "VITRINE_SANITIZE: address and thread exclude each other")
endif()
if(VITRINE_FUZZ AND NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "VITRINE_FUZZ needs clang (libFuzzer)")
endif()
if(VITRINE_SANITIZERS)
  list(JOIN VITRINE_SANITIZERS "," sanitizers)
  # These go into the whole directory, because code compiled with and without them must not be mixed.
  add_compile_options(-fsanitize=${sanitizers} -fno-sanitize-recover=all)
  if("undefined" IN_LIST VITRINE_SANITIZERS)
    # The check of virtual tables opens a pipe to look at memory, and reports an error in a process without descriptors.
    add_compile_options(-fno-sanitize=vptr)
  endif()
  add_link_options(-fsanitize=${sanitizers})
  add_compile_definitions(VITRINE_SANITIZED=1)
endif()

# Of a target that fuzz targets call into: whoever fuzzes sees where they have been.
function(vitrine_watch_coverage target)
  if(VITRINE_FUZZ)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
endfunction()

# For a part of the product whose speed nobody feels with the sanitizers, where optimising takes most of the time of a
# build.
function(vitrine_compile_quickly target)
  if(VITRINE_SANITIZERS)
    target_compile_options(${target} PRIVATE -O0)
  endif()
endfunction()
