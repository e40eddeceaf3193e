# SQL, migrations and Avro schemas become C at build time, so that a binary needs no other files.

# tutti_embed(<mode> <output> <prefix> <files>): see embed.cmake.
function(tutti_embed mode output prefix)
    list(JOIN ARGN "|" inputs)
    get_filename_component(name ${output} NAME)
    add_custom_command(
        OUTPUT ${output}
        COMMAND ${CMAKE_COMMAND} -DMODE=${mode} -DOUTPUT=${output} -DPREFIX=${prefix} "-DINPUTS=${inputs}"
                -P ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
        DEPENDS ${ARGN} ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
        COMMENT "Embedding ${name}"
        VERBATIM)
    set_property(GLOBAL APPEND PROPERTY TUTTI_GENERATED ${output})
endfunction()

# tutti_embed_sql(<target> <dir> [<name>]): every <dir>/*.sql becomes the statement sql_<file_name> in <name>_sql.h. Without a name
# the header is named after the target: tutti_timeline -> timeline_sql.h, identity-resolver -> identity_resolver_sql.h.
function(tutti_embed_sql target dir)
    file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${dir}/*.sql)
    if(NOT files)
        return()
    endif()
    if(ARGC GREATER 2)
        set(name ${ARGV2})
    else()
        string(REGEX REPLACE "^tutti[-_]|_shell$" "" name ${target})
    endif()
    string(MAKE_C_IDENTIFIER ${name} name)
    set(folder ${PROJECT_BINARY_DIR}/generated/${target})
    tutti_embed(sql ${folder}/${name}_sql.h ${name} ${files})
    target_sources(${target} PRIVATE ${folder}/${name}_sql.h)
    target_include_directories(${target} PUBLIC ${folder})
endfunction()

# tutti_schema_library(<target>): schemas/avro and schemas/http by name (embedded.h), schemas/sql and schemas/views in order (schema_migrations.h).
function(tutti_schema_library target)
    set(folder ${PROJECT_BINARY_DIR}/generated/${target})
    file(GLOB avsc CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/schemas/avro/*.avsc ${PROJECT_SOURCE_DIR}/schemas/http/*.json)
    file(GLOB tables CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/schemas/sql/[0-9]*.sql)
    file(GLOB views CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/schemas/views/[0-9]*.sql)
    tutti_embed(avsc ${folder}/schemas_avsc.c "" ${avsc})
    tutti_embed(schema ${folder}/schema_migrations.c "" ${tables} ${views})
    add_library(${target} STATIC ${folder}/schemas_avsc.c ${folder}/schema_migrations.c)
    target_link_libraries(${target} PUBLIC tutti_base)
endfunction()
