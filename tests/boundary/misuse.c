/* Every misuse of the header in one run, and an import that goes well between them.

   usage: misuse LIBRARY CONFIG_FILE AUTH_FILE long|short
   Runs plain, under valgrind and under AddressSanitizer. What must not be read stands on a page that cannot be read, so
   that a library that reads it all the same ends this process at once; what may be read stands right before such a
   page. The tables say what is passed and what must be answered. */
#define _GNU_SOURCE
#include "host.h"
#include <sys/mman.h>

static struct library l;
static const char *config, *auth;

/* A page nobody may touch. */
static char *forbidden;

static char *pages(size_t bytes) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = (bytes + page - 1) / page * page;
  char *area = mmap(NULL, whole + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (area == MAP_FAILED || mprotect(area + whole, page, PROT_NONE) != 0) fail("no pages");
  return area + whole;
}

/* A copy of `bytes` that ends where reading is forbidden. */
static char *at_the_edge(const void *bytes, size_t len) {
  return memcpy(pages(len) - len, bytes, len);
}

/* ---- starting ---- */

struct text {
  const char *data;
  size_t len;
};

struct start_case {
  const char *name;
  struct text config, auth;
  const connector_options *options;
  connector_status expected;
  const char *says; /* stands in the error JSON */
};

/* One call of one starting function; checks the status and that nothing was started or left to release but the text. */
static void start_refused(const char *function, ImportAsyncFn call, const struct start_case *c, connector_status expected,
                          const char *says) {
  connector_operation operation = 77;
  connector_buffer error = {(const uint8_t *)forbidden, 5, NULL}; /* what stood there is overwritten, not read */
  char of[160];
  snprintf(of, sizeof of, "%s, %s", function, c->name);
  answers(call(c->config.data, c->config.len, c->auth.data, c->auth.len, c->options, &operation, &error), expected, of);
  holds(operation == 0, "an operation was answered besides an error", of);
  holds(error.len > 0 && memmem(error.data, error.len, says, strlen(says)) != NULL, says, of);
  l.buffer_release(&error);
  holds(error.data == NULL && error.len == 0 && error.owner == NULL, "BufferRelease does not empty the struct", of);
  l.buffer_release(&error);
  operation = 77;
  answers(call(c->config.data, c->config.len, c->auth.data, c->auth.len, c->options, &operation, NULL), expected, of);
  holds(operation == 0, "an operation was answered besides an error", of);
}

