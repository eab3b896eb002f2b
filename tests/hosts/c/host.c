/* A connector host in C99 and POSIX threads: what an engine written in C does with a connector library.

   Build:  cc -std=c99 -D_POSIX_C_SOURCE=200809L -I include tests/hosts/c/host.c -o host -ldl -pthread
   Run:    tests/hosts/README.md has the command line, which all hosts share.
   A library for Windows is loaded by the same file, built with MinGW (-std=c99 -pthread -static). */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif
#include "connector.h"

/* What this host needs of the contract, one member for each exported name. */
struct connector {
  ConnectorAbiVersionFn abi_version;
  DescribeFn describe;
  ImportAsyncFn import;
  ExportAsyncFn export;
  CheckAsyncFn check;
  OperationNextFn next;
  OperationCancelFn cancel;
  OperationProgressFn progress;
  OperationResultFn result;
  OperationReleaseFn release;
  BufferReleaseFn buffer_release;
};

struct text { char *data; size_t len; };

struct arguments {
  const char *connectors, *connector, *config, *auth, *watermark, *operation, *out;
  unsigned long long cancel_after; /* records; 0: never */
};

struct totals { unsigned long long records, batches, checkpoints, log_lines; };

static void fail(const char *what, const char *why) {
  fprintf(stderr, "host: %s: %s\n", what, why);
  exit(2);
}

/* ---- loading ------------------------------------------------------------------------------------------------*/

/* By full path and never unloaded: a thread of the library may outlive every handle of ours. */
#ifdef _WIN32
#define FILE_NAME "%s\\%s.dll"
static void *open_library(const char *path) {
  char full[MAX_PATH];
  if (GetFullPathNameA(path, sizeof full, full, NULL) == 0) return NULL;
  return (void *)LoadLibraryExA(full, NULL, LOAD_WITH_ALTERED_SEARCH_PATH);
}
static void resolve(void *library, const char *name, void *slot) {
  FARPROC symbol = GetProcAddress((HMODULE)library, name);
  if (symbol == NULL) fail("not a connector, it does not export", name);
  memcpy(slot, &symbol, sizeof symbol);
}
static const char *load_error(void) { return "LoadLibrary failed"; }
#else
#ifdef __APPLE__
#define FILE_NAME "%s/lib%s.dylib"
#else
#define FILE_NAME "%s/lib%s.so"
#endif
static void *open_library(const char *path) { return dlopen(path, RTLD_NOW | RTLD_LOCAL); }
/* ISO C has no conversion from object to function pointer; copying the bytes is what POSIX means. */
static void resolve(void *library, const char *name, void *slot) {
  void *symbol = dlsym(library, name);
  if (symbol == NULL) fail("not a connector, it does not export", name);
  memcpy(slot, &symbol, sizeof symbol);
}
static const char *load_error(void) { return dlerror(); }
#endif

static struct connector load(const char *folder, const char *name) {
  struct connector c;
  char path[4096];
  void *library;
  uint32_t version;
  if (snprintf(path, sizeof path, FILE_NAME, folder, name) >= (int)sizeof path) fail(folder, "the path is too long");
  library = open_library(path);
  if (library == NULL) fail(path, load_error());
  /* Before anything else: under another major version no other name means what we think. */
  resolve(library, "ConnectorAbiVersion", &c.abi_version);
  version = c.abi_version();
  if (version >> 16 != CONNECTOR_ABI_MAJOR) {
    fprintf(stderr, "host: %s speaks contract %u.%u, this host %u.%u\n", path, version >> 16, version & 0xffff,
            CONNECTOR_ABI_MAJOR, CONNECTOR_ABI_MINOR);
    exit(2);
  }
  resolve(library, "Describe", &c.describe);
  resolve(library, "ImportAsync", &c.import);
  resolve(library, "ExportAsync", &c.export);
  resolve(library, "CheckAsync", &c.check);
  resolve(library, "OperationNext", &c.next);
  resolve(library, "OperationCancel", &c.cancel);
  resolve(library, "OperationProgress", &c.progress);
  resolve(library, "OperationResult", &c.result);
  resolve(library, "OperationRelease", &c.release);
  resolve(library, "BufferRelease", &c.buffer_release);
  return c;
}

/* ---- cancelling from a thread that does not pull --------------------------------------------------------------*/

struct canceller {
  const struct connector *connector;
  connector_operation operation;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  int wanted, over;
  pthread_t thread;
};

static void *cancel_when_wanted(void *argument) {
  struct canceller *it = argument;
  int wanted;
  pthread_mutex_lock(&it->lock);
  while (!it->wanted && !it->over) pthread_cond_wait(&it->changed, &it->lock);
  wanted = it->wanted;
  pthread_mutex_unlock(&it->lock);
  /* Returns at once; the thread inside OperationNext comes back with CONNECTOR_E_CANCELLED. */
  if (wanted) it->connector->cancel(it->operation);
  return NULL;
}

