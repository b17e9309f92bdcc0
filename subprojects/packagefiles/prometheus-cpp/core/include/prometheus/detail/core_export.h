#pragma once
// Where a shared library would say what it exports. The project's own build generates it.

#define PROMETHEUS_CPP_CORE_EXPORT
