/* A connector that does what its ConfigJson says, for the engine's own tests. Lines that begin with '=' are commands:
     =batch            ends a batch        =checkpoint W     ends a batch with a checkpoint
     =end W  =partial W  =fail N           ends the operation
     =echo             hands out the watermark it was started with as an Issue's message
     =wait             answers PENDING until cancelled
     =types {...}      becomes ObjectTypes of the result
   Every other line is a record. */

#include "connector.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *script, *at;
static char watermark[256];
static char types[2048];
static int cancelled;
static uint64_t sequence;

static void give(connector_buffer *buffer, const char *text, size_t len) {
  char *copy = malloc(len + 1);
  memcpy(copy, text, len);
  copy[len] = 0;
  buffer->data = (const uint8_t *)copy;
  buffer->len = len;
  buffer->owner = copy;
}

uint32_t ConnectorAbiVersion(void) { return CONNECTOR_ABI_VERSION; }

connector_status Describe(connector_buffer *out) {
  const char *text =
      "{\"Name\":\"Scripted\",\"Version\":\"1.0.0\",\"Abi\":\"1.0\",\"ObjectTypes\":["
      "{\"Name\":\"User\",\"Class\":\"Object\",\"Switch\":\"ImportUsers\",\"Default\":true},"
      "{\"Name\":\"GroupMember\",\"Class\":\"Edge\",\"Switch\":\"ImportMemberships\",\"Default\":true,\"ScopeAttribute\":\"groupId\","
      "\"Ends\":[{\"Attribute\":\"groupId\"},{\"Attribute\":\"memberId\"}]}]}";
  give(out, text, strlen(text));
  return CONNECTOR_OK;
}

connector_status ImportAsync(const char *config, size_t config_len, const char *auth, size_t auth_len,
                             const connector_options *options, connector_operation *out, connector_buffer *error) {
  (void)auth;
  (void)auth_len;
  *out = 0;
  if (config_len == 0) {
    const char *text = "{\"Code\":\"InvalidConfig\",\"Status\":-3,\"Message\":\"empty\"}";
    if (error) give(error, text, strlen(text));
    return CONNECTOR_E_INVALID_CONFIG;
  }
  free(script);
  script = at = calloc(1, config_len + 1);
  memcpy(script, config, config_len);
  snprintf(watermark, sizeof watermark, "%.*s", options ? (int)options->watermark_len : 0, options && options->watermark ? options->watermark : "");
  cancelled = 0;
  sequence = 0;
  strcpy(types, "{}");
  *out = 7;
  return CONNECTOR_OK;
}

connector_status CheckAsync(const char *c, size_t cl, const char *a, size_t al, const connector_options *o,
                            connector_operation *out, connector_buffer *e) {
  return ImportAsync(c, cl, a, al, o, out, e);
}

connector_status ExportAsync(const char *c, size_t cl, const char *a, size_t al, const connector_options *o,
                             connector_operation *out, connector_buffer *e) {
  (void)c; (void)cl; (void)a; (void)al; (void)o; (void)e;
  *out = 0;
  return CONNECTOR_E_NOT_SUPPORTED;
}

connector_status OperationNext(connector_operation operation, uint32_t timeout_ms, connector_batch *batch) {
  static char rows[1 << 20];
  size_t len = 0;
  (void)timeout_ms;
  if (operation != 7) return CONNECTOR_E_INVALID_ARGUMENT;
  if (cancelled) return CONNECTOR_E_CANCELLED;
  batch->row_count = 0;
  while (*at) {
    char word[300];
    char *stop = strchr(at, '\n');
    size_t n = stop ? (size_t)(stop - at) : strlen(at);
    snprintf(word, sizeof word, "%.*s", (int)n, at);
    if (*at != '=') {
      memcpy(rows + len, at, n);
      rows[len + n] = '\n';
      len += n + 1;
      batch->row_count++;
    } else if (strncmp(word, "=types ", 7) == 0) {
      snprintf(types, sizeof types, "%.*s", (int)n - 7, at + 7);
    } else if (strcmp(word, "=echo") == 0) {
      len += (size_t)sprintf(rows + len, "{\"Kind\":\"Issue\",\"Severity\":\"Warning\",\"Code\":\"Echo\",\"Message\":\"%s\"}\n", watermark);
      batch->row_count++;
    } else if (strcmp(word, "=batch") == 0 || strncmp(word, "=checkpoint ", 12) == 0) {
      if (n > 12) give(&batch->checkpoint, word + 12, n - 12);
      give(&batch->rows, rows, len);
      batch->sequence = sequence++;
      at = stop ? stop + 1 : at + n;
      return CONNECTOR_OK;
    } else { /* an end, or a wait: stays there */
      if (strncmp(word, "=fail ", 6) == 0) return atoi(word + 6);
      if (strncmp(word, "=wait", 5) == 0) return CONNECTOR_PENDING;
      if (strncmp(word, "=end ", 5) == 0) {
        give(&batch->checkpoint, word + 5, n - 5);
        return CONNECTOR_END;
      }
      give(&batch->checkpoint, word + 9, n - 9);
      return CONNECTOR_END_PARTIAL;
    }
    at = stop ? stop + 1 : at + n;
  }
  return CONNECTOR_E_INTERNAL;
}

connector_status OperationCancel(connector_operation operation) {
  cancelled = operation == 7;
  return CONNECTOR_OK;
}

connector_status OperationProgress(connector_operation operation, connector_progress *out) {
  (void)operation;
  (void)out;
  return CONNECTOR_OK;
}

connector_status OperationResult(connector_operation operation, connector_buffer *out) {
  char text[4096];
  (void)operation;
  snprintf(text, sizeof text,
           "{\"Operation\":\"Import\",\"Requests\":12,\"Watermark\":\"w-in-result\",\"ObjectTypes\":%s,\"Error\":null}", types);
  give(out, text, strlen(text));
  return CONNECTOR_OK;
}

connector_status OperationRelease(connector_operation operation) {
  (void)operation;
  return CONNECTOR_OK;
}

void BufferRelease(connector_buffer *buffer) {
  if (!buffer || !buffer->owner) return;
  free(buffer->owner);
  memset(buffer, 0, sizeof *buffer);
}