static void starting(void) {
  static const char bad_utf8[] = "{\"a\":\"\xff\"}", lone_surrogate[] = "\xed\xa0\x80", cut_short[] = "\xe2\x82";
  const struct text good = {"{}", 2}, null = {NULL, 0}, unread = {forbidden, (size_t)CONNECTOR_MAX_INPUT + 1};
  connector_options sizes[5], flags = plain_options(), reserved = plain_options(), watermark = plain_options(),
                              callbacks[5], edge = plain_options();
  connector_callbacks wrong;
  struct {
    connector_options options;
    uint64_t tail[4];
  } later;
  const uint32_t wrong_sizes[] = {0, 4, (uint32_t)sizeof(connector_options) - 1, 4097, UINT32_MAX};
  const uint32_t wrong_callbacks[] = {0, (uint32_t)sizeof(connector_callbacks) - 1, 4097, UINT32_MAX};
  static char name[64];
  size_t i;

  {
    const struct start_case cases[] = {
        {"config NULL", null, good, NULL, CONNECTOR_E_INVALID_ARGUMENT, "config_json is NULL"},
        {"auth NULL", good, null, NULL, CONNECTOR_E_INVALID_ARGUMENT, "auth_json is NULL"},
        {"config NULL with a length", {NULL, 5}, good, NULL, CONNECTOR_E_INVALID_ARGUMENT, "config_json is NULL"},
        {"config NULL to its NUL", {NULL, CONNECTOR_NUL_TERMINATED}, good, NULL, CONNECTOR_E_INVALID_ARGUMENT, "config_json is NULL"},
        {"config of length 0", {forbidden, 0}, good, NULL, CONNECTOR_E_INVALID_CONFIG, "InvalidConfig"},
        {"config over 16 MiB", unread, good, NULL, CONNECTOR_E_INVALID_ARGUMENT, "16 MiB"},
        {"auth over 16 MiB", good, unread, NULL, CONNECTOR_E_INVALID_ARGUMENT, "16 MiB"},
        {"config of isize::MAX", {forbidden, PTRDIFF_MAX}, good, NULL, CONNECTOR_E_INVALID_ARGUMENT, "16 MiB"},
        {"config over isize::MAX", {forbidden, (size_t)PTRDIFF_MAX + 1}, good, NULL, CONNECTOR_E_INVALID_ARGUMENT, "16 MiB"},
        {"config one below NUL_TERMINATED", {forbidden, SIZE_MAX - 1}, good, NULL, CONNECTOR_E_INVALID_ARGUMENT, "16 MiB"},
        {"config that ends at the edge", {at_the_edge("{oops", 5), 5}, good, NULL, CONNECTOR_E_INVALID_CONFIG, "InvalidConfig"},
        {"config whose NUL is the last byte", {at_the_edge("{oops", 6), CONNECTOR_NUL_TERMINATED}, good, NULL, CONNECTOR_E_INVALID_CONFIG, "InvalidConfig"},
        {"bad UTF-8", {bad_utf8, sizeof bad_utf8 - 1}, good, NULL, CONNECTOR_E_INVALID_ARGUMENT, "not UTF-8 at byte 6"},
        {"a lone surrogate", {lone_surrogate, 3}, good, NULL, CONNECTOR_E_INVALID_ARGUMENT, "not UTF-8 at byte 0"},
        {"UTF-8 cut short", good, {cut_short, 2}, NULL, CONNECTOR_E_INVALID_ARGUMENT, "not UTF-8 at byte 0"},
        {"misaligned options", good, good, (const connector_options *)(const void *)(forbidden + 1), CONNECTOR_E_INVALID_ARGUMENT, "options is not aligned"},
    };
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
      start_refused("ImportAsync", l.import, &cases[i], cases[i].expected, cases[i].says);
      start_refused("CheckAsync", l.check, &cases[i], cases[i].expected, cases[i].says);
      start_refused("ExportAsync", l.export_rows, &cases[i], CONNECTOR_E_NOT_SUPPORTED, "NotSupported");
    }
  }
  for (i = 0; i < sizeof wrong_sizes / sizeof *wrong_sizes; i++) {
    struct start_case c = {name, good, good, NULL, CONNECTOR_E_INVALID_ARGUMENT, "struct_size"};
    snprintf(name, sizeof name, "options of size %lu", (unsigned long)wrong_sizes[i]);
    sizes[i] = plain_options();
    sizes[i].struct_size = wrong_sizes[i];
    /* Of a struct that is too short nothing may be read but its size: the rest stands on the forbidden page. */
    c.options = wrong_sizes[i] < sizeof edge ? (const void *)at_the_edge(&sizes[i], 8) : (const void *)&sizes[i];
    start_refused("ImportAsync", l.import, &c, c.expected, c.says);
    start_refused("CheckAsync", l.check, &c, c.expected, c.says);
  }
  for (i = 0; i < sizeof wrong_callbacks / sizeof *wrong_callbacks; i++) {
    struct start_case c = {name, good, good, &callbacks[i], CONNECTOR_E_INVALID_ARGUMENT, "struct_size"};
    snprintf(name, sizeof name, "callbacks of size %lu", (unsigned long)wrong_callbacks[i]);
    memset(&wrong, 0, sizeof wrong);
    wrong.struct_size = wrong_callbacks[i];
    callbacks[i] = plain_options();
    callbacks[i].callbacks = &wrong;
    start_refused("ImportAsync", l.import, &c, c.expected, c.says);
    start_refused("CheckAsync", l.check, &c, c.expected, c.says);
  }
  callbacks[4] = plain_options();
  callbacks[4].callbacks = (const connector_callbacks *)(const void *)(forbidden + 4);
  flags.flags = 1;
  reserved.reserved = 1;
  watermark.watermark = forbidden;
  watermark.watermark_len = (size_t)CONNECTOR_MAX_INPUT + 1;
  memset(&later, 0, sizeof later);
  later.options.struct_size = (uint32_t)sizeof later;
  later.tail[3] = 1;
  {
    connector_options null_watermark = plain_options(), bad_watermark = plain_options();
    const struct start_case cases[] = {
        {"misaligned callbacks", good, good, &callbacks[4], CONNECTOR_E_INVALID_ARGUMENT, "callbacks is not aligned"},
        {"a flag", good, good, &flags, CONNECTOR_E_NOT_SUPPORTED, "/flags"},
        {"a reserved member", good, good, &reserved, CONNECTOR_E_NOT_SUPPORTED, "/reserved"},
        {"a member of a later version", good, good, &later.options, CONNECTOR_E_NOT_SUPPORTED, "options"},
        {"watermark over 16 MiB", good, good, &watermark, CONNECTOR_E_INVALID_ARGUMENT, "options.watermark"},
        {"watermark NULL with a length", good, good, &null_watermark, CONNECTOR_E_INVALID_ARGUMENT, "options.watermark"},
        {"watermark of bad UTF-8", good, good, &bad_watermark, CONNECTOR_E_INVALID_ARGUMENT, "not UTF-8"},
        {"options that end at the edge", good, good, (const void *)at_the_edge(&edge, sizeof edge), CONNECTOR_E_INVALID_CONFIG, "InvalidConfig"},
    };
    null_watermark.watermark_len = 3;
    bad_watermark.watermark = bad_utf8;
    bad_watermark.watermark_len = sizeof bad_utf8 - 1;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
      start_refused("ImportAsync", l.import, &cases[i], cases[i].expected, cases[i].says);
      start_refused("CheckAsync", l.check, &cases[i], cases[i].expected, cases[i].says);
    }
  }
  /* Answers that cannot be written, with texts that would start: nothing may be started. */
  {
    ImportAsyncFn calls[3];
    calls[0] = l.import;
    calls[1] = l.check;
    calls[2] = l.export_rows;
    for (i = 0; i < 3; i++) {
      connector_operation operation = 77;
      connector_buffer error = {NULL, 0, NULL};
      const size_t n = CONNECTOR_NUL_TERMINATED;
      answers(calls[i](config, n, auth, n, NULL, NULL, NULL), CONNECTOR_E_INVALID_ARGUMENT, "out_operation NULL");
      answers(calls[i](config, n, auth, n, NULL, NULL, &error), CONNECTOR_E_INVALID_ARGUMENT, "out_operation NULL");
      holds(error.len > 0, "no text", "out_operation NULL");
      l.buffer_release(&error);
      answers(calls[i](config, n, auth, n, NULL, (void *)(forbidden + 1), &error), CONNECTOR_E_INVALID_ARGUMENT,
              "out_operation misaligned");
      l.buffer_release(&error);
      answers(calls[i](config, n, auth, n, NULL, &operation, (void *)(forbidden + 1)), CONNECTOR_E_INVALID_ARGUMENT,
              "out_error_json misaligned");
      holds(operation == 0, "an operation was answered besides an error", "out_error_json misaligned");
    }
  }
}

