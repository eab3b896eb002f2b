/* Prints every constant and layout of the header, one "name value" a line, for comparison with the Rust source. */
#include <stdio.h>
#include "connector.h"

#define CONSTANT(name) printf(#name " %lld\n", (long long)(name))
#define LENGTH(name) printf(#name " %llu\n", (unsigned long long)(name))
#define OFFSET(type, member) printf(#type "." #member " %llu\n", (unsigned long long)offsetof(type, member))
#define SIZE(type) printf("sizeof(" #type ") %llu\n", (unsigned long long)sizeof(type))

int main(void) {
  CONSTANT(CONNECTOR_ABI_VERSION);
  LENGTH(CONNECTOR_NUL_TERMINATED);
  CONSTANT(CONNECTOR_FOREVER);
  LENGTH(CONNECTOR_MAX_INPUT);
  CONSTANT(CONNECTOR_OK);
  CONSTANT(CONNECTOR_END);
  CONSTANT(CONNECTOR_PENDING);
  CONSTANT(CONNECTOR_END_PARTIAL);
  CONSTANT(CONNECTOR_E_INVALID_ARGUMENT);
  CONSTANT(CONNECTOR_E_NOT_SUPPORTED);
  CONSTANT(CONNECTOR_E_INVALID_CONFIG);
  CONSTANT(CONNECTOR_E_INVALID_WATERMARK);
  CONSTANT(CONNECTOR_E_WATERMARK_EXPIRED);
  CONSTANT(CONNECTOR_E_AUTH);
  CONSTANT(CONNECTOR_E_FORBIDDEN);
  CONSTANT(CONNECTOR_E_THROTTLED);
  CONSTANT(CONNECTOR_E_NETWORK);
  CONSTANT(CONNECTOR_E_SERVICE);
  CONSTANT(CONNECTOR_E_CANCELLED);
  CONSTANT(CONNECTOR_E_BUSY);
  CONSTANT(CONNECTOR_E_INVALID_STATE);
  CONSTANT(CONNECTOR_E_OUT_OF_MEMORY);
  CONSTANT(CONNECTOR_E_INTERNAL);
  CONSTANT(CONNECTOR_E_TOO_MANY_DELETES);
  CONSTANT(CONNECTOR_LOG_ERROR);
  CONSTANT(CONNECTOR_LOG_WARN);
  CONSTANT(CONNECTOR_LOG_INFO);
  CONSTANT(CONNECTOR_LOG_DEBUG);
  CONSTANT(CONNECTOR_STATE_RUNNING);
  CONSTANT(CONNECTOR_STATE_SUCCEEDED);
  CONSTANT(CONNECTOR_STATE_FAILED);
  CONSTANT(CONNECTOR_STATE_CANCELLED);
  CONSTANT(CONNECTOR_STATE_PARTIAL);
  SIZE(connector_buffer);
  SIZE(connector_callbacks);
  SIZE(connector_options);
  SIZE(connector_batch);
  SIZE(connector_progress);
  OFFSET(connector_options, watermark);
  OFFSET(connector_options, max_batch_rows);
  OFFSET(connector_options, callbacks);
  OFFSET(connector_callbacks, user_data);
  OFFSET(connector_callbacks, wake);
  OFFSET(connector_batch, rows);
  OFFSET(connector_batch, checkpoint);
  OFFSET(connector_progress, state);
  OFFSET(connector_progress, elapsed_ms);
  return 0;
}
