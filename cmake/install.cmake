# What `cmake --install` puts where: headers, both libraries, the pkg-config file, the CMake package.
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/threading")

install(DIRECTORY include/ DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h")
install(TARGETS threading threading_static EXPORT threadingTargets)
if(TARGET threading_lab)
    install(TARGETS threading_lab LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" NAMELINK_SKIP)
    install(TARGETS threading_cli threading_lab_tsan)
    install(FILES docs/threading.1 DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
endif()
install(EXPORT threadingTargets NAMESPACE threading:: DESTINATION "${package_dir}")

configure_package_config_file(cmake/threadingConfig.cmake.in threadingConfig.cmake
    INSTALL_DESTINATION "${package_dir}")
# While the version is 0.x, another minor version may be another interface.
write_basic_package_version_file(threadingConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
    "${PROJECT_BINARY_DIR}/threadingConfig.cmake" "${PROJECT_BINARY_DIR}/threadingConfigVersion.cmake"
    DESTINATION "${package_dir}")

# The pkg-config file finds its prefix from its own place, so that an installed tree may be moved.
set(pc_dir "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig")
file(RELATIVE_PATH pc_to_prefix "${pc_dir}" "${CMAKE_INSTALL_PREFIX}")
file(RELATIVE_PATH pc_libdir "${CMAKE_INSTALL_PREFIX}" "${CMAKE_INSTALL_FULL_LIBDIR}")
file(RELATIVE_PATH pc_includedir "${CMAKE_INSTALL_PREFIX}" "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
string(REGEX REPLACE "/$" "" pc_to_prefix "${pc_to_prefix}")
set(pc_unwind_flag "")
if(THR_CAN_UNWIND)
    set(pc_unwind_flag " -fexceptions")
endif()
configure_file(cmake/threading.pc.in threading.pc @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/threading.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