static void tell(struct canceller *it, int *flag) {
  pthread_mutex_lock(&it->lock);
  *flag = 1;
  pthread_cond_signal(&it->changed);
  pthread_mutex_unlock(&it->lock);
}

/* ---- what the operator sees -----------------------------------------------------------------------------------*/

/* Called on our own thread, inside OperationNext, OperationResult or OperationRelease. The message is not
   NUL-terminated and is gone when we return. Must not call the connector. */
static void log_line(void *user_data, uint32_t level, const char *message, size_t message_len) {
  static const char *const names[] = {"?", "error", "warning", "information", "debug"};
  ((struct totals *)user_data)->log_lines++;
  fprintf(stderr, "log: %s %.*s\n", names[level <= 4 ? level : 0], (int)message_len, message);
}

static void show_progress(const struct connector *c, connector_operation operation, uint64_t *shown_ms, int last) {
  connector_progress progress;
  memset(&progress, 0, sizeof progress);
  progress.struct_size = (uint32_t)sizeof progress;
  if (c->progress(operation, &progress) != CONNECTOR_OK) return;
  if (!last && progress.elapsed_ms < *shown_ms + 250) return;
  *shown_ms = progress.elapsed_ms;
  fprintf(stderr, "progress: %llu rows, %llu requests, %llu ms\n", (unsigned long long)progress.rows_delivered,
          (unsigned long long)progress.requests, (unsigned long long)progress.elapsed_ms);
}

/* ---- the store of this sample: one file of records, one of the watermark --------------------------------------*/

static struct text read_file(const char *path, int may_be_absent) {
  struct text text = {NULL, 0};
  long size;
  FILE *file = fopen(path, "rb");
  if (file == NULL && may_be_absent && errno == ENOENT) return text;
  if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0) fail(path, strerror(errno));
  rewind(file);
  text.len = (size_t)size;
  text.data = malloc(text.len + 1); /* never malloc(0) */
  if (text.data == NULL || fread(text.data, 1, text.len, file) != text.len) fail(path, "cannot be read");
  fclose(file);
  return text;
}

/* Rows first, then their checkpoint: a watermark ahead of its rows would lose them for ever. */
static void store_rows(FILE *out, const connector_batch *batch) {
  if (batch->rows.len > 0 && fwrite(batch->rows.data, 1, batch->rows.len, out) != batch->rows.len) fail("--out", strerror(errno));
  if (fflush(out) != 0) fail("--out", strerror(errno));
}

static void store_checkpoint(const char *path, const connector_batch *batch, struct totals *totals) {
  char beside[4096];
  FILE *file;
  if (batch->checkpoint.len == 0) return;
  totals->checkpoints++;
  if (path == NULL) return;
  if (snprintf(beside, sizeof beside, "%s.new", path) >= (int)sizeof beside) fail(path, "the path is too long");
  file = fopen(beside, "wb");
  if (file == NULL || fwrite(batch->checkpoint.data, 1, batch->checkpoint.len, file) != batch->checkpoint.len ||
      fclose(file) != 0)
    fail(beside, strerror(errno));
#ifdef _WIN32
  remove(path); /* rename does not replace there */
#endif
  if (rename(beside, path) != 0) fail(path, strerror(errno));
}

/* ---- the engine ------------------------------------------------------------------------------------------------*/

/* Pulls until the operation says something final, and answers that. */
static connector_status pull(const struct connector *c, connector_operation operation, const struct arguments *arguments,
                             FILE *out, struct canceller *canceller, struct totals *totals) {
  connector_batch batch;
  connector_status status;
  uint64_t shown_ms = 0;
  memset(&batch, 0, sizeof batch); /* zero first, size second: members we do not know yet must be zero */
  batch.struct_size = (uint32_t)sizeof batch;
  for (;;) {
    status = c->next(operation, 250, &batch); /* a finite time, so that log lines and progress come through */
    show_progress(c, operation, &shown_ms, 0);
    if (status == CONNECTOR_PENDING || status == CONNECTOR_E_BUSY) continue;
    if (status == CONNECTOR_OK) {
      if (batch.sequence != totals->batches) fail("OperationNext", "a batch is missing");
      totals->batches++;
      totals->records += batch.row_count;
      store_rows(out, &batch);
    }
    /* Also with both ENDs; empty after a failure. */
    store_checkpoint(arguments->watermark, &batch, totals);
    /* The next call would overwrite both without looking. */
    c->buffer_release(&batch.rows);
    c->buffer_release(&batch.checkpoint);
    if (status != CONNECTOR_OK) break;
    if (arguments->cancel_after > 0 && totals->records >= arguments->cancel_after) tell(canceller, &canceller->wanted);
  }
  show_progress(c, operation, &shown_ms, 1);
  return status;
}

