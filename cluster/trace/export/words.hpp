#pragma once
// What the exports call records and where they say that they happened.

#include "trace/read.hpp"

#include <string>
#include <string_view>

namespace troupe::trace {

/// Whether a name is that of a client, as the course numbers them: C000 and up.
bool names_client(std::string_view name);

/// Whose event it is: of a message the replica that handled it, of a network record its sender, but where an
/// answer gets to a client that client, and where nobody took a message the one who is not there. Empty for
/// what is about nobody.
const std::string& process_of(const record& r);

/// `append_request from 0002`, in a few words and one line; what the message says is left out.
std::string title_of(const record& r);

/// As a JSON string that may also stand inside a page's script. What is no UTF-8 becomes question marks.
std::string json_text(std::string_view text);

} // namespace troupe::trace
