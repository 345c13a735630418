# tests/<kind>/<layer>/test_*.c: one cmocka program per file, linked with that layer and the ones below it, labelled <kind>.
# Kinds: unit, kernels, fault.  tests/abi and the Python suites have their own CMakeLists.
add_library(dn_test_support INTERFACE)
target_include_directories(dn_test_support INTERFACE "${CMAKE_SOURCE_DIR}/tests/support")
target_compile_definitions(dn_test_support INTERFACE
    DN_TEST_DATA="${CMAKE_SOURCE_DIR}/tests/data" DN_TEST_TMP="${CMAKE_BINARY_DIR}/tmp" DN_PLUGIN_DIR="${DN_PLUGIN_DIR}")
# The programs of tests compile in half the time with -O1, and hardly run longer: what they test is in the layers' objects.
target_compile_options(dn_test_support INTERFACE $<$<CONFIG:RelWithDebInfo>:-O1>)
file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/tmp")

# The Python suites need the pinned environment; DN_PYTHON_TESTS makes its absence an error instead of a gap.
option(DN_PYTHON_TESTS "Fail without the Python environment of the tests" OFF)
if(DN_PYTHON_TESTS AND NOT EXISTS "${DN_PYTHON}")
    message(FATAL_ERROR "${DN_PYTHON} is missing: run tools/setup.sh test")
endif()
if(DN_PYTHON_TESTS AND NOT (CMOCKA_FOUND AND SNAPPY_LIBRARY))
    message(FATAL_ERROR "the libraries of the C tests, cmocka and snappy, are missing: run tools/setup.sh test")
endif()

# C programs that a build with the thread sanitizer leaves to the one with asan: what has no threads of its own that others do not
# have, too, and is slow there.  tests/pg and tests/store leave out theirs.
set(DN_LEFT_TO_ASAN "^$")
if(DN_SANITIZE MATCHES "thread")
    set(DN_LEFT_TO_ASAN "^test_(kernels_|text_|parquet_read_damage|parquet_utf8$|codec$|snappy$|csv_(detect|dialects|index|rare|unseen)$)")
    string(APPEND DN_LEFT_TO_ASAN "|^fuzz_(config|csv_index|ipc_schema|parquet_page|pg_copy|pg_text|records_json|s3_reply|text_forms)")
endif()

# A test of one label.  One whose file is named ..._slow is left out by ctest unless called with `-C slow` (`make test-slow`, which
# the gate runs) or `-C lane`; one named ..._more has many more cases of the test without that word, and one named ..._lane needs an engine of its
# own: these run with `-C lane` alone (`make test-full`).  Each has that word as a label besides.  ctest starts first what costs most, so that no long test runs alone at the end.
function(dn_add_test name label stem)
    if(stem MATCHES "_lane$")
        add_test(NAME ${name} CONFIGURATIONS lane COMMAND ${ARGN} WORKING_DIRECTORY "${CMAKE_BINARY_DIR}/tmp")
        set_tests_properties(${name} PROPERTIES LABELS "${label};lane" TIMEOUT 3600 COST 2000)
    elseif(stem MATCHES "_more$")
        add_test(NAME ${name} CONFIGURATIONS lane COMMAND ${ARGN} WORKING_DIRECTORY "${CMAKE_BINARY_DIR}/tmp")
        set_tests_properties(${name} PROPERTIES LABELS "${label};more" TIMEOUT 1800 COST 1500)
    elseif(stem MATCHES "_slow$")
        add_test(NAME ${name} CONFIGURATIONS slow lane COMMAND ${ARGN} WORKING_DIRECTORY "${CMAKE_BINARY_DIR}/tmp")
        set_tests_properties(${name} PROPERTIES LABELS "${label};slow" TIMEOUT 1800 COST 1000)
    else()
        add_test(NAME ${name} COMMAND ${ARGN} WORKING_DIRECTORY "${CMAKE_BINARY_DIR}/tmp")
        set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT 900)
        if(label MATCHES "^(abi|process|pg|store|moto|interop|cli|generated)$")
            set_tests_properties(${name} PROPERTIES COST 10)
        endif()
    endif()
endfunction()