/* Once and by one function, and not when a `short` run is asked for: under valgrind each costs a minute. */
static void long_texts(void) {
  const struct text good = {"{}", 2};
  const size_t len = (size_t)CONNECTOR_MAX_INPUT + 1;
  char *text = pages(len) - len; /* 16 MiB and one, no NUL: one further is forbidden */
  const struct start_case endless = {"config without a NUL", {text, CONNECTOR_NUL_TERMINATED}, good, NULL, 0, NULL};
  const struct start_case longest = {"config of 16 MiB", {text, CONNECTOR_MAX_INPUT}, good, NULL, 0, NULL};
  memset(text, ' ', len);
  start_refused("ImportAsync", l.import, &endless, CONNECTOR_E_INVALID_ARGUMENT, "16 MiB");
  start_refused("ImportAsync", l.import, &longest, CONNECTOR_E_INVALID_CONFIG, "InvalidConfig");
}

/* ---- operations ---- */

/* All five functions that take an operation, with one that must be unknown. */
static void unknown(connector_operation operation, const char *of) {
  connector_batch batch = empty_batch();
  connector_progress progress;
  connector_buffer json = {(const uint8_t *)forbidden, 5, NULL};
  memset(&progress, 0, sizeof progress);
  progress.struct_size = (uint32_t)sizeof progress;
  batch.rows.data = (const uint8_t *)forbidden;
  batch.row_count = 9;
  answers(l.next(operation, CONNECTOR_FOREVER, &batch), CONNECTOR_E_INVALID_ARGUMENT, of);
  holds(batch.rows.data == NULL && batch.row_count == 0 && batch.checkpoint.data == NULL, "the batch is not empty", of);
  answers(l.cancel(operation), CONNECTOR_E_INVALID_ARGUMENT, of);
  answers(l.progress(operation, &progress), CONNECTOR_E_INVALID_ARGUMENT, of);
  answers(l.result(operation, &json), CONNECTOR_E_INVALID_ARGUMENT, of);
  holds(json.data == NULL && json.len == 0 && json.owner == NULL, "the buffer is not empty", of);
  answers(l.release(operation), CONNECTOR_E_INVALID_ARGUMENT, of);
}

