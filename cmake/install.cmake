# Who is put where by `cmake --install`, in the folders of GNUInstallDirs.  A component for each package of Debian.
include(CMakePackageConfigHelpers)

set(DN_PLUGINS csv_reader csv_writer level0 parquet_reader parquet_writer)
if(TARGET postgres_reader)
    list(APPEND DN_PLUGINS postgres_reader)
endif()

# The command finds its plugins from its own folder, so that what is installed may be moved as a whole.
cmake_path(SET bin_dir NORMALIZE "${CMAKE_INSTALL_FULL_BINDIR}")
cmake_path(SET plugin_dir NORMALIZE "${CMAKE_INSTALL_FULL_LIBDIR}/dativo/plugins")
cmake_path(RELATIVE_PATH plugin_dir BASE_DIRECTORY "${bin_dir}" OUTPUT_VARIABLE plugins_from_bin)
set_source_files_properties("${CMAKE_SOURCE_DIR}/src/job/plugin.c" PROPERTIES
    COMPILE_DEFINITIONS "DN_INSTALLED_PLUGINS=\"${plugins_from_bin}\"")

install(TARGETS dativo-native RUNTIME COMPONENT command)
install(TARGETS ${DN_PLUGINS} LIBRARY DESTINATION "${DN_INSTALL_PLUGINDIR}" COMPONENT command)

# The library, and what a program is built with.
install(TARGETS dativo EXPORT DativoTargets
    LIBRARY COMPONENT library NAMELINK_COMPONENT development
    INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(DIRECTORY "${CMAKE_SOURCE_DIR}/include/dativo" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT development
    FILES_MATCHING PATTERN "*.h")

cmake_path(APPEND pc_includedir "\${prefix}" "${CMAKE_INSTALL_INCLUDEDIR}") # an absolute one replaces it
cmake_path(APPEND pc_libdir "\${prefix}" "${CMAKE_INSTALL_LIBDIR}")
configure_file("${CMAKE_SOURCE_DIR}/cmake/dativo.pc.in" "${CMAKE_BINARY_DIR}/dativo.pc" @ONLY)
install(FILES "${CMAKE_BINARY_DIR}/dativo.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT development)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/Dativo")
configure_package_config_file("${CMAKE_SOURCE_DIR}/cmake/DativoConfig.cmake.in" "${CMAKE_BINARY_DIR}/DativoConfig.cmake"
    INSTALL_DESTINATION "${package_dir}" PATH_VARS DN_INSTALL_PLUGINDIR NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file("${CMAKE_BINARY_DIR}/DativoConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/DativoConfig.cmake" "${CMAKE_BINARY_DIR}/DativoConfigVersion.cmake"
    DESTINATION "${package_dir}" COMPONENT development)
install(EXPORT DativoTargets NAMESPACE Dativo:: DESTINATION "${package_dir}" COMPONENT development)

# Manual pages and completions, which the command makes of its help texts and its tables of flags.
set(DN_INSTALL_ZSHDIR "${CMAKE_INSTALL_DATADIR}/zsh/site-functions" CACHE STRING "Where zsh looks for completions")
if(NOT CMAKE_CROSSCOMPILING AND NOT DN_SANITIZE)
    set(man_dir "${CMAKE_BINARY_DIR}/man")
    file(MAKE_DIRECTORY "${man_dir}")
    set(man_commands COMMAND dativo-native help --man > dativo-native.1)
    foreach(command run check convert schema inspect verify plan task commit abort plugin)
        list(APPEND man_commands COMMAND dativo-native help --man ${command} > dativo-native-${command}.1)
    endforeach()
    add_custom_command(OUTPUT "${man_dir}/stamp" ${man_commands} COMMAND "${CMAKE_COMMAND}" -E touch stamp
        DEPENDS dativo-native WORKING_DIRECTORY "${man_dir}" VERBATIM)
    add_custom_target(man ALL DEPENDS "${man_dir}/stamp")
    install(DIRECTORY "${man_dir}/" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1" COMPONENT command FILES_MATCHING PATTERN "*.1")

    set(completion_dir "${CMAKE_BINARY_DIR}/completions")
    file(MAKE_DIRECTORY "${completion_dir}")
    add_custom_command(OUTPUT "${completion_dir}/stamp"
        COMMAND dativo-native help --completion bash > dativo-native
        COMMAND dativo-native help --completion zsh > _dativo-native
        COMMAND dativo-native help --completion fish > dativo-native.fish
        COMMAND "${CMAKE_COMMAND}" -E touch stamp
        DEPENDS dativo-native WORKING_DIRECTORY "${completion_dir}" VERBATIM)
    add_custom_target(completions ALL DEPENDS "${completion_dir}/stamp")
    install(FILES "${completion_dir}/dativo-native" DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" COMPONENT command)
    install(FILES "${completion_dir}/_dativo-native" DESTINATION "${DN_INSTALL_ZSHDIR}" COMPONENT command)
    install(FILES "${completion_dir}/dativo-native.fish" DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d" COMPONENT command)
endif()
