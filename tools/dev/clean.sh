# SPDX-License-Identifier: MIT OR Apache-2.0
say "removing $BUILD"
rm -rf -- "$BUILD"
