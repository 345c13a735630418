# A layer is one folder of src/, compiled as an OBJECT library that can include only the headers of its permitted layers:
# its include directory holds symbolic links to them and to nothing else.

# NAME_darwin.c stands in the place of NAME.c on macOS; elsewhere it is left out.
function(dn_choose_sources variable)
    set(chosen "${${variable}}")
    foreach(source IN LISTS chosen)
        if(NOT source MATCHES "^(.*)_darwin\\.c$")
            continue()
        endif()
        if(APPLE)
            list(REMOVE_ITEM chosen "${CMAKE_MATCH_1}.c")
        else()
            list(REMOVE_ITEM chosen "${source}")
        endif()
    endforeach()
    set(${variable} "${chosen}" PARENT_SCOPE)
endfunction()

function(dn_layer name)
    cmake_parse_arguments(ARG "" "" "DEPENDS;LIBRARIES" ${ARGN})
    set(seen ${name})
    foreach(dep IN LISTS ARG_DEPENDS)
        list(APPEND seen ${DN_LAYER_${dep}_SEEN})
    endforeach()
    list(REMOVE_DUPLICATES seen)
    set(DN_LAYER_${name}_SEEN "${seen}" PARENT_SCOPE)

    set(include_dir "${CMAKE_BINARY_DIR}/layers/${name}")
    file(MAKE_DIRECTORY "${include_dir}")
    foreach(layer IN LISTS seen)
        file(CREATE_LINK "${CMAKE_SOURCE_DIR}/src/${layer}" "${include_dir}/${layer}" SYMBOLIC)
    endforeach()

    file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/${name}/*.c")
    dn_choose_sources(sources)
    if(name STREQUAL "cli")
        list(FILTER sources EXCLUDE REGEX "/main\\.c$")
    endif()
    foreach(tier IN LISTS DN_ALL_TIERS)
        if(NOT tier IN_LIST DN_TIERS)
            list(FILTER sources EXCLUDE REGEX "/simd/${tier}/")
        endif()
    endforeach()
    if(sources)
        add_library(dn_${name} OBJECT ${sources})
        target_include_directories(dn_${name} PUBLIC "${include_dir}" "${CMAKE_SOURCE_DIR}/include")
        target_link_libraries(dn_${name} PUBLIC dn_flags ${ARG_LIBRARIES})
        set(objects "$<TARGET_OBJECTS:dn_${name}>")
    else()
        add_library(dn_${name} INTERFACE)
        target_link_libraries(dn_${name} INTERFACE dn_flags ${ARG_LIBRARIES})
        set(objects "")
    endif()
    foreach(source IN LISTS sources)
        if(source MATCHES "/simd/([a-z0-9]+)/" AND CMAKE_MATCH_1 IN_LIST DN_TIERS)
            set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${DN_FLAGS_${CMAKE_MATCH_1}}")
        endif()
    endforeach()
    set(DN_LAYER_${name}_OBJECTS "${objects}" PARENT_SCOPE)
    set(DN_LAYER_${name}_LIBRARIES "${ARG_LIBRARIES}" PARENT_SCOPE)
endfunction()

# Let `target` include the headers of the named layers and of all layers below them; `out` becomes the list of these layers.
function(dn_see_layers target out)
    set(all "")
    foreach(layer IN LISTS ARGN)
        list(APPEND all ${DN_LAYER_${layer}_SEEN})
    endforeach()
    list(REMOVE_DUPLICATES all)
    set(include_dir "${CMAKE_BINARY_DIR}/layers/for-${target}")
    file(MAKE_DIRECTORY "${include_dir}")
    foreach(layer IN LISTS all)
        file(CREATE_LINK "${CMAKE_SOURCE_DIR}/src/${layer}" "${include_dir}/${layer}" SYMBOLIC)
        target_link_libraries(${target} PRIVATE ${DN_LAYER_${layer}_LIBRARIES})
    endforeach()
    target_include_directories(${target} PRIVATE "${include_dir}" "${CMAKE_SOURCE_DIR}/include")
    target_link_libraries(${target} PRIVATE dn_flags)
    set(${out} "${all}" PARENT_SCOPE)
endfunction()

# Give `target` the objects, headers and libraries of the named layers and of all layers below them.
function(dn_use_layers target)
    dn_see_layers(${target} all ${ARGN})
    foreach(layer IN LISTS all)
        target_sources(${target} PRIVATE ${DN_LAYER_${layer}_OBJECTS})
    endforeach()
endfunction()

# A part of plugins, plugins/<name>*.c, compiled once for all that hold it: the plugins, and the programs that test them from inside.
function(dn_plugin_part name)
    cmake_parse_arguments(ARG "" "" "LAYERS" ${ARGN})
    file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/plugins/${name}*.c")
    dn_choose_sources(sources)
    add_library(dn_plugin_${name} OBJECT ${sources})
    target_include_directories(dn_plugin_${name} PRIVATE "${CMAKE_SOURCE_DIR}/plugins")
    dn_see_layers(dn_plugin_${name} seen ${ARG_LAYERS})
    target_link_libraries(dn_plugin_${name} PRIVATE dn_dep_jansson)
endfunction()

# The objects of a plugin: its own, the shell that all share, and what readers or writers share.
function(dn_plugin_objects out name)
    set(objects $<TARGET_OBJECTS:dn_plugin_${name}> $<TARGET_OBJECTS:dn_plugin_shell>)
    if(name MATCHES "_(reader|writer)$")
        list(APPEND objects $<TARGET_OBJECTS:dn_plugin_${CMAKE_MATCH_1}>)
    endif()
    set(${out} "${objects}" PARENT_SCOPE)
endfunction()

# A plugin: its objects, its layers, and an export list plugins/<name>.map.
function(dn_plugin name)
    cmake_parse_arguments(ARG "" "" "LAYERS" ${ARGN})
    dn_plugin_part(${name} LAYERS ${ARG_LAYERS})
    dn_plugin_objects(objects ${name})
    add_library(${name} MODULE ${objects})
    dn_use_layers(${name} ${ARG_LAYERS})
    target_link_libraries(${name} PRIVATE dn_dep_jansson)
    set_target_properties(${name} PROPERTIES
        OUTPUT_NAME "${name}_plugin"
        LINKER_LANGUAGE C
        LIBRARY_OUTPUT_DIRECTORY "${DN_PLUGIN_DIR}"
        LINK_DEPENDS "${CMAKE_SOURCE_DIR}/plugins/${name}.map")
    target_link_options(${name} PRIVATE
        "-Wl,--version-script=${CMAKE_SOURCE_DIR}/plugins/${name}.map" -Wl,-z,nodelete -Wl,-Bsymbolic)
    if(NOT DN_SANITIZE)
        target_link_options(${name} PRIVATE -Wl,-z,defs)
    endif()
endfunction()

function(dn_executable name)
    cmake_parse_arguments(ARG "" "" "LAYERS" ${ARGN})
    if(EXISTS "${CMAKE_SOURCE_DIR}/src/cli/main.c")
        add_executable(${name} "${CMAKE_SOURCE_DIR}/src/cli/main.c")
        dn_use_layers(${name} ${ARG_LAYERS})
    endif()
endfunction()

# A shared library of C functions, lib<name>.so.0: nothing but the objects of its layers, and the export list cmake/lib<name>.map.
function(dn_library name)
    cmake_parse_arguments(ARG "" "" "LAYERS" ${ARGN})
    set(map "${CMAKE_SOURCE_DIR}/cmake/lib${name}.map")
    add_library(${name} SHARED)
    dn_use_layers(${name} ${ARG_LAYERS})
    set_target_properties(${name} PROPERTIES
        VERSION ${PROJECT_VERSION}
        SOVERSION ${DN_SOVERSION}
        LINKER_LANGUAGE C
        LIBRARY_OUTPUT_DIRECTORY "${DN_LIBRARY_DIR}"
        LINK_DEPENDS "${map}")
    target_link_options(${name} PRIVATE "-Wl,--version-script=${map}" -Wl,-z,nodelete -Wl,-Bsymbolic)
    if(NOT DN_SANITIZE)
        target_link_options(${name} PRIVATE -Wl,-z,defs)
    endif()
endfunction()
