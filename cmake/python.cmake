# The Python package dativo_native: one extension in the limited API, Python files, and beside them plugins and command.
# In the build tree it is DN_OUTPUT_DIR/python, all of it links; `make wheel` installs the component `python`.
# An interpreter that is not sanitized itself loads no sanitized library.
option(DN_PYTHON_MODULE "Build the Python package" "${DN_PYTHON_TESTS}")
if(NOT DN_PYTHON_MODULE OR DN_SANITIZE)
    set(DN_PYTHON_MODULE OFF)
    return()
endif()

# Headers of any Python from 3.9 on do: the limited API of 3.9 is all that is used.
if(NOT Python_EXECUTABLE)
    set(Python_EXECUTABLE "${DN_PYTHON}")
endif()
execute_process(COMMAND "${Python_EXECUTABLE}" -c "import sysconfig; print(sysconfig.get_path('include'))"
    OUTPUT_VARIABLE python_include OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT EXISTS "${python_include}/Python.h")
    message(FATAL_ERROR "the headers of ${Python_EXECUTABLE} are missing (${python_include}/Python.h): run tools/setup.sh test")
endif()

set(package_dir "${DN_OUTPUT_DIR}/python/dativo_native")
file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/python/native/*.c")
add_library(python_native MODULE ${sources})
target_include_directories(python_native SYSTEM PRIVATE "${python_include}")
target_include_directories(python_native PRIVATE "${CMAKE_SOURCE_DIR}/python/native")
dn_use_layers(python_native job)
set_target_properties(python_native PROPERTIES
    PREFIX "" OUTPUT_NAME "_native" SUFFIX ".abi3.so" LIBRARY_OUTPUT_DIRECTORY "${package_dir}")
target_link_options(python_native PRIVATE -Wl,--exclude-libs,ALL -Wl,-z,nodelete)

# A file that is added later needs a new configuration, as everywhere.
file(GLOB modules CONFIGURE_DEPENDS RELATIVE "${CMAKE_SOURCE_DIR}/python/dativo_native"
    "${CMAKE_SOURCE_DIR}/python/dativo_native/*.py" "${CMAKE_SOURCE_DIR}/python/dativo_native/*.pyi"
    "${CMAKE_SOURCE_DIR}/python/dativo_native/py.typed")
file(MAKE_DIRECTORY "${package_dir}")
foreach(module IN LISTS modules)
    file(CREATE_LINK "${CMAKE_SOURCE_DIR}/python/dativo_native/${module}" "${package_dir}/${module}" SYMBOLIC)
endforeach()
file(CREATE_LINK "${DN_PLUGIN_DIR}" "${package_dir}/plugins" SYMBOLIC)
file(CREATE_LINK "${CMAKE_RUNTIME_OUTPUT_DIRECTORY}" "${package_dir}/bin" SYMBOLIC)

install(TARGETS python_native LIBRARY DESTINATION dativo_native COMPONENT python EXCLUDE_FROM_ALL)
install(TARGETS csv_reader csv_writer level0 parquet_reader parquet_writer postgres_reader
    LIBRARY DESTINATION dativo_native/plugins COMPONENT python EXCLUDE_FROM_ALL)
install(TARGETS dativo-native RUNTIME DESTINATION dativo_native/bin COMPONENT python EXCLUDE_FROM_ALL)
