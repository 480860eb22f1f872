// Every function of the shim returns null, or a message that `tapeline_free_message` releases. No exception leaves it.
#pragma once

#include <c10/util/Exception.h>

#include <cstring>
#include <exception>

namespace tapeline {

inline char no_memory_for_message[] = "out of memory while reporting an error";

inline char* message(const char* text) noexcept {
  char* copy = strdup(text);
  return copy == nullptr ? no_memory_for_message : copy;
}

template <class Body>
char* guard(Body&& body) noexcept {
  try {
    body();
    return nullptr;
  } catch (const c10::Error& error) {
    return message(error.what_without_backtrace());
  } catch (const std::exception& error) {
    return message(error.what());
  } catch (...) {
    return message("an exception of an unknown type");
  }
}

}  // namespace tapeline
