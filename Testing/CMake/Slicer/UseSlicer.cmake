# Stand-in for Slicer's use file: the two commands that scripted extensions call.
include(${CMAKE_CURRENT_LIST_DIR}/ScriptedModule.cmake)

find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(Slicer_LAUNCHER_EXECUTABLE ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/launcher.py)

option(BUILD_TESTING "Register the extension's tests." ON)
if(BUILD_TESTING)
  enable_testing()
endif()

# Register a unittest script to be run by Slicer's Python. As in Slicer, the script is not looked at before.
function(slicer_add_python_unittest)
  cmake_parse_arguments(test "" "TESTNAME_PREFIX;SCRIPT" "SLICER_ARGS" ${ARGN})
  get_filename_component(name ${test_SCRIPT} NAME_WE)
  set(paths "['${CMAKE_CURRENT_BINARY_DIR}', '${CMAKE_CURRENT_SOURCE_DIR}']")
  add_test(
    NAME py_${test_TESTNAME_PREFIX}${name}
    COMMAND ${Slicer_LAUNCHER_EXECUTABLE} --no-splash ${test_SLICER_ARGS}
            --python-code "import slicer.testing; slicer.testing.runUnitTest(${paths}, '${name}')"
    )
endfunction()
