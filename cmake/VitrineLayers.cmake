# SPDX-License-Identifier: MIT OR Apache-2.0
# The libraries of src/ and the program. A folder without sources yet is an empty step in the order of layers.

# Sources of a folder of src/ that belong to the product.
function(vitrine_product_sources folder result)
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/${folder}/*.cpp")
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz)\\.cpp$")
  if(VITRINE_LEAN)
    list(FILTER sources EXCLUDE REGEX "/crypto/(aead|derive|known_answers)\\.cpp$")
  else()
    list(FILTER sources EXCLUDE REGEX "/crypto/no_crypto\\.cpp$")
  endif()
  set(${result} "${sources}" PARENT_SCOPE)
endfunction()

# Adds vitrine_<layer>, linked to the nearest lower layer (and through it to all of them). VITRINE_TOP_LAYER is the
# highest target so far, VITRINE_TARGET_<layer> what a test of that folder links to.
macro(vitrine_add_layer layer)
  vitrine_product_sources(${layer} layer_sources)
  if(layer_sources)
    add_library(vitrine_${layer} STATIC ${layer_sources})
    target_include_directories(vitrine_${layer} PUBLIC "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/src")
    target_link_libraries(vitrine_${layer}
      PUBLIC ${VITRINE_TOP_LAYER} Threads::Threads
      PRIVATE ${VITRINE_PACKAGES_${layer}} vitrine_compile_options)
    if(layer IN_LIST VITRINE_LAYERS_ABOVE)
      vitrine_compile_quickly(vitrine_${layer})
    else()
      vitrine_watch_coverage(vitrine_${layer})
    endif()
    set(VITRINE_TOP_LAYER vitrine_${layer})
    list(APPEND VITRINE_LAYER_TARGETS vitrine_${layer})
  endif()
  set(VITRINE_TARGET_${layer} "${VITRINE_TOP_LAYER}")
endmacro()

# lib/libvitrine.a: the objects of all layers in one archive, which is what users link to.
function(vitrine_add_combined_library)
  add_library(vitrine STATIC)
  foreach(target IN LISTS VITRINE_LAYER_TARGETS)
    target_sources(vitrine PRIVATE $<TARGET_OBJECTS:${target}>)
  endforeach()
  foreach(layer IN LISTS VITRINE_LAYERS)
    target_link_libraries(vitrine PRIVATE ${VITRINE_PACKAGES_${layer}})
  endforeach()
  target_include_directories(vitrine PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(vitrine PUBLIC Threads::Threads)
  target_compile_features(vitrine PUBLIC cxx_std_20)
  set_target_properties(vitrine PROPERTIES
    ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib" LINKER_LANGUAGE CXX)
  add_library(vitrine::vitrine ALIAS vitrine)
endfunction()

# bin/vitrine. Everything of src/cli but main.cpp is a library of its own, so that its unit tests can link to it.
function(vitrine_add_program)
  vitrine_product_sources(cli cli_sources)
  set(main_source "${PROJECT_SOURCE_DIR}/src/cli/main.cpp")
  list(REMOVE_ITEM cli_sources "${main_source}")
  if(cli_sources)
    add_library(vitrine_cli STATIC ${cli_sources})
    target_include_directories(vitrine_cli PUBLIC "${PROJECT_SOURCE_DIR}/src")
    target_compile_definitions(vitrine_cli PRIVATE VITRINE_VERSION_TEXT="${PROJECT_VERSION}")
    target_link_libraries(vitrine_cli
      PUBLIC vitrine PRIVATE PkgConfig::terminal PkgConfig::editing vitrine_compile_options)
    vitrine_compile_quickly(vitrine_cli)
    vitrine_watch_coverage(vitrine_cli)  # the grammar of the shell is fuzzed
    set(VITRINE_TARGET_cli vitrine_cli PARENT_SCOPE)
  endif()
  if(EXISTS "${main_source}")
    add_executable(vitrine_program src/cli/main.cpp)
    target_link_libraries(vitrine_program PRIVATE vitrine_cli vitrine_compile_options)
    set_target_properties(vitrine_program PROPERTIES OUTPUT_NAME vitrine)
    install(TARGETS vitrine_program RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  endif()
endfunction()
