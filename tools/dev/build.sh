# SPDX-License-Identifier: MIT OR Apache-2.0
build_product
say "library $BUILD/lib/libvitrine.a"
[ ! -x "$BUILD/bin/vitrine" ] || say "program $BUILD/bin/vitrine"
