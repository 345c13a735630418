# Third-party libraries, each seen by one layer only.  All are Debian packages; tools/setup.sh installs them.
find_package(PkgConfig REQUIRED)

pkg_check_modules(CODECS REQUIRED IMPORTED_TARGET libzstd liblz4 libbrotlienc libbrotlidec libdeflate)
add_library(dn_dep_codecs INTERFACE)
target_link_libraries(dn_dep_codecs INTERFACE PkgConfig::CODECS)

# What whole files are packed with.  Debian 12 has no bzip2.pc.
pkg_check_modules(PACKINGS REQUIRED IMPORTED_TARGET zlib libdeflate libzstd liblzma)
find_library(BZIP2_LIBRARY bz2 REQUIRED)
add_library(dn_dep_packings INTERFACE)
target_link_libraries(dn_dep_packings INTERFACE PkgConfig::PACKINGS "${BZIP2_LIBRARY}")

pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
add_library(dn_dep_jansson INTERFACE)
target_link_libraries(dn_dep_jansson INTERFACE PkgConfig::JANSSON)

pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
add_library(dn_dep_yaml INTERFACE)
target_link_libraries(dn_dep_yaml INTERFACE PkgConfig::YAML)

# Regular expressions, where the C library has none.
if(WIN32)
    pkg_check_modules(TRE REQUIRED IMPORTED_TARGET tre)
    target_link_libraries(dn_dep_yaml INTERFACE PkgConfig::TRE)
endif()

# Headers alone: these libraries are loaded on their first use (docs/adr/0007-network-libraries-on-first-use.md).
pkg_check_modules(NETWORK REQUIRED libcurl>=7.88 libcrypto>=3.0 expat>=2.4)
add_library(dn_dep_network INTERFACE)
target_include_directories(dn_dep_network SYSTEM INTERFACE ${NETWORK_INCLUDE_DIRS})

# The same for libpq, which only whoever reads PostgreSQL needs.
pkg_check_modules(PQ REQUIRED libpq>=10)
add_library(dn_dep_pq INTERFACE)
target_include_directories(dn_dep_pq SYSTEM INTERFACE ${PQ_INCLUDE_DIRS})

# For tests alone: their frame, and the snappy library that ours is compared with.
pkg_check_modules(CMOCKA IMPORTED_TARGET cmocka)
find_library(SNAPPY_LIBRARY snappy)