static int run(const struct connector *c, const struct arguments *arguments) {
  struct text config = read_file(arguments->config, 0), auth = read_file(arguments->auth, 0), watermark = {NULL, 0};
  struct canceller canceller;
  struct totals totals = {0, 0, 0, 0};
  ImportAsyncFn start = c->import;
  connector_callbacks callbacks;
  connector_options options;
  connector_operation operation = 0;
  connector_buffer json = {NULL, 0, NULL};
  connector_status status;
  FILE *out = fopen(arguments->out, "wb");

  if (out == NULL) fail(arguments->out, strerror(errno));
  if (strcmp(arguments->operation, "export") == 0) start = c->export;
  if (strcmp(arguments->operation, "check") == 0) start = c->check;
  if (arguments->watermark != NULL) watermark = read_file(arguments->watermark, 1);

  memset(&callbacks, 0, sizeof callbacks);
  callbacks.struct_size = (uint32_t)sizeof callbacks;
  callbacks.log = log_line;
  callbacks.user_data = &totals; /* must live until OperationRelease has returned */
  memset(&options, 0, sizeof options);
  options.struct_size = (uint32_t)sizeof options;
  options.watermark = watermark.data;
  options.watermark_len = watermark.len;
  options.callbacks = &callbacks;

  status = start(config.data, config.len, auth.data, auth.len, &options, &operation, &json);
  /* All inputs were copied. */
  memset(auth.data, 0, auth.len);
  free(config.data);
  free(auth.data);
  free(watermark.data);
  if (status != CONNECTOR_OK) { /* there is no operation, and nothing to release but the text */
    printf("{\"status\":%d,\"records\":0,\"batches\":0,\"checkpoints\":0,\"logLines\":0,\"result\":null,\"error\":%.*s}\n",
           (int)status, (int)json.len, (const char *)json.data);
    c->buffer_release(&json);
    fclose(out);
    return 1;
  }

  canceller.connector = c;
  canceller.operation = operation;
  canceller.wanted = canceller.over = 0;
  pthread_mutex_init(&canceller.lock, NULL);
  pthread_cond_init(&canceller.changed, NULL);
  if (pthread_create(&canceller.thread, NULL, cancel_when_wanted, &canceller) != 0) fail("pthread_create", "no thread");
  status = pull(c, operation, arguments, out, &canceller, &totals);
  tell(&canceller, &canceller.over);
  pthread_join(canceller.thread, NULL); /* so that nobody cancels an operation that is gone, which would be harmless */

  if (c->result(operation, &json) != CONNECTOR_OK) fail("OperationResult", "no result");
  c->release(operation); /* exactly once, also after a failure; no callback comes after it */
  printf("{\"status\":%d,\"records\":%llu,\"batches\":%llu,\"checkpoints\":%llu,\"logLines\":%llu,\"result\":%.*s,\"error\":null}\n",
         (int)status, totals.records, totals.batches, totals.checkpoints, totals.log_lines, (int)json.len,
         (const char *)json.data);
  c->buffer_release(&json); /* buffers outlive their operation */
  if (fclose(out) != 0) fail(arguments->out, strerror(errno));
  pthread_cond_destroy(&canceller.changed);
  pthread_mutex_destroy(&canceller.lock);
  return status == CONNECTOR_END ? 0 : status == CONNECTOR_END_PARTIAL ? 3 : 1;
}

static struct arguments parse(int argc, char **argv) {
  struct arguments a = {"Connectors", NULL, NULL, NULL, NULL, "import", NULL, 0};
  int i;
  for (i = 1; i < argc; i += 2) {
    const char *value = i + 1 < argc ? argv[i + 1] : NULL;
    if (value == NULL) fail(argv[i], "needs a value");
    if (strcmp(argv[i], "--connectors") == 0) a.connectors = value;
    else if (strcmp(argv[i], "--connector") == 0) a.connector = value;
    else if (strcmp(argv[i], "--config") == 0) a.config = value;
    else if (strcmp(argv[i], "--auth") == 0) a.auth = value;
    else if (strcmp(argv[i], "--watermark") == 0) a.watermark = value;
    else if (strcmp(argv[i], "--operation") == 0) a.operation = value;
    else if (strcmp(argv[i], "--cancel-after") == 0) a.cancel_after = strtoull(value, NULL, 10);
    else if (strcmp(argv[i], "--out") == 0) a.out = value;
    else fail(argv[i], "unknown; tests/hosts/README.md names the arguments");
  }
  if (a.connector == NULL || a.config == NULL || a.auth == NULL || a.out == NULL)
    fail("usage", "--connector NAME --config FILE --auth FILE --out FILE are needed");
  if (strcmp(a.operation, "import") != 0 && strcmp(a.operation, "export") != 0 && strcmp(a.operation, "check") != 0)
    fail(a.operation, "--operation is import, export or check");
  return a;
}

int main(int argc, char **argv) {
  struct arguments arguments = parse(argc, argv);
  struct connector connector = load(arguments.connectors, arguments.connector);
  connector_buffer about = {NULL, 0, NULL};
  if (connector.describe(&about) != CONNECTOR_OK) fail("Describe", "no answer");
  fprintf(stderr, "describe: %.*s\n", (int)about.len, (const char *)about.data);
  connector.buffer_release(&about);
  return run(&connector, &arguments);
}