# The suites test_*.py of this folder, by a Python of whatever environment, with the package of the build tree.
function(dn_add_package_tests label python)
    file(GLOB suites CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/test_*.py")
    foreach(suite IN LISTS suites)
        get_filename_component(stem ${suite} NAME_WE)
        dn_add_test(${label}.${stem} ${label} ${stem} "${python}" -m pytest -q -p no:cacheprovider "${suite}")
        set_tests_properties(${label}.${stem} PROPERTIES ENVIRONMENT
            "DN_SOURCE=${CMAKE_SOURCE_DIR};DN_PYTHON_PACKAGE=${DN_OUTPUT_DIR}/python;PYTHONDONTWRITEBYTECODE=1")
    endforeach()
endfunction()

# Programs that need what Windows has not: fork(), limits, signals, links, /proc, files that are removed while they are open, a C library that
# rounds as it should; or what is left out there: S3; or take very long under wine.
set(DN_NOT_ON_WINDOWS "^$")
if(WIN32)
    set(DN_NOT_ON_WINDOWS "^test_(snappy|pool|platform|memory|source|sink|http|plugin_load|flags|yaml|reply|sign|spill|text_format|fault_base|filter_faults|fault_store|csv_cached|csv_cached_hosts|csv_changes|csv_files|csv_rare|csv_split|csv_waiting|parquet_read|parquet_read_own|parquet_read_damage|parquet_read_faults|parquet_write_faults|parquet_reader|parquet_verify_more)$")
endif()

if(CMOCKA_FOUND AND (SNAPPY_LIBRARY OR WIN32))
    foreach(kind unit kernels fault)
        file(GLOB tests CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/${kind}/*/test_*.c")
        foreach(source IN LISTS tests)
            get_filename_component(test ${source} NAME_WE)
            get_filename_component(dir ${source} DIRECTORY)
            get_filename_component(layer ${dir} NAME)
            if(test MATCHES "${DN_LEFT_TO_ASAN}" OR test MATCHES "${DN_NOT_ON_WINDOWS}" OR NOT TARGET dn_${layer})
                continue()
            endif()
            add_executable(${test} ${source})
            set_target_properties(${test} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
            if(layer STREQUAL "parquet")
                dn_use_layers(${test} parquet json) # what a file holds is compared as JSON
            else()
                dn_use_layers(${test} ${layer})
            endif()
            target_link_libraries(${test} PRIVATE dn_test_support PkgConfig::CMOCKA)
            target_compile_options(${test} PRIVATE -UNDEBUG)
            dn_add_test(${kind}.${test} ${kind} ${test} ${test})
        endforeach()
    endforeach()
endif()

if(TARGET test_snappy)
    target_link_libraries(test_snappy PRIVATE ${SNAPPY_LIBRARY}) # the other side of the comparison
endif()
if(TARGET test_parquet_written)
    target_link_options(test_parquet_written PRIVATE -Wl,--wrap=dn_pq_encoder_append -Wl,--wrap=dn_pq_page_pack) # an encoder with a fault
endif()

if(WIN32) # whose suite is tools/windows.sh: a plugin that breaks a rule
    add_library(broken_plugin MODULE tests/cli/broken_plugin.c ${DN_WINDOWS_OBJECTS})
    target_include_directories(broken_plugin PRIVATE "${CMAKE_SOURCE_DIR}/include")
    target_link_libraries(broken_plugin PRIVATE dn_flags)
    set_target_properties(broken_plugin PROPERTIES PREFIX lib LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
endif()

# Throughput of every kernel on every tier: build/release/bin/kernels_bench [name]
if(EXISTS "${CMAKE_SOURCE_DIR}/tests/kernels/simd/bench_kernels.c")
    add_executable(kernels_bench "${CMAKE_SOURCE_DIR}/tests/kernels/simd/bench_kernels.c")
    dn_use_layers(kernels_bench simd)
endif()

# The same program on every SIMD tier below the best: results may not depend on the CPU, and threads do not.
set(tiers scalar ${DN_TIERS})
list(POP_BACK tiers)
foreach(test test_csv_reader test_csv_files test_csv_options test_csv_convert)
    if(TARGET ${test} AND NOT DN_SANITIZE MATCHES "thread")
        foreach(tier IN LISTS tiers)
            dn_add_test(unit.${test}@${tier} unit ${test} ${test})
            set_tests_properties(unit.${test}@${tier} PROPERTIES ENVIRONMENT DN_CPU=${tier})
        endforeach()
    endif()
endforeach()

# The suites that sanitizers leave to the release build are Python around the same code; their programs are built by name alone there.
foreach(dir tests/abi tests/fault tests/pg tests/store tests/interop tests/cli tests/python tests/iceberg tests/spark tests/install tests/platforms examples fuzz bench)
    if(WIN32)
        continue() # they are of Python, and of what they need
    endif()
    if(EXISTS "${CMAKE_SOURCE_DIR}/${dir}/CMakeLists.txt")
        if(DN_SANITIZE AND dir MATCHES "interop|cli")
            add_subdirectory(${dir} EXCLUDE_FROM_ALL)
        else()
            add_subdirectory(${dir})
        endif()
    endif()
endforeach()
