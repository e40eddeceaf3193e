# The kinds of targets this tree has. Sources are globbed: a new file needs no edit here, an empty folder is fine.

set(TUTTI_COMMON tutti_service tutti_timeline tutti_store tutti_bus tutti_codec tutti_http tutti_runtime tutti_schemas tutti_words tutti_base)

# tutti_library(<target> <dir> LINK <libraries> [WITHOUT <subfolders>]): a static library of the sources of the folder
# and of its subfolders, except those named and main.c, with its sql/.
function(tutti_library target dir)
    cmake_parse_arguments(arg "" "" "LINK;WITHOUT" ${ARGN})
    set(root ${PROJECT_SOURCE_DIR}/${dir})
    file(GLOB sources CONFIGURE_DEPENDS ${root}/*.c ${root}/*/*.c)
    list(REMOVE_ITEM sources "" ${root}/main.c)
    foreach(folder IN LISTS arg_WITHOUT)
        list(FILTER sources EXCLUDE REGEX "^${root}/${folder}/")
    endforeach()
    if(sources)
        add_library(${target} STATIC ${sources})
        target_link_libraries(${target} PUBLIC ${arg_LINK})
        tutti_embed_sql(${target} ${dir}/sql)
    else()
        add_library(${target} INTERFACE)
        target_link_libraries(${target} INTERFACE ${arg_LINK})
    endif()
endfunction()

# tutti_service(<name> [READS <services>]): <name>_logic (pure, sees tutti_base and tutti_words only), <name>_policy
# (reads the policy file, sees codec), <name>_shell (store, service) and the executable tutti-<name> from main.c.
# READS: services whose policy it reads as well.
function(tutti_service name)
    cmake_parse_arguments(arg "" "" "READS" ${ARGN})
    set(dir services/${name})
    list(TRANSFORM arg_READS APPEND "_policy")
    tutti_library(${name}_logic ${dir}/logic LINK tutti_words tutti_base)
    tutti_library(${name}_policy ${dir}/policy LINK ${name}_logic ${arg_READS} tutti_codec tutti_runtime tutti_words tutti_base)
    tutti_library(${name}_shell ${dir} LINK ${name}_policy ${name}_logic ${TUTTI_COMMON} WITHOUT logic policy)
    set_property(GLOBAL APPEND PROPERTY TUTTI_SERVICE_LIBRARIES ${name}_shell ${name}_policy ${name}_logic)
    if(EXISTS ${PROJECT_SOURCE_DIR}/${dir}/main.c)
        add_executable(tutti-${name} ${dir}/main.c)
        target_link_libraries(tutti-${name} PRIVATE ${name}_shell ${name}_logic ${TUTTI_COMMON})
        install(TARGETS tutti-${name} DESTINATION ${CMAKE_INSTALL_BINDIR})
    endif()
endfunction()

