# Compiler and linker flags, in one place.
add_library(dn_flags INTERFACE)
target_compile_definitions(dn_flags INTERFACE _GNU_SOURCE DN_VERSION="${PROJECT_VERSION}")
target_compile_options(dn_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef
    -Wcast-qual -Wformat=2 -Wnull-dereference -Wold-style-definition -Wwrite-strings -Wimplicit-fallthrough
    -fno-math-errno -ffp-contract=off -fno-semantic-interposition -fno-strict-aliasing)
if(DN_WERROR)
    target_compile_options(dn_flags INTERFACE -Werror)
endif()
if(DN_SANITIZE)
    target_compile_options(dn_flags INTERFACE -fsanitize=${DN_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(dn_flags INTERFACE -fsanitize=${DN_SANITIZE})
    if(DN_SANITIZE MATCHES address)
        add_library(dn_asan_options OBJECT "${CMAKE_SOURCE_DIR}/cmake/asan_options.c")
        target_sources(dn_flags INTERFACE $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:$<TARGET_OBJECTS:dn_asan_options>>)
    endif()
elseif(NOT WIN32)
    target_link_options(dn_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed)
endif()

# What the sources of another system are named by; empty on Linux.
set(DN_SYSTEM "")
if(APPLE)
    set(DN_SYSTEM darwin)
elseif(WIN32)
    set(DN_SYSTEM windows)
    # Functions of POSIX that mingw-w64 lacks (src/windows); formats of C, as everywhere, which Linux's build checks; programs that need no
    # libraries beside them.
    target_compile_definitions(dn_flags INTERFACE _FILE_OFFSET_BITS=64 __USE_MINGW_ANSI_STDIO=1 _POSIX_C_SOURCE=200809L _CRT_RAND_S
        _WIN32_WINNT=0x0a00 WIN32_LEAN_AND_MEAN NOMINMAX)
    target_compile_options(dn_flags INTERFACE -include "${CMAKE_SOURCE_DIR}/src/windows/posix.h" -isystem "${CMAKE_SOURCE_DIR}/src/windows/include"
        -Wno-format -Wno-pedantic-ms-format -Wno-shadow -Wno-float-conversion -Wno-unknown-pragmas)
    target_link_options(dn_flags INTERFACE -static)
    target_link_libraries(dn_flags INTERFACE bcrypt psapi)
endif()
find_package(Threads REQUIRED)
target_link_libraries(dn_flags INTERFACE Threads::Threads m ${CMAKE_DL_LIBS})

# The SIMD tiers of the processor, each a folder of src/simd, and what its files are compiled with; see base/cpu.h for the bundles.
# Files of other tiers are left out.
set(DN_ALL_TIERS avx2 avx512 neon pmull)
set(DN_TIERS "")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    set(DN_TIERS avx2 avx512)
    set(DN_FLAGS_avx2 -mavx2 -mbmi -mbmi2 -mlzcnt -mpopcnt -mpclmul)
    set(DN_FLAGS_avx512 ${DN_FLAGS_avx2} -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vbmi2 -mprefer-vector-width=512)
    if(WIN32) # where a stack is aligned to 16 bytes alone, and GCC takes it for more: moves that do not care
        list(APPEND DN_FLAGS_avx2 -Wa,-muse-unaligned-vector-move)
        list(APPEND DN_FLAGS_avx512 -Wa,-muse-unaligned-vector-move)
    endif()
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
    set(DN_TIERS neon pmull)
    set(DN_FLAGS_pmull -march=armv8-a+crypto)
endif()
