/* A connector host in plain C: loads the library, imports, counts, prints one line of JSON.

   usage: host LIBRARY CONFIG_FILE AUTH_FILE [WATERMARK_FILE]
   It is compiled against the frozen header of ABI 1.0 (tests/abi/), so that it proves that hosts built then still run.
   The new watermark is written to WATERMARK_FILE, and read from there when the file exists. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "connector-1.0.h"

struct functions {
  ConnectorAbiVersionFn abi_version;
  DescribeFn describe;
  ImportAsyncFn import;
  ExportAsyncFn export_rows;
  OperationNextFn next;
  OperationProgressFn progress;
  OperationResultFn result;
  OperationReleaseFn release;
  BufferReleaseFn buffer_release;
};

static void fail(const char *what) {
  fprintf(stderr, "host: %s\n", what);
  exit(1);
}

/* ISO C has no conversion from object to function pointer; copying the bytes is what POSIX means. */
static void resolve(void *library, const char *name, void *slot, size_t size) {
  void *symbol = dlsym(library, name);
  if (symbol == NULL) fail(name);
  memcpy(slot, &symbol, size);
}

static char *slurp(const char *path, size_t *len) {
  FILE *file = fopen(path, "rb");
  char *text;
  long size;
  if (file == NULL) return NULL;
  if (fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0) fail(path);
  rewind(file);
  text = malloc((size_t)size + 1);
  if (text == NULL || fread(text, 1, (size_t)size, file) != (size_t)size) fail(path);
  text[size] = '\0';
  fclose(file);
  *len = (size_t)size;
  return text;
}

static unsigned long count_lines(const connector_buffer *rows) {
  unsigned long lines = 0;
  size_t i;
  for (i = 0; i < rows->len; i++) lines += rows->data[i] == '\n';
  return lines;
}

static void save(const char *path, const connector_buffer *text) {
  FILE *file = fopen(path, "wb");
  if (file == NULL || fwrite(text->data, 1, text->len, file) != text->len) fail(path);
  if (fclose(file) != 0) fail(path);
}

int main(int argc, char **argv) {
  struct functions f;
  connector_options options;
  connector_operation operation = 0;
  connector_buffer json = {NULL, 0, NULL};
  connector_batch batch;
  connector_progress progress;
  connector_status status;
  unsigned long lines = 0, batches = 0, checkpoints = 0;
  size_t config_len = 0, auth_len = 0, watermark_len = 0;
  char *config, *auth, *watermark = NULL;
  void *library;

  if (argc < 4) fail("usage: host LIBRARY CONFIG_FILE AUTH_FILE [WATERMARK_FILE]");
  library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) fail(dlerror());
  resolve(library, "ConnectorAbiVersion", &f.abi_version, sizeof f.abi_version);
  if (f.abi_version() >> 16 != CONNECTOR_ABI_MAJOR) fail("another major version of the contract");
  resolve(library, "Describe", &f.describe, sizeof f.describe);
  resolve(library, "ImportAsync", &f.import, sizeof f.import);
  resolve(library, "ExportAsync", &f.export_rows, sizeof f.export_rows);
  resolve(library, "OperationNext", &f.next, sizeof f.next);
  resolve(library, "OperationProgress", &f.progress, sizeof f.progress);
  resolve(library, "OperationResult", &f.result, sizeof f.result);
  resolve(library, "OperationRelease", &f.release, sizeof f.release);
  resolve(library, "BufferRelease", &f.buffer_release, sizeof f.buffer_release);

  config = slurp(argv[2], &config_len);
  auth = slurp(argv[3], &auth_len);
  if (config == NULL || auth == NULL) fail("the config or auth file cannot be read");
  if (argc > 4) watermark = slurp(argv[4], &watermark_len);

  status = f.describe(&json);
  if (status != CONNECTOR_OK || json.len == 0) fail("Describe");
  f.buffer_release(&json);

  status = f.export_rows(config, config_len, auth, auth_len, NULL, &operation, &json);
  if (status != CONNECTOR_E_NOT_SUPPORTED || operation != 0 || json.len == 0) fail("ExportAsync must be refused in words");
  f.buffer_release(&json);

  memset(&options, 0, sizeof options);
  options.struct_size = (uint32_t)sizeof options;
  options.watermark = watermark;
  options.watermark_len = watermark_len;
  /* One text by length, one by its NUL: both are the contract. */
  status = f.import(config, config_len, auth, CONNECTOR_NUL_TERMINATED, &options, &operation, &json);
  if (status != CONNECTOR_OK) {
    fprintf(stderr, "%.*s\n", (int)json.len, (const char *)json.data);
    f.buffer_release(&json);
    return 1;
  }
  memset(&batch, 0, sizeof batch);
  batch.struct_size = (uint32_t)sizeof batch;
  while ((status = f.next(operation, 250, &batch)) == CONNECTOR_OK || status == CONNECTOR_PENDING) {
    if (status == CONNECTOR_PENDING) continue;
    if (count_lines(&batch.rows) != batch.row_count) fail("row_count is not the number of lines");
    if (batch.sequence != batches) fail("a batch is missing");
    lines += (unsigned long)batch.row_count;
    batches++;
    checkpoints += batch.checkpoint.len > 0;
    f.buffer_release(&batch.rows);
    f.buffer_release(&batch.checkpoint);
  }
  if (status == CONNECTOR_END && argc > 4) save(argv[4], &batch.checkpoint);
  f.buffer_release(&batch.checkpoint);

  memset(&progress, 0, sizeof progress);
  progress.struct_size = (uint32_t)sizeof progress;
  if (f.progress(operation, &progress) != CONNECTOR_OK) fail("OperationProgress");
  if (f.result(operation, &json) != CONNECTOR_OK) fail("OperationResult");
  printf("{\"status\":%d,\"batches\":%lu,\"checkpoints\":%lu,\"lines\":%lu,\"rows\":%llu,\"requests\":%llu,\"result\":%.*s}\n",
         (int)status, batches, checkpoints, lines, (unsigned long long)progress.rows_delivered,
         (unsigned long long)progress.requests, (int)json.len, (const char *)json.data);
  f.buffer_release(&json);
  f.buffer_release(&json); /* twice on the same struct is harmless */
  if (f.release(operation) != CONNECTOR_OK) fail("OperationRelease");
  if (f.release(operation) != CONNECTOR_E_INVALID_ARGUMENT) fail("a released operation must be unknown");
  free(watermark);
  free(auth);
  free(config);
  /* Allowed, and without effect: the library pins itself. */
  dlclose(library);
  return status == CONNECTOR_END ? 0 : 1;
}
