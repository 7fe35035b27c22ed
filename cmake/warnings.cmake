# thr_warnings: link it privately to compile with the project's set of warnings.
add_library(thr_warnings INTERFACE)
target_compile_options(thr_warnings INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wundef -Wvla -Wcast-qual -Wwrite-strings
    $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>
    $<$<BOOL:${THR_WERROR}>:-Werror>)
