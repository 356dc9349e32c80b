# A minimal stand-in for the SlicerConfig.cmake of a Slicer build tree, so that the extension can be
# configured, built, installed and tested with real CMake where there is no Slicer.
#
#   cmake -S <extension> -B <build> -DSlicer_DIR=<this folder>
#
# It mirrors what decides about a scripted extension in Slicer's and CTK's CMake code: the variables that
# extensions use, what stops configure, what is copied to the build tree and what is installed.

if(NOT DEFINED EXTENSION_NAME)
  set(EXTENSION_NAME ${PROJECT_NAME})
endif()

set(Slicer_STAND_IN_DIR ${CMAKE_CURRENT_LIST_DIR})
set(Slicer_VERSION "5.13")
set(Slicer_USE_PYTHONQT ON)
set(Slicer_INSTALL_ROOT "./")
set(Slicer_QTSCRIPTEDMODULES_LIB_DIR "lib/Slicer-${Slicer_VERSION}/qt-scripted-modules")
set(Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR "${Slicer_INSTALL_ROOT}${Slicer_QTSCRIPTEDMODULES_LIB_DIR}")

set(Slicer_USE_FILE ${Slicer_STAND_IN_DIR}/UseSlicer.cmake)
set(Slicer_EXTENSION_GENERATE_CONFIG ${Slicer_STAND_IN_DIR}/SlicerExtensionGenerateConfig.cmake)
set(Slicer_EXTENSION_CPACK ${Slicer_STAND_IN_DIR}/SlicerExtensionCPack.cmake)

set(Slicer_FOUND TRUE)
