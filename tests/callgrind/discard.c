/* A host that throws away what it is given: beside the connector's instructions it adds hardly any of its own.

   usage: discard LIBRARY CONFIG AUTH ROWS USERS      the two documents as texts, ROWS in a batch, USERS that exist
   Prints the numbers of rows and batches. It fetches only when full batches wait, since a host that is always there
   gets what is there. Whoever adds work here adds it to what tests/callgrind/run calls the connector's. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "connector.h"

static void *library;

static void *function(const char *name) {
  void *found = dlsym(library, name);
  if (!found) {
    fprintf(stderr, "no %s in the library\n", name);
    exit(1);
  }
  return found;
}

static int fail(const char *what, connector_status status, const connector_buffer *text) {
  fprintf(stderr, "%s answered %d: %.*s\n", what, (int)status, (int)text->len, text->data ? (const char *)text->data : "");
  return 1;
}

/* Until another batch is full, or nothing more will come. Asked seldom, so that asking costs nothing worth counting. */
static void wait_for(OperationProgressFn progress, connector_operation operation, unsigned long long rows) {
  const struct timespec pause = {0, 20 * 1000 * 1000};
  for (int silent = 0; silent < 500; silent++) {
    connector_progress now;
    memset(&now, 0, sizeof now);
    now.struct_size = sizeof now;
    if (progress(operation, &now) != CONNECTOR_OK || now.rows_fetched >= rows) {
      return;
    }
    nanosleep(&pause, NULL);
  }
}

int main(int count, char **words) {
  if (count != 6) {
    fprintf(stderr, "usage: discard LIBRARY CONFIG AUTH ROWS USERS\n");
    return 2;
  }
  library = dlopen(words[1], RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  ImportAsyncFn import = (ImportAsyncFn)function("ImportAsync");
  OperationNextFn next = (OperationNextFn)function("OperationNext");
  OperationProgressFn progress = (OperationProgressFn)function("OperationProgress");
  OperationResultFn result = (OperationResultFn)function("OperationResult");
  OperationReleaseFn release = (OperationReleaseFn)function("OperationRelease");
  BufferReleaseFn give_back = (BufferReleaseFn)function("BufferRelease");

  connector_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.max_batch_rows = (uint32_t)atoi(words[4]);
  options.max_batch_bytes = 64 << 20;
  const unsigned long long enough = 2 * options.max_batch_rows + 400, users = strtoull(words[5], NULL, 10);
  connector_operation operation = 0;
  connector_buffer text = {0};
  connector_status status =
      import(words[2], strlen(words[2]), words[3], strlen(words[3]), &options, &operation, &text);
  if (status != CONNECTOR_OK) {
    return fail("ImportAsync", status, &text);
  }
  unsigned long long rows = 0, batches = 0;
  for (;;) {
    wait_for(progress, operation, rows + enough < users ? rows + enough : users);
    connector_batch batch;
    memset(&batch, 0, sizeof batch);
    batch.struct_size = sizeof batch;
    status = next(operation, CONNECTOR_FOREVER, &batch);
    rows += batch.row_count;
    batches += status == CONNECTOR_OK;
    give_back(&batch.rows);
    give_back(&batch.checkpoint);
    if (status != CONNECTOR_OK) {
      break;
    }
  }
  if (status != CONNECTOR_END) {
    result(operation, &text);
    return fail("OperationNext", status, &text);
  }
  release(operation);
  printf("%llu %llu\n", rows, batches);
  return 0;
}
