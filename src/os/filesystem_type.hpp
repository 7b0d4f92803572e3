// SPDX-License-Identifier: MIT OR Apache-2.0
// Names of the file systems that statfs tells apart by number, and which of them reach other machines.
#pragma once

#include <cstdint>

#include "os/env.hpp"

namespace vitrine::os {

// `magic` is f_type of statfs. A file system in user space is "fuse" whatever is behind it: the kernel does not say.
FilesystemInfo filesystem_from_magic(std::uint32_t magic);

}  // namespace vitrine::os
