# SPDX-License-Identifier: MIT OR Apache-2.0
# Measurements: each bench/*_bench.cpp is one program, not part of the tests. Target `benches` builds all of them.

add_custom_target(benches)
file(GLOB bench_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/bench/*_bench.cpp")
foreach(source IN LISTS bench_sources)
  get_filename_component(name "${source}" NAME_WE)
  add_executable(${name} "${source}")
  target_link_libraries(${name} PRIVATE ${VITRINE_TOP_LAYER} ${VITRINE_PACKAGES_format} vitrine_compile_options)
  add_dependencies(benches ${name})
endforeach()