# tutti_operations: what an operator does, one folder per subject. operations/<subject>/sql becomes <subject>_sql.h,
# operations/sql operations_sql.h.
function(tutti_operations)
    get_property(services GLOBAL PROPERTY TUTTI_SERVICE_LIBRARIES)
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/operations/*.c ${PROJECT_SOURCE_DIR}/operations/*/*.c)
    add_library(tutti_operations STATIC ${sources})
    target_link_libraries(tutti_operations PUBLIC ${services} ${TUTTI_COMMON})
    tutti_embed_sql(tutti_operations operations/sql)
    file(GLOB folders CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/operations/*/sql)
    foreach(folder IN LISTS folders)
        cmake_path(GET folder PARENT_PATH subject)
        cmake_path(GET subject FILENAME subject)
        tutti_embed_sql(tutti_operations operations/${subject}/sql ${subject})
    endforeach()
endfunction()

# The program `tutti`: cli/main.c over tutti_cli, the rest of cli/.
function(tutti_cli)
    get_property(services GLOBAL PROPERTY TUTTI_SERVICE_LIBRARIES)
    file(GLOB kafka CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cli/kafka/*.c)
    tutti_library(tutti_cli cli LINK tutti_operations tutti_data ${services} ${TUTTI_COMMON})
    target_sources(tutti_cli PRIVATE ${kafka})
    if(EXISTS ${PROJECT_SOURCE_DIR}/cli/main.c)
        add_executable(tutti ${PROJECT_SOURCE_DIR}/cli/main.c)
        target_link_libraries(tutti PRIVATE tutti_cli tutti_operations tutti_data ${services} ${TUTTI_COMMON})
        install(TARGETS tutti DESTINATION ${CMAKE_INSTALL_BINDIR})
    endif()
endfunction()

# The program `tutti-door`: door/main.c over tutti_door, the rest of door/.
function(tutti_door)
    get_property(services GLOBAL PROPERTY TUTTI_SERVICE_LIBRARIES)
    tutti_library(tutti_door door LINK tutti_operations ${services} ${TUTTI_COMMON})
    add_executable(tutti-door ${PROJECT_SOURCE_DIR}/door/main.c)
    target_link_libraries(tutti-door PRIVATE tutti_door tutti_operations ${services} ${TUTTI_COMMON})
    install(TARGETS tutti-door DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

# tutti_program(<target> <folder> <sources>): a test or bench that sees everything but the mains.
function(tutti_program target folder)
    get_property(services GLOBAL PROPERTY TUTTI_SERVICE_LIBRARIES)
    add_executable(${target} ${ARGN})
    target_link_libraries(${target} PRIVATE tutti_test_support tutti_cli tutti_door tutti_operations tutti_data ${services} ${TUTTI_COMMON})
    target_compile_definitions(${target} PRIVATE TUTTI_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${folder})
endfunction()

function(tutti_register_test target label)
    add_test(NAME ${label}/${target} COMMAND ${target} ${ARGN} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(${label}/${target} PROPERTIES
        LABELS ${label} TIMEOUT 900 SKIP_RETURN_CODE 77
        ENVIRONMENT "UBSAN_OPTIONS=print_stacktrace=1;ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1")
endfunction()

# tests/<kind>/<x>_test.c: one cmocka program and one test each.
function(tutti_cmocka_tests kind)
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${kind}/*_test.c)
    foreach(source IN LISTS sources)
        get_filename_component(target ${source} NAME_WE)
        if(NOT kind STREQUAL "unit")
            set(target ${kind}_${target})
        endif()
        tutti_program(${target} tests/${kind} ${source})
        target_link_libraries(${target} PRIVATE PkgConfig::CMOCKA PkgConfig::AVRO PkgConfig::JANSSON)
        tutti_register_test(${target} ${kind})
    endforeach()
endfunction()

# tests/fuzz/<x>_fuzz.c: a libFuzzer program in the preset fuzz, elsewhere a test that replays tests/fuzz/corpus/<x>.
function(tutti_fuzz_tests)
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/fuzz/*_fuzz.c)
    foreach(source IN LISTS sources)
        get_filename_component(target ${source} NAME_WE)
        string(REGEX REPLACE "_fuzz$" "" name ${target})
        set(corpus ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name})
        if(TUTTI_FUZZ)
            tutti_program(${target} fuzz ${source})
            target_link_options(${target} PRIVATE -fsanitize=fuzzer)
        else()
            tutti_program(${target} tests/fuzz ${source} ${PROJECT_SOURCE_DIR}/tests/fuzz/regression_main.c)
            tutti_register_test(${target} fuzz ${corpus})
        endif()
    endforeach()
endfunction()

function(tutti_tests)
    tutti_library(tutti_test_support tests/support LINK tutti_data ${TUTTI_COMMON})
    tutti_cmocka_tests(unit)
    tutti_cmocka_tests(property)
    tutti_cmocka_tests(system) # these need the stack: eval "$(dev/stack env)"
    tutti_fuzz_tests()
endfunction()

# bench/<x>.c: the program bin/bench-<x>.
function(tutti_benches)
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/bench/*.c)
    foreach(source IN LISTS sources)
        get_filename_component(name ${source} NAME_WE)
        tutti_program(bench-${name} bin ${source})
    endforeach()
endfunction()
