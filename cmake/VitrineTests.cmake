# SPDX-License-Identifier: MIT OR Apache-2.0
# Unit tests: src/<folder>/*_test.cpp, one program a folder, label "unit". Tests of the whole: each tests/*_test.cpp is
# one program, label "system"; the other files of tests/ are a library that all of them link to. A build for the
# thread sanitizer leaves out layers that know no threads, what runs on the simulated disk in one thread, which is what
# has "crash", "fault" or "damage" in its name, and what replaces operator new, which that sanitizer does itself.
include(GoogleTest)

set(VITRINE_SKIPPED_TESTS "^$")
set(VITRINE_UNIT_TESTED_LAYERS ${VITRINE_LAYERS} cli)
if("thread" IN_LIST VITRINE_SANITIZERS)
  set(VITRINE_SKIPPED_TESTS "/tests/.*(crash|fault|damage).*_test\\.cpp$|_fault_test\\.cpp$")
  list(REMOVE_ITEM VITRINE_UNIT_TESTED_LAYERS base space tree doc inspect sql cli)
endif()

# One case takes seconds, the long ones minutes; a case that hangs must not stop the gate for ever.
set(VITRINE_UNIT_TIMEOUT_S 300)
set(VITRINE_SYSTEM_TIMEOUT_S 1500)

function(vitrine_register_tests target label timeout_s)
  set(cost 1)  # the long ones start first, so that none runs alone at the end
  if(label STREQUAL "system")
    set(cost 100)
  endif()
  target_link_libraries(${target} PRIVATE GTest::gtest GTest::gtest_main vitrine_compile_options)
  gtest_discover_tests(${target}
    TEST_PREFIX "${label}." DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
    PROPERTIES LABELS "${label}" COST ${cost} TIMEOUT ${timeout_s})
endfunction()

# Tests of one layer that call their samples alike are never compiled together.
set(VITRINE_TESTS_APART format pool tree)

# Tests whose own code does much: models of what they test, a search through all memory. The others are not optimised
# anywhere, which takes twice as long as they run.
set(VITRINE_TESTS_THAT_WORK space wal tree)
if(VITRINE_SANITIZERS)
  list(APPEND VITRINE_TESTS_THAT_WORK kv)
endif()

add_custom_target(unit_tests)
foreach(layer IN LISTS VITRINE_UNIT_TESTED_LAYERS)
  file(GLOB test_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/${layer}/*_test.cpp")
  list(FILTER test_sources EXCLUDE REGEX "${VITRINE_SKIPPED_TESTS}")
  if(test_sources AND VITRINE_TARGET_${layer})
    add_executable(${layer}_tests ${test_sources})
    target_include_directories(${layer}_tests PRIVATE "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/src")
    target_link_libraries(${layer}_tests PRIVATE ${VITRINE_TARGET_${layer}} ${VITRINE_PACKAGES_${layer}})
    vitrine_register_tests(${layer}_tests unit ${VITRINE_UNIT_TIMEOUT_S})
    if(NOT layer IN_LIST VITRINE_TESTS_THAT_WORK)
      target_compile_options(${layer}_tests PRIVATE -O0)
    endif()
    add_dependencies(unit_tests ${layer}_tests)
    if(layer IN_LIST VITRINE_TESTS_APART)
      set_target_properties(${layer}_tests PROPERTIES UNITY_BUILD OFF)
    endif()
  endif()
endforeach()

file(GLOB helper_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/*.cpp")
list(FILTER helper_sources EXCLUDE REGEX "_test\\.cpp$")
if(helper_sources)
  add_library(vitrine_test_support STATIC ${helper_sources})
  target_include_directories(vitrine_test_support PUBLIC "${PROJECT_SOURCE_DIR}")
  target_link_libraries(vitrine_test_support
    PUBLIC ${VITRINE_TOP_LAYER} GTest::gtest PRIVATE vitrine_compile_options)
  set(VITRINE_TEST_SUPPORT vitrine_test_support)
endif()

# These run a second time with encrypted databases, at reduced size unless VITRINE_TEST_SCALE says otherwise.
set(VITRINE_ENCRYPTED_TESTS
  engine_crash_test engine_fault_disk_test damage_bits_test damage_history_test)

file(GLOB system_tests CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/*_test.cpp")
list(FILTER system_tests EXCLUDE REGEX "${VITRINE_SKIPPED_TESTS}")
foreach(source IN LISTS system_tests)
  get_filename_component(name "${source}" NAME_WE)
  add_executable(${name} "${source}")
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_compile_definitions(${name} PRIVATE
    VITRINE_PROGRAM="${PROJECT_BINARY_DIR}/bin/vitrine" VITRINE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE ${VITRINE_TEST_SUPPORT} ${VITRINE_TOP_LAYER})
  file(STRINGS "${source}" runs_program REGEX VITRINE_PROGRAM)
  if(runs_program AND TARGET vitrine_program)
    add_dependencies(${name} vitrine_program)
  endif()
  vitrine_register_tests(${name} system ${VITRINE_SYSTEM_TIMEOUT_S})
  if(name IN_LIST VITRINE_ENCRYPTED_TESTS)
    gtest_discover_tests(${name}
      TEST_PREFIX "system.encrypted." DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
      WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
      PROPERTIES LABELS "system-simulation" COST 50 TIMEOUT ${VITRINE_SYSTEM_TIMEOUT_S}
        ENVIRONMENT "VITRINE_TEST_ENCRYPTED=1")
  endif()
endforeach()
