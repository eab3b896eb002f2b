/* A host of a later minor version on today's library: each of its structs is longer than the library knows.

   usage: grown LIBRARY CONFIG_JSON AUTH_JSON
   tests/hosts/suite/frozen.rs compiles it against every frozen header and runs an import through it. What the host
   hands in has a tail of zeros, as the contract asks; what the library fills has a tail of other bytes, so that one
   written zero shows. Prints the number of records. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "connector.h"

#define TAIL 40
#define UNTOUCHED 0xa5

struct later_callbacks { connector_callbacks known; unsigned char tail[TAIL]; };
struct later_options { connector_options known; unsigned char tail[TAIL]; };
struct later_batch { connector_batch known; unsigned char tail[TAIL]; };
struct later_progress { connector_progress known; unsigned char tail[TAIL]; };

static void fail(const char *what) {
  fprintf(stderr, "grown: %s\n", what);
  exit(1);
}

static void find(void *library, const char *name, void *slot) {
  void *symbol = dlsym(library, name);
  if (symbol == NULL) fail(name);
  memcpy(slot, &symbol, sizeof symbol);
}

static void is_untouched(const unsigned char *tail, uint32_t size, size_t mine, const char *what) {
  int i;
  for (i = 0; i < TAIL; i++)
    if (tail[i] != UNTOUCHED) fail(what);
  if (size != mine) fail(what);
}

static void count_line(void *lines, uint32_t level, const char *message, size_t message_len) {
  (void)level, (void)message, (void)message_len;
  ++*(unsigned long *)lines;
}

int main(int argc, char **argv) {
  ImportAsyncFn import;
  OperationNextFn next;
  OperationProgressFn progress_of;
  OperationReleaseFn release;
  BufferReleaseFn buffer_release;
  struct later_callbacks callbacks;
  struct later_options options;
  struct later_batch batch;
  struct later_progress progress;
  connector_operation operation = 0;
  connector_buffer error = {NULL, 0, NULL};
  connector_status status;
  unsigned long lines = 0, records = 0;
  void *library;

  if (argc != 4) fail("usage: grown LIBRARY CONFIG_JSON AUTH_JSON");
  library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) fail(dlerror());
  find(library, "ImportAsync", &import);
  find(library, "OperationNext", &next);
  find(library, "OperationProgress", &progress_of);
  find(library, "OperationRelease", &release);
  find(library, "BufferRelease", &buffer_release);

  memset(&callbacks, 0, sizeof callbacks);
  callbacks.known.struct_size = (uint32_t)sizeof callbacks;
  callbacks.known.log = count_line;
  callbacks.known.user_data = &lines;
  memset(&options, 0, sizeof options);
  options.known.struct_size = (uint32_t)sizeof options;
  options.known.callbacks = &callbacks.known;

  /* A tail that is not zero is an option this library does not have. */
  options.tail[TAIL - 1] = 1;
  status = import(argv[2], CONNECTOR_NUL_TERMINATED, argv[3], CONNECTOR_NUL_TERMINATED, &options.known, &operation, &error);
  if (status != CONNECTOR_E_NOT_SUPPORTED || operation != 0 || error.len == 0) fail("an unknown option must be refused in words");
  buffer_release(&error);
  options.tail[TAIL - 1] = 0;
  status = import(argv[2], CONNECTOR_NUL_TERMINATED, argv[3], CONNECTOR_NUL_TERMINATED, &options.known, &operation, &error);
  if (status != CONNECTOR_OK) fail("longer structs with a tail of zeros must be taken");

  for (;;) {
    memset(&batch, UNTOUCHED, sizeof batch);
    memset(&batch.known, 0, sizeof batch.known);
    batch.known.struct_size = (uint32_t)sizeof batch;
    status = next(operation, 250, &batch.known);
    is_untouched(batch.tail, batch.known.struct_size, sizeof batch, "OperationNext wrote beyond what it knows");
    memset(&progress, UNTOUCHED, sizeof progress);
    progress.known.struct_size = (uint32_t)sizeof progress;
    if (progress_of(operation, &progress.known) != CONNECTOR_OK) fail("OperationProgress");
    is_untouched(progress.tail, progress.known.struct_size, sizeof progress, "OperationProgress wrote beyond what it knows");
    records += (unsigned long)batch.known.row_count;
    buffer_release(&batch.known.rows);
    buffer_release(&batch.known.checkpoint);
    if (status != CONNECTOR_OK && status != CONNECTOR_PENDING) break;
  }
  if (release(operation) != CONNECTOR_OK) fail("OperationRelease");
  if (status != CONNECTOR_END) fail("the import must succeed");
  if (lines == 0) fail("the log callback of longer callbacks must be called");
  printf("%lu\n", records);
  return 0;
}
