/* A forked child: every function answers, none hangs, none touches what the parent's threads held when it was forked.

   usage: fork LIBRARY CONFIG_FILE AUTH_FILE FORKS
   First a fork before the library was used, whose child may use it like any process. Then the parent keeps threads
   inside the library all the time and forks among them; each child has five minutes. Children end with _exit where they
   only ask, and one with exit, which runs whatever the library left for the end of a process. Leaks are not judged in a
   child: what only the parent's other threads pointed to is lost there, whoever wrote the library. */
#define _GNU_SOURCE
#include "host.h"
#include <sys/wait.h>
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_CLO_CHANGE(option) ((void)0)
#endif

static int in_child;

/* Asked by the leak sanitizer at the end of a process, where there is one. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void) {
  return in_child;
}

/* fork, and in the child: a time limit, and no leak check. */
static pid_t fork_one(void) {
  pid_t child = fork();
  if (child != 0) return child;
  alarm(300);
  in_child = 1;
  VALGRIND_CLO_CHANGE("--leak-check=no");
  return 0;
}

static struct library l;
static const char *config, *auth;
static volatile int over;

/* The child's own checks: those of host.h take a lock that another thread may have held at the fork. */
static int wrong;

static void child_holds(int condition, const char *what) {
  if (condition) return;
  wrong = 1;
  fprintf(stderr, "FAILED in the child: %s\n", what);
}

static void all_refused(connector_operation operation, connector_buffer *lent) {
  connector_operation started = 77;
  connector_buffer json = {(const uint8_t *)"x", 1, NULL}, error = {(const uint8_t *)"x", 1, NULL};
  connector_batch batch = empty_batch();
  connector_progress progress;
  ImportAsyncFn starts[3];
  size_t i;
  const size_t n = CONNECTOR_NUL_TERMINATED;
  starts[0] = l.import;
  starts[1] = l.check;
  starts[2] = l.export_rows;
  memset(&progress, 0, sizeof progress);
  progress.struct_size = (uint32_t)sizeof progress;
  child_holds(l.abi_version() == CONNECTOR_ABI_VERSION, "ConnectorAbiVersion answers as ever");
  child_holds(l.describe(&json) == CONNECTOR_E_INVALID_STATE && json.data == NULL, "Describe");
  for (i = 0; i < 3; i++) {
    started = 77;
    child_holds(starts[i](config, n, auth, n, NULL, &started, &error) == CONNECTOR_E_INVALID_STATE, "a start");
    child_holds(started == 0, "a start answers operation 0");
    child_holds(error.len > 0 && memmem(error.data, error.len, "forked", 6) != NULL, "a start says why");
    l.buffer_release(&error);
  }
  /* Also of operation 0: that it is unknown must not be found out, since the table has a lock. */
  for (i = 0; i < 2; i++) {
    connector_operation asked = i == 0 ? operation : 0;
    batch.rows.data = json.data = (const uint8_t *)"x";
    child_holds(l.next(asked, CONNECTOR_FOREVER, &batch) == CONNECTOR_E_INVALID_STATE, "OperationNext");
    child_holds(batch.rows.data == NULL, "OperationNext leaves an empty batch");
    child_holds(l.cancel(asked) == CONNECTOR_E_INVALID_STATE, "OperationCancel");
    child_holds(l.progress(asked, &progress) == CONNECTOR_E_INVALID_STATE, "OperationProgress");
    child_holds(l.result(asked, &json) == CONNECTOR_E_INVALID_STATE && json.data == NULL, "OperationResult");
    child_holds(l.release(asked) == CONNECTOR_E_INVALID_STATE, "OperationRelease");
  }
  child_holds(l.describe(NULL) == CONNECTOR_E_INVALID_STATE, "Describe of NULL");
  l.buffer_release(NULL);
  l.buffer_release(&json);
  l.buffer_release(lent); /* the child's copy of what the parent was lent */
  child_holds(lent->data == NULL, "BufferRelease empties the struct");
}

static int ended_well(pid_t child, const char *of) {
  int status;
  if (waitpid(child, &status, 0) != child) fail("waitpid");
  if (WIFSIGNALED(status)) fprintf(stderr, "signal %d%s\n", WTERMSIG(status), WTERMSIG(status) == SIGALRM ? ": it hangs" : "");
  return holds(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child did not end well", of);
}

/* Inside OperationNext for as long as it can be. */
static void *waiting(void *argument) {
  unsigned long rows = 0;
  connector_batch batch = empty_batch();
  connector_status status = CONNECTOR_OK;
  while (status == CONNECTOR_OK) {
    status = l.next(*(connector_operation *)argument, CONNECTOR_FOREVER, &batch);
    rows += (unsigned long)batch.row_count;
    l.buffer_release(&batch.rows);
    l.buffer_release(&batch.checkpoint);
  }
  answers(status, CONNECTOR_E_CANCELLED, "the parent's OperationNext");
  return NULL;
}

/* In and out of every lock there is. */
static void *busy(void *unused) {
  (void)unused;
  while (!over) {
    connector_buffer json = {NULL, 0, NULL};
    connector_operation operation = start(&l, config, auth, NULL);
    l.describe(&json);
    l.buffer_release(&json);
    l.cancel(operation);
    l.release(operation);
  }
  return NULL;
}

int main(int argc, char **argv) {
  connector_buffer lent = {NULL, 0, NULL};
  connector_operation operation;
  pthread_t threads[3];
  unsigned long rows = 0;
  int i, forks;
  pid_t child;
  char *config_text, *auth_text;
  if (argc != 5) fail("usage: fork LIBRARY CONFIG_FILE AUTH_FILE FORKS");
  l = load(argv[1]);
  config = config_text = slurp(argv[2]);
  auth = auth_text = slurp(argv[3]);
  forks = atoi(argv[4]);

  holds(l.abi_version() == CONNECTOR_ABI_VERSION, "asking for the version is no use", "ConnectorAbiVersion");
  child = fork_one();
  if (child == 0) {
    operation = start(&l, config, auth, NULL);
    child_holds(pull(&l, operation, UINT32_MAX, &rows) == CONNECTOR_END, "a child forked before the first use imports");
    child_holds(l.release(operation) == CONNECTOR_OK, "and releases");
    _exit(wrong);
  }
  ended_well(child, "a fork before the first use");

  operation = start(&l, config, auth, NULL);
  answers(l.describe(&lent), CONNECTOR_OK, "Describe");
  if (pthread_create(&threads[0], NULL, waiting, &operation) != 0) fail("no thread");
  for (i = 1; i < 3; i++)
    if (pthread_create(&threads[i], NULL, busy, NULL) != 0) fail("no thread");
  for (i = 0; i < forks; i++) {
    child = fork_one();
    if (child == 0) {
      all_refused(operation, &lent);
      if (i == 0) exit(wrong);
      _exit(wrong);
    }
    if (!ended_well(child, "a fork among threads")) break;
  }
  over = 1;
  answers(l.cancel(operation), CONNECTOR_OK, "the parent goes on");
  for (i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  answers(l.release(operation), CONNECTOR_OK, "the parent goes on");
  l.buffer_release(&lent);
  free(config_text);
  free(auth_text);
  return done("fork");
}
