/* Leaves the process in the middle of everything: operations run, a thread stands in OperationNext, nothing is
   released.

   usage: leave LIBRARY CONFIG_FILE AUTH_FILE HOW CODE
   HOW is `return` (main returns), `exit` (another thread calls exit) or `busy` (main returns while threads start
   operations). The process must end with CODE, by itself; an alarm ends one that hangs. */
#define _GNU_SOURCE
#include "host.h"

static struct library l;
static const char *config, *auth;
static int code;

static void *inside(void *argument) {
  connector_batch batch = empty_batch();
  connector_status status = CONNECTOR_OK;
  while (status == CONNECTOR_OK) {
    status = l.next(*(connector_operation *)argument, CONNECTOR_FOREVER, &batch);
    l.buffer_release(&batch.rows);
    l.buffer_release(&batch.checkpoint);
  }
  return NULL;
}

static void *starting(void *unused) {
  (void)unused;
  for (;;) {
    connector_operation operation = start(&l, config, auth, NULL);
    unsigned long rows = 0;
    pull(&l, operation, 1, &rows);
    l.release(operation);
  }
  return NULL;
}

static void *leaving(void *unused) {
  (void)unused;
  exit(code);
  return NULL;
}

int main(int argc, char **argv) {
  static connector_operation operations[3];
  connector_options narrow = plain_options();
  pthread_t thread;
  unsigned long rows = 0;
  int i;
  if (argc != 6) fail("usage: leave LIBRARY CONFIG_FILE AUTH_FILE HOW CODE");
  alarm(300);
  l = load(argv[1]);
  config = slurp(argv[2]);
  auth = slurp(argv[3]);
  code = atoi(argv[5]);
  narrow.max_batch_rows = 1;
  narrow.max_queued_batches = 1;
  for (i = 0; i < 3; i++) operations[i] = start(&l, config, auth, i == 2 ? &narrow : NULL);
  /* One thread waits inside, one worker stands before a full queue, one runs on. */
  if (pthread_create(&thread, NULL, inside, &operations[0]) != 0) fail("no thread");
  pull(&l, operations[2], 2, &rows);
  if (rows != 2) fail("no rows");
  if (strcmp(argv[4], "busy") == 0)
    for (i = 0; i < 2; i++)
      if (pthread_create(&thread, NULL, starting, NULL) != 0) fail("no thread");
  if (strcmp(argv[4], "exit") == 0) {
    if (pthread_create(&thread, NULL, leaving, NULL) != 0) fail("no thread");
    for (;;) pause_ms(1000);
  }
  return code;
}