/* Answers that cannot be written, on an operation that lives; it must not notice. */
static void places(connector_operation operation) {
  const uint32_t batch_sizes[] = {0, (uint32_t)sizeof(connector_batch) - 1, 4097, UINT32_MAX};
  const uint32_t progress_sizes[] = {0, (uint32_t)sizeof(connector_progress) - 1, 4097, UINT32_MAX};
  connector_progress progress;
  size_t i;
  answers(l.describe(NULL), CONNECTOR_E_INVALID_ARGUMENT, "Describe, NULL");
  answers(l.describe((void *)(forbidden + 1)), CONNECTOR_E_INVALID_ARGUMENT, "Describe, misaligned");
  answers(l.next(operation, 0, NULL), CONNECTOR_E_INVALID_ARGUMENT, "OperationNext, NULL");
  answers(l.next(operation, 0, (void *)(forbidden + 4)), CONNECTOR_E_INVALID_ARGUMENT, "OperationNext, misaligned");
  answers(l.progress(operation, NULL), CONNECTOR_E_INVALID_ARGUMENT, "OperationProgress, NULL");
  answers(l.progress(operation, (void *)(forbidden + 4)), CONNECTOR_E_INVALID_ARGUMENT, "OperationProgress, misaligned");
  answers(l.result(operation, NULL), CONNECTOR_E_INVALID_ARGUMENT, "OperationResult, NULL");
  answers(l.result(operation, (void *)(forbidden + 1)), CONNECTOR_E_INVALID_ARGUMENT, "OperationResult, misaligned");
  for (i = 0; i < 4; i++) {
    connector_batch batch = empty_batch();
    batch.struct_size = batch_sizes[i];
    answers(l.next(operation, 0, &batch), CONNECTOR_E_INVALID_ARGUMENT, "OperationNext, struct_size");
    holds(batch.struct_size == batch_sizes[i], "struct_size is the host's", "OperationNext");
    memset(&progress, 0, sizeof progress);
    progress.struct_size = progress_sizes[i];
    answers(l.progress(operation, &progress), CONNECTOR_E_INVALID_ARGUMENT, "OperationProgress, struct_size");
    holds(progress.struct_size == progress_sizes[i], "struct_size is the host's", "OperationProgress");
  }
  l.buffer_release(NULL);
  l.buffer_release((void *)(forbidden + 1));
}

/* To the end, with every call that is out of order on the way. */
static void whole_import(void) {
  connector_operation operation = start(&l, config, auth, NULL);
  connector_buffer json = {NULL, 0, NULL}, kept = {NULL, 0, NULL};
  connector_batch batch = empty_batch();
  connector_progress progress;
  connector_status status, again;
  unsigned long rows = 0;
  const char *of = "a whole import";
  memset(&progress, 0, sizeof progress);
  progress.struct_size = (uint32_t)sizeof progress;
  places(operation);
  answers(l.result(operation, &json), CONNECTOR_E_INVALID_STATE, "OperationResult before the end");
  holds(json.data == NULL, "the buffer is not empty", "OperationResult before the end");
  while ((status = l.next(operation, 250, &batch)) == CONNECTOR_OK || status == CONNECTOR_PENDING) {
    rows += (unsigned long)batch.row_count;
    l.buffer_release(&kept);
    kept = batch.rows; /* one is kept beyond its operation */
    l.buffer_release(&batch.checkpoint);
  }
  answers(status, CONNECTOR_END, of);
  holds(batch.rows.data == NULL && batch.row_count == 0 && batch.checkpoint.len > 0, "an END brings the watermark alone", of);
  l.buffer_release(&batch.checkpoint);
  again = l.next(operation, CONNECTOR_FOREVER, &batch);
  holds(again == CONNECTOR_END && batch.checkpoint.len > 0, "the END repeats", of);
  l.buffer_release(&batch.checkpoint);
  answers(l.cancel(operation), CONNECTOR_OK, "a cancel after the end");
  answers(l.progress(operation, &progress), CONNECTOR_OK, of);
  holds(progress.state == CONNECTOR_STATE_SUCCEEDED && progress.rows_delivered > 0, "the counters of a success", of);
  holds(rows >= progress.rows_delivered, "rows", of);
  answers(l.result(operation, &json), CONNECTOR_OK, of);
  holds(memmem(json.data, json.len, "Succeeded", 9) != NULL, "the result", of);
  answers(l.release(operation), CONNECTOR_OK, of);
  unknown(operation, "a released operation");
  unknown(0, "operation 0");
  unknown(1, "operation 1");
  unknown(UINT64_MAX, "operation UINT64_MAX");
  unknown(operation + 1, "an operation that is not there yet");
  unknown(operation ^ ((uint64_t)1 << 40), "an operation of another copy");
  /* Bytes outlive their operation. */
  holds(kept.len > 0 && kept.data[kept.len - 1] == '\n', "bytes are the host's until released", of);
  l.buffer_release(&kept);
  l.buffer_release(&json);
}

