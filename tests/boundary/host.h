/* What the C programs in this folder share: a loaded library, its texts, and checks that count.

   The programs are compiled against the current header; tests/abi/ has what is compiled against released ones. Each
   prints one line of JSON with what it did and ends with 0, or names on stderr what did not hold and ends with 1. A
   newcomer's mistake would be to stop at the first failure with a library's threads still running: `done` waits for
   them, so that a leak checker sees a quiet process. */
#ifndef BOUNDARY_HOST_H
#define BOUNDARY_HOST_H

#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "connector.h"

#define UNUSED __attribute__((unused))

struct library {
  void *handle;
  ConnectorAbiVersionFn abi_version;
  DescribeFn describe;
  ImportAsyncFn import;
  ExportAsyncFn export_rows;
  CheckAsyncFn check;
  OperationNextFn next;
  OperationCancelFn cancel;
  OperationProgressFn progress;
  OperationResultFn result;
  OperationReleaseFn release;
  BufferReleaseFn buffer_release;
};

static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;
static unsigned long checks, failures;

static UNUSED void fail(const char *what) {
  fprintf(stderr, "FAILED %s\n", what);
  exit(1);
}

/* Counts; a failure is named and the program goes on. */
static UNUSED int holds(int condition, const char *what, const char *of) {
  pthread_mutex_lock(&counting);
  checks++;
  if (!condition) {
    failures++;
    fprintf(stderr, "FAILED %s: %s\n", of, what);
  }
  pthread_mutex_unlock(&counting);
  return condition;
}

static UNUSED void answers(connector_status found, connector_status expected, const char *of) {
  char what[64];
  snprintf(what, sizeof what, "answered %d instead of %d", (int)found, (int)expected);
  holds(found == expected, what, of);
}

/* ISO C has no conversion from object to function pointer; copying the bytes is what POSIX means. */
static UNUSED void resolve(void *handle, const char *name, void *slot, size_t size) {
  void *symbol = dlsym(handle, name);
  if (symbol == NULL) fail(name);
  memcpy(slot, &symbol, size);
}

static UNUSED struct library load(const char *path) {
  struct library l;
  memset(&l, 0, sizeof l);
  l.handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (l.handle == NULL) fail(dlerror());
#define RESOLVE(member, name) resolve(l.handle, #name, &l.member, sizeof l.member)
  RESOLVE(abi_version, ConnectorAbiVersion);
  RESOLVE(describe, Describe);
  RESOLVE(import, ImportAsync);
  RESOLVE(export_rows, ExportAsync);
  RESOLVE(check, CheckAsync);
  RESOLVE(next, OperationNext);
  RESOLVE(cancel, OperationCancel);
  RESOLVE(progress, OperationProgress);
  RESOLVE(result, OperationResult);
  RESOLVE(release, OperationRelease);
  RESOLVE(buffer_release, BufferRelease);
#undef RESOLVE
  return l;
}

static UNUSED char *slurp(const char *path) {
  FILE *file = fopen(path, "rb");
  char *text;
  long size;
  if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0) fail(path);
  rewind(file);
  text = malloc((size_t)size + 1);
  if (text == NULL || fread(text, 1, (size_t)size, file) != (size_t)size) fail(path);
  text[size] = '\0';
  fclose(file);
  return text;
}

static UNUSED connector_options plain_options(void) {
  connector_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = (uint32_t)sizeof options;
  return options;
}

static UNUSED connector_batch empty_batch(void) {
  connector_batch batch;
  memset(&batch, 0, sizeof batch);
  batch.struct_size = (uint32_t)sizeof batch;
  return batch;
}

/* An import that must start; NULL options are all defaults. */
static UNUSED connector_operation start(const struct library *l, const char *config, const char *auth,
                                        const connector_options *options) {
  connector_operation operation = 77;
  connector_buffer error = {NULL, 0, NULL};
  connector_status status =
      l->import(config, CONNECTOR_NUL_TERMINATED, auth, CONNECTOR_NUL_TERMINATED, options, &operation, &error);
  if (status != CONNECTOR_OK) {
    fprintf(stderr, "FAILED an import does not start: %d %.*s\n", (int)status, (int)error.len, (const char *)error.data);
    exit(1);
  }
  l->buffer_release(&error);
  return operation;
}

/* Pulls `most` batches or to the end; answers the last status and adds the rows up. */
static UNUSED connector_status pull(const struct library *l, connector_operation operation, unsigned long most,
                                    unsigned long *rows) {
  connector_batch batch = empty_batch();
  connector_status status = CONNECTOR_OK;
  while (most > 0 && (status == CONNECTOR_OK || status == CONNECTOR_PENDING)) {
    status = l->next(operation, 250, &batch);
    if (status == CONNECTOR_OK) {
      *rows += (unsigned long)batch.row_count;
      most--;
    }
    l->buffer_release(&batch.rows);
    l->buffer_release(&batch.checkpoint);
  }
  return status;
}

/* How many threads this process has. */
static UNUSED unsigned long threads_now(void) {
  unsigned long count = 0;
  struct dirent *entry;
  DIR *tasks = opendir("/proc/self/task");
  if (tasks == NULL) fail("/proc/self/task cannot be read");
  while ((entry = readdir(tasks)) != NULL) count += entry->d_name[0] != '.';
  closedir(tasks);
  return count;
}

static UNUSED void pause_ms(long milliseconds) {
  struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
  nanosleep(&time, NULL);
}

/* Waits until only `expected` threads are left, or for five minutes: a blocking read of the library's may take one, and
   under valgrind everything takes longer. */
static UNUSED unsigned long settle(unsigned long expected) {
  int round;
  for (round = 0; round < 6000 && threads_now() > expected; round++) pause_ms(50);
  return threads_now();
}

/* The last line of a program that counts. */
static UNUSED int done(const char *program) {
  unsigned long left = settle(1);
  holds(left == 1, "threads of the library are left five minutes after the last release", program);
  printf("{\"program\":\"%s\",\"checks\":%lu,\"failed\":%lu,\"threads\":%lu}\n", program, checks, failures, left);
  return failures == 0 ? 0 : 1;
}

#endif /* BOUNDARY_HOST_H */
