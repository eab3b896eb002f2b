/* Calls every function on a thread with a small stack, with documents that are deep, large or wrong.

   usage: small_stack LIBRARY CONFIG_FILE AUTH_FILE KIB [CONFIG_FILE AUTH_FILE WATERMARK_FILE]...
   The first two documents must lead to an import that succeeds; the others may be refused, and `-` means no watermark.
   A stack that is too small ends the process with SIGSEGV. Prints how the first import ended and what each start
   answered. */
#define _GNU_SOURCE
#include "host.h"
#include <limits.h>

static struct library l;
static int cases;
static char **texts; /* three for each case: ConfigJson, AuthJson, watermark or NULL */
static connector_status *started, ended;

static void log_line(void *user_data, uint32_t level, const char *message, size_t message_len) {
  (void)message;
  *(unsigned long *)user_data += level != 0 && message_len != 0;
}

/* Starts an operation and pulls it to its end. Answers the status of the start; that of the end goes to `last`. */
static connector_status one(ImportAsyncFn begin, char **documents, unsigned long *lines, connector_status *last) {
  connector_callbacks callbacks;
  connector_options options = plain_options();
  connector_operation operation = 0;
  connector_buffer text = {NULL, 0, NULL};
  connector_progress progress;
  connector_status status;
  unsigned long rows = 0;
  memset(&callbacks, 0, sizeof callbacks);
  callbacks.struct_size = (uint32_t)sizeof callbacks;
  callbacks.max_log_level = CONNECTOR_LOG_DEBUG;
  callbacks.user_data = lines;
  callbacks.log = log_line;
  options.callbacks = &callbacks;
  options.watermark = documents[2];
  options.watermark_len = documents[2] == NULL ? 0 : CONNECTOR_NUL_TERMINATED;
  status = begin(documents[0], CONNECTOR_NUL_TERMINATED, documents[1], CONNECTOR_NUL_TERMINATED, &options, &operation, &text);
  holds((status == CONNECTOR_OK) == (operation != 0) && (status == CONNECTOR_OK) == (text.len == 0),
        "an operation or an error text", "a start");
  l.buffer_release(&text);
  if (status != CONNECTOR_OK) return status;
  *last = pull(&l, operation, ULONG_MAX, &rows);
  memset(&progress, 0, sizeof progress);
  progress.struct_size = (uint32_t)sizeof progress;
  answers(l.progress(operation, &progress), CONNECTOR_OK, "progress");
  answers(l.result(operation, &text), CONNECTOR_OK, "a result");
  l.buffer_release(&text);
  answers(l.cancel(operation), CONNECTOR_OK, "a cancel");
  answers(l.release(operation), CONNECTOR_OK, "a release");
  return status;
}

static void *run(void *unused) {
  connector_buffer text = {NULL, 0, NULL};
  unsigned long lines = 0;
  connector_status last;
  int i;
  (void)unused;
  answers(l.describe(&text), CONNECTOR_OK, "Describe");
  l.buffer_release(&text);
  for (i = 0; i < cases; i++) {
    started[i] = one(l.import, texts + 3 * i, &lines, i == 0 ? &ended : &last);
    one(l.check, texts + 3 * i, &lines, &last);
  }
  answers(one(l.export_rows, texts, &lines, &last), CONNECTOR_E_NOT_SUPPORTED, "an export");
  holds(lines > 0, "no log line came", "small_stack");
  return NULL;
}

int main(int argc, char **argv) {
  pthread_attr_t attributes;
  pthread_t thread;
  int i, text;
  if (argc < 5 || (argc - 5) % 3 != 0) fail("usage: small_stack LIBRARY CONFIG_FILE AUTH_FILE KIB [FILE FILE FILE]...");
  alarm(240);
  cases = 1 + (argc - 5) / 3;
  texts = calloc((size_t)(3 * cases), sizeof *texts);
  started = calloc((size_t)cases, sizeof *started);
  if (texts == NULL || started == NULL) fail("memory");
  texts[0] = slurp(argv[2]);
  texts[1] = slurp(argv[3]);
  for (i = 0, text = 3; 5 + i < argc; i++, text++)
    texts[text] = strcmp(argv[5 + i], "-") == 0 ? NULL : slurp(argv[5 + i]);
  l = load(argv[1]);
  if (pthread_attr_init(&attributes) != 0) fail("pthread_attr_init");
  if (pthread_attr_setstacksize(&attributes, (size_t)atol(argv[4]) * 1024) != 0) fail("a stack of this size cannot be had");
  if (pthread_create(&thread, &attributes, run, NULL) != 0) fail("no thread");
  pthread_join(thread, NULL);
  pthread_attr_destroy(&attributes);
  holds(settle(1) == 1, "threads of the library are left", "small_stack");
  printf("{\"failed\":%lu,\"ended\":%d,\"started\":[", failures, (int)ended);
  for (i = 0; i < cases; i++) printf("%s%d", i == 0 ? "" : ",", (int)started[i]);
  printf("]}\n");
  for (i = 0; i < 3 * cases; i++) free(texts[i]);
  free(texts);
  free(started);
  return failures == 0 ? 0 : 1;
}