/* One batch of one row at a time, so that the library stands in the middle for as long as the host likes. */
static connector_operation held_import(void) {
  connector_options options = plain_options();
  options.max_batch_rows = 1;
  options.max_queued_batches = 1;
  return start(&l, config, auth, &options);
}

static void cancel_and_release(void) {
  connector_operation operation = held_import();
  connector_batch batch = empty_batch();
  unsigned long rows = 0;
  answers(pull(&l, operation, 3, &rows), CONNECTOR_OK, "three batches");
  answers(l.cancel(operation), CONNECTOR_OK, "a cancel in the middle");
  answers(l.cancel(operation), CONNECTOR_OK, "a second cancel");
  answers(l.next(operation, CONNECTOR_FOREVER, &batch), CONNECTOR_E_CANCELLED, "OperationNext after a cancel");
  answers(l.next(operation, 0, &batch), CONNECTOR_E_CANCELLED, "OperationNext after a cancel, again");
  answers(l.release(operation), CONNECTOR_OK, "release of a cancelled one");
  operation = held_import();
  answers(pull(&l, operation, 2, &rows), CONNECTOR_OK, "two batches");
  answers(l.release(operation), CONNECTOR_OK, "release without draining");
  unknown(operation, "released without draining");
  operation = held_import();
  answers(l.release(operation), CONNECTOR_OK, "release at once");
  operation = held_import();
  answers(l.cancel(operation), CONNECTOR_OK, "cancel at once");
  answers(l.release(operation), CONNECTOR_OK, "release after it");
}

/* ---- threads ---- */

struct shared {
  connector_operation operation;
  pthread_mutex_t lock;
  unsigned long wakes, lines;
  int released;
};

static void on_wake(void *user_data) {
  struct shared *s = user_data;
  pthread_mutex_lock(&s->lock);
  holds(!s->released, "a wake-up after OperationRelease had returned", "wake");
  s->wakes++;
  pthread_mutex_unlock(&s->lock);
}

static void on_log(void *user_data, uint32_t level, const char *message, size_t message_len) {
  struct shared *s = user_data;
  pthread_mutex_lock(&s->lock);
  holds(!s->released, "a log line after OperationRelease had returned", "log");
  holds(level >= CONNECTOR_LOG_ERROR && level <= CONNECTOR_LOG_DEBUG && memchr(message, 0, message_len) == NULL, "a line", "log");
  s->lines++;
  pthread_mutex_unlock(&s->lock);
}

/* Every function on one operation, in any order, until it is unknown. */
static void *careless(void *argument) {
  struct shared *s = argument;
  uint64_t random = (uint64_t)(uintptr_t)&random | 1;
  int unknown_seen = 0;
  while (!unknown_seen) {
    connector_batch batch = empty_batch();
    connector_progress progress;
    connector_buffer json = {NULL, 0, NULL};
    connector_status status = CONNECTOR_OK;
    memset(&progress, 0, sizeof progress);
    progress.struct_size = (uint32_t)sizeof progress;
    random ^= random << 13, random ^= random >> 7, random ^= random << 17;
    switch (random % 5) {
      case 0: status = l.next(s->operation, 0, &batch); break;
      case 1: status = l.next(s->operation, 3, &batch); break;
      case 2: status = l.progress(s->operation, &progress); break;
      case 3: status = l.result(s->operation, &json); break;
      default: status = l.describe(&json); break;
    }
    holds(status >= CONNECTOR_OK || status == CONNECTOR_E_BUSY || status == CONNECTOR_E_INVALID_STATE ||
              status == CONNECTOR_E_CANCELLED || status == CONNECTOR_E_INVALID_ARGUMENT,
          "an answer that does not belong here", "many threads");
    unknown_seen = status == CONNECTOR_E_INVALID_ARGUMENT;
    l.buffer_release(&batch.rows);
    l.buffer_release(&batch.checkpoint);
    l.buffer_release(&json);
  }
  return NULL;
}

