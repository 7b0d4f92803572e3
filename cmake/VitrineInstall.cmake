# SPDX-License-Identifier: MIT OR Apache-2.0
# Install rules: headers, archive, CMake package, pkg-config file.
include(CMakePackageConfigHelpers)

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/vitrine" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  FILES_MATCHING PATTERN "*.hpp" PATTERN "*.h" PATTERN "*.def")
install(TARGETS vitrine ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")

# The config file is written by hand, because an export set would drag the library targets of this build along.
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/vitrine")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/vitrine-config.cmake.in"
  "${PROJECT_BINARY_DIR}/vitrine-config.cmake" INSTALL_DESTINATION "${package_dir}"
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/vitrine-config-version.cmake"
  COMPATIBILITY SameMinorVersion)
# From the folder of vitrine.pc to the prefix, so that an installed tree can be moved.
file(RELATIVE_PATH VITRINE_PC_TO_PREFIX "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
configure_file("${PROJECT_SOURCE_DIR}/cmake/vitrine.pc.in" "${PROJECT_BINARY_DIR}/vitrine.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/vitrine-config.cmake" "${PROJECT_BINARY_DIR}/vitrine-config-version.cmake"
  DESTINATION "${package_dir}")
install(FILES "${PROJECT_BINARY_DIR}/vitrine.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
