// SPDX-License-Identifier: MIT OR Apache-2.0
// Vitrine, the database you can see through. This header is the whole C++ interface; read it in this order.
#pragma once

#include "vitrine/bytes.hpp"
#include "vitrine/status.hpp"
#include "vitrine/secret.hpp"
#include "vitrine/freshness.hpp"
#include "vitrine/options.hpp"
#include "vitrine/database.hpp"
#include "vitrine/transaction.hpp"
#include "vitrine/cursor.hpp"
#include "vitrine/value_stream.hpp"
#include "vitrine/report.hpp"
#include "vitrine/metrics.hpp"
#include "vitrine/document.hpp"
#include "vitrine/index.hpp"
#include "vitrine/documents.hpp"
#include "vitrine/relaxed_json.hpp"
#include "vitrine/document_files.hpp"
#include "vitrine/inspect.hpp"
#include "vitrine/explain.hpp"
#include "vitrine/diff.hpp"
#include "vitrine/salvage.hpp"
