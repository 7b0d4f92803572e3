# SPDX-License-Identifier: MIT OR Apache-2.0
build_product
compile "$BUILD" document_figures_bench
exec tools/demo.sh "$BUILD/bin/vitrine" "${1:-$BUILD/demo}" "$BUILD/bin/document_figures_bench"
