# SPDX-License-Identifier: MIT OR Apache-2.0
build_product
exec tools/demo.sh "$BUILD/bin/vitrine" "$@"
