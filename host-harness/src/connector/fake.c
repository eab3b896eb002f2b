/* A connector for the loader's own tests, written in C against the header alone: three batches, the second of them
   late, then an end. What it answers can be changed by macros in front of it. Its Describe says how many of its buffers
   are out and whether the operation was released. */

#include "connector.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef FAKE_VERSION
#define FAKE_VERSION CONNECTOR_ABI_VERSION
#endif
#ifndef FAKE_LAST
#define FAKE_LAST CONNECTOR_END
#endif

static int outstanding, step, cancelled, released;
static connector_callbacks callbacks;

static void give(connector_buffer *buffer, const char *text) {
  size_t len = strlen(text);
  char *copy = malloc(len + 1);
  memcpy(copy, text, len + 1);
  buffer->data = (const uint8_t *)copy;
  buffer->len = len;
  buffer->owner = copy;
  outstanding++;
}

uint32_t ConnectorAbiVersion(void) { return FAKE_VERSION; }

connector_status Describe(connector_buffer *out) {
  char text[200];
  snprintf(text, sizeof text,
           "{\"Name\":\"Fake\",\"Version\":\"1.2.3\",\"Abi\":\"1.0\",\"ObjectTypes\":[],\"Outstanding\":%d,\"Released\":%d}",
           outstanding, released);
  give(out, text);
  return CONNECTOR_OK;
}

connector_status ImportAsync(const char *config, size_t config_len, const char *auth, size_t auth_len,
                             const connector_options *options, connector_operation *out, connector_buffer *error) {
  (void)auth;
  (void)auth_len;
  *out = 0;
  if (config_len == 3 && memcmp(config, "bad", 3) == 0) {
    if (error) give(error, "{\"Code\":\"InvalidConfig\",\"Status\":-3}");
    return CONNECTOR_E_INVALID_CONFIG;
  }
  step = cancelled = released = 0;
  memset(&callbacks, 0, sizeof callbacks);
  if (options && options->callbacks) callbacks = *options->callbacks;
  *out = 41;
  return CONNECTOR_OK;
}

connector_status CheckAsync(const char *c, size_t cl, const char *a, size_t al, const connector_options *o,
                            connector_operation *out, connector_buffer *e) {
  return ImportAsync(c, cl, a, al, o, out, e);
}

connector_status ExportAsync(const char *c, size_t cl, const char *a, size_t al, const connector_options *o,
                             connector_operation *out, connector_buffer *e) {
  (void)c; (void)cl; (void)a; (void)al; (void)o;
  *out = 0;
  if (e) give(e, "{\"Code\":\"NotSupported\",\"Status\":-2}");
  return CONNECTOR_E_NOT_SUPPORTED;
}

connector_status OperationNext(connector_operation operation, uint32_t timeout_ms, connector_batch *batch) {
  (void)timeout_ms;
  if (operation != 41 || released) return CONNECTOR_E_INVALID_ARGUMENT;
  memset(&batch->rows, 0, sizeof batch->rows);
  memset(&batch->checkpoint, 0, sizeof batch->checkpoint);
  if (cancelled) return CONNECTOR_E_CANCELLED;
  if (callbacks.log) callbacks.log(callbacks.user_data, CONNECTOR_LOG_INFO, "a step", 6);
  switch (step++) {
  case 0:
    batch->sequence = 0;
    batch->row_count = 1;
    give(&batch->rows, "{\"Kind\":\"One\"}\n");
    return CONNECTOR_OK;
  case 1:
    if (callbacks.wake) callbacks.wake(callbacks.user_data);
    return CONNECTOR_PENDING;
  case 2:
    batch->sequence = 1;
    batch->row_count = 1;
    give(&batch->rows, "{\"Kind\":\"Two\"}\n");
    give(&batch->checkpoint, "half way");
    return CONNECTOR_OK;
  default:
    if (FAKE_LAST >= 0) give(&batch->checkpoint, "the end");
    return FAKE_LAST;
  }
}

connector_status OperationCancel(connector_operation operation) {
  if (operation != 41 || released) return CONNECTOR_E_INVALID_ARGUMENT;
  cancelled = 1;
  return CONNECTOR_OK;
}

connector_status OperationProgress(connector_operation operation, connector_progress *out) {
  if (operation != 41 || released) return CONNECTOR_E_INVALID_ARGUMENT;
  out->rows_delivered = (uint64_t)step;
  return CONNECTOR_OK;
}

connector_status OperationResult(connector_operation operation, connector_buffer *out) {
  if (operation != 41 || released) return CONNECTOR_E_INVALID_ARGUMENT;
  if (step < 4 && !cancelled) return CONNECTOR_E_INVALID_STATE;
  give(out, "{\"Outcome\":\"Succeeded\"}");
  return CONNECTOR_OK;
}

connector_status OperationRelease(connector_operation operation) {
  if (operation != 41 || released) return CONNECTOR_E_INVALID_ARGUMENT;
  released = 1;
  return CONNECTOR_OK;
}

void BufferRelease(connector_buffer *buffer) {
  if (!buffer || !buffer->owner) return;
  free(buffer->owner);
  memset(buffer, 0, sizeof *buffer);
  outstanding--;
}
