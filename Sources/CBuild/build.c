#include "build.h"

#ifndef WELLWARD_BUILD
#define WELLWARD_BUILD "unknown"
#endif

const char *wellward_build(void) { return WELLWARD_BUILD; }
