// SPDX-License-Identifier: MIT OR Apache-2.0
#include "os/filesystem_type.hpp"

#include <cstdio>
#include <string_view>

namespace vitrine::os {
namespace {

enum class Reach : std::uint8_t { Local, Network };

struct FilesystemRow {
  std::uint32_t magic;
  std::string_view name;
  Reach reach;
};

// From linux/magic.h, the statfs(2) manual page, and for those outside the kernel tree from their own sources.
constexpr FilesystemRow kFilesystems[] = {
    {0xef53, "ext4", Reach::Local},  // ext2 and ext3 share the number
    {0x58465342, "xfs", Reach::Local},      {0x9123683e, "btrfs", Reach::Local},
    {0x01021994, "tmpfs", Reach::Local},    {0x858458f6, "ramfs", Reach::Local},
    {0x2fc12fc1, "zfs", Reach::Local},      {0xf2f52010, "f2fs", Reach::Local},
    {0xca451a4e, "bcachefs", Reach::Local}, {0x794c7630, "overlayfs", Reach::Local},
    {0x0000f15f, "ecryptfs", Reach::Local}, {0x00004d44, "vfat", Reach::Local},
    {0x2011bab0, "exfat", Reach::Local},    {0x7366746e, "ntfs3", Reach::Local},
    {0x5346544e, "ntfs", Reach::Local},     {0x3153464a, "jfs", Reach::Local},
    {0x52654973, "reiserfs", Reach::Local}, {0x00003434, "nilfs2", Reach::Local},
    {0x24051905, "ubifs", Reach::Local},    {0x000072b6, "jffs2", Reach::Local},
    {0x73717368, "squashfs", Reach::Local}, {0xe0f5e1e2, "erofs", Reach::Local},
    {0x00009660, "iso9660", Reach::Local},  {0x15013346, "udf", Reach::Local},
    {0x65735546, "fuse", Reach::Local},     {0x00006969, "nfs", Reach::Network},
    {0x0000517b, "smb", Reach::Network},    {0xff534d42, "cifs", Reach::Network},
    {0xfe534d42, "smb2", Reach::Network},   {0x0000564c, "ncp", Reach::Network},
    {0x01021997, "9p", Reach::Network},     {0x00c36400, "ceph", Reach::Network},
    {0x5346414f, "afs", Reach::Network},    {0x6b414653, "kafs", Reach::Network},
    {0x73757245, "coda", Reach::Network},   {0x0bd00bd0, "lustre", Reach::Network},
    {0x01161970, "gfs2", Reach::Network},   {0x7461636f, "ocfs2", Reach::Network},
    {0x47504653, "gpfs", Reach::Network},   {0x19830326, "beegfs", Reach::Network},
    {0xaad7aaea, "panfs", Reach::Network},  {0x20030528, "orangefs", Reach::Network},
    {0x786f4256, "vboxsf", Reach::Network}, {0xbacbacbc, "vmhgfs", Reach::Network},
};

}  // namespace

FilesystemInfo filesystem_from_magic(std::uint32_t magic) {
  for (const FilesystemRow& row : kFilesystems) {
    if (row.magic == magic) return {std::string(row.name), row.reach == Reach::Network};
  }
  char text[32];
  std::snprintf(text, sizeof text, "unknown 0x%x", static_cast<unsigned>(magic));
  return {text, false};
}

}  // namespace vitrine::os
