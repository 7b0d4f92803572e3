# SPDX-License-Identifier: MIT OR Apache-2.0
# Fuzz targets: src/<layer>/NAME_fuzz.cpp becomes <layer>_NAME_fuzz, fuzz/NAME_fuzz.cpp becomes NAME_fuzz. With
# VITRINE_FUZZ they are libFuzzer programs; otherwise a small main replays the kept corpus (fuzz/corpus/<target>/), so
# every compiler builds them and every test run repeats what was found before.

function(vitrine_add_fuzz_target target source link)
  add_executable(${target} "${source}")
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/src")
  target_link_libraries(${target} PRIVATE ${link} vitrine_compile_options)
  string(REGEX REPLACE "_fuzz$" "" corpus "${target}")
  vitrine_watch_coverage(${target})
  if(VITRINE_FUZZ)
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    set_property(GLOBAL APPEND PROPERTY VITRINE_FUZZ_TARGETS ${target})
  else()
    target_sources(${target} PRIVATE "${PROJECT_SOURCE_DIR}/tools/fuzz_replay.cpp")
    set(folder "${PROJECT_SOURCE_DIR}/fuzz/corpus/${corpus}")
    if(VITRINE_TESTS AND EXISTS "${folder}")  # tools/tidy.py misses the folder when it is not there
      add_test(NAME "corpus.${corpus}" COMMAND ${target} "${folder}")
      set_tests_properties("corpus.${corpus}" PROPERTIES LABELS unit TIMEOUT 300)
      add_dependencies(unit_tests ${target})
    endif()
  endif()
endfunction()

foreach(layer IN LISTS VITRINE_LAYERS ITEMS cli)
  file(GLOB fuzz_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/${layer}/*_fuzz.cpp")
  if(VITRINE_TARGET_${layer})
    foreach(source IN LISTS fuzz_sources)
      get_filename_component(name "${source}" NAME_WE)
      vitrine_add_fuzz_target(${layer}_${name} "${source}" ${VITRINE_TARGET_${layer}})
    endforeach()
  endif()
endforeach()
file(GLOB fuzz_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/fuzz/*_fuzz.cpp")
foreach(source IN LISTS fuzz_sources)
  get_filename_component(name "${source}" NAME_WE)
  vitrine_add_fuzz_target(${name} "${source}" ${VITRINE_TOP_LAYER})
endforeach()

# The list for tools/: one target a line.
get_property(fuzz_targets GLOBAL PROPERTY VITRINE_FUZZ_TARGETS)
if(VITRINE_FUZZ)
  list(JOIN fuzz_targets "\n" fuzz_list)
  file(WRITE "${PROJECT_BINARY_DIR}/fuzz_targets.txt" "${fuzz_list}\n")
  add_custom_target(fuzz_targets DEPENDS ${fuzz_targets})
endif()
