// The sources of Boost.JSON and, if there are such, Boost.URL: of the installed libraries the fuzzer sees nothing.

#include <boost/json/src.hpp>
#if __has_include(<boost/url/src.hpp>)
#include <boost/url/src.hpp>
#endif