static void many_threads(void) {
  int round;
  for (round = 0; round < 4; round++) {
    pthread_t threads[4];
    connector_options options = plain_options();
    connector_callbacks callbacks;
    struct shared s = {0, PTHREAD_MUTEX_INITIALIZER, 0, 0, 0};
    size_t i;
    memset(&callbacks, 0, sizeof callbacks);
    callbacks.struct_size = (uint32_t)sizeof callbacks;
    callbacks.max_log_level = CONNECTOR_LOG_DEBUG;
    callbacks.user_data = &s;
    callbacks.log = on_log;
    callbacks.wake = on_wake;
    options.callbacks = &callbacks;
    options.max_batch_rows = 5;
    s.operation = start(&l, config, auth, &options);
    for (i = 0; i < 4; i++)
      if (pthread_create(&threads[i], NULL, careless, &s) != 0) fail("no thread");
    pause_ms(10 * round);
    if (round % 2 == 1) answers(l.cancel(s.operation), CONNECTOR_OK, "a cancel among many threads");
    answers(l.release(s.operation), CONNECTOR_OK, "a release among many threads");
    pthread_mutex_lock(&s.lock);
    s.released = 1;
    pthread_mutex_unlock(&s.lock);
    answers(l.release(s.operation), CONNECTOR_E_INVALID_ARGUMENT, "a second release");
    for (i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  }
}

/* Only ever woken: after every Pending there is a wake-up, and in the end everything has come. */
static void woken(void) {
  connector_options options = plain_options();
  connector_callbacks callbacks;
  struct shared s = {0, PTHREAD_MUTEX_INITIALIZER, 0, 0, 0};
  connector_status status;
  unsigned long pendings = 0, waited;
  memset(&callbacks, 0, sizeof callbacks);
  callbacks.struct_size = (uint32_t)sizeof callbacks;
  callbacks.user_data = &s;
  callbacks.log = on_log;
  callbacks.wake = on_wake;
  options.callbacks = &callbacks;
  s.operation = start(&l, config, auth, &options);
  do {
    connector_batch batch = empty_batch();
    status = l.next(s.operation, 0, &batch);
    l.buffer_release(&batch.rows);
    l.buffer_release(&batch.checkpoint);
    if (status != CONNECTOR_PENDING) continue;
    pendings++;
    for (waited = 0; waited < 60000; waited++) {
      unsigned long wakes;
      pthread_mutex_lock(&s.lock);
      wakes = s.wakes;
      pthread_mutex_unlock(&s.lock);
      if (wakes == pendings) break;
      pause_ms(1);
    }
    holds(waited < 60000, "no wake-up follows a Pending", "wake");
  } while (status >= CONNECTOR_OK && status != CONNECTOR_END && waited < 60000);
  answers(status, CONNECTOR_END, "a host that is only woken");
  answers(l.release(s.operation), CONNECTOR_OK, "release of a woken one");
  holds(s.lines > 0, "no log line came", "log");
}

int main(int argc, char **argv) {
  connector_buffer json = {NULL, 0, NULL};
  char *config_text, *auth_text;
  if (argc != 5) fail("usage: misuse LIBRARY CONFIG_FILE AUTH_FILE long|short");
  l = load(argv[1]);
  config = config_text = slurp(argv[2]);
  auth = auth_text = slurp(argv[3]);
  forbidden = pages(1);
  holds(l.abi_version() == CONNECTOR_ABI_VERSION, "the version is the header's", "ConnectorAbiVersion");
  unknown(1, "an operation before the first one");
  starting();
  if (strcmp(argv[4], "long") == 0) long_texts();
  whole_import();
  cancel_and_release();
  woken();
  many_threads();
  starting();
  answers(l.describe(&json), CONNECTOR_OK, "Describe");
  l.buffer_release(&json);
  free(config_text);
  free(auth_text);
  return done("misuse");
}
