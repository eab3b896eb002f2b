/* Imports from a server that closes its connections, with the default disposition of every signal.

   usage: closing LIBRARY CONFIG_FILE AUTH_FILE
   The server decides how the import ends; this program must end with 0 and say so. A signal that a write to a closed
   connection raises would end it instead: nothing here ignores, blocks or handles one. */
#define _GNU_SOURCE
#include "host.h"
#include <signal.h>

int main(int argc, char **argv) {
  struct library l;
  char *config, *auth;
  connector_operation operation;
  connector_status status;
  unsigned long rows = 0;
  sigset_t none;
  if (argc != 4) fail("usage: closing LIBRARY CONFIG_FILE AUTH_FILE");
  alarm(240);
  /* What the parent process left may differ from what a program finds that a shell started. */
  if (signal(SIGPIPE, SIG_DFL) == SIG_ERR) fail("signal");
  sigemptyset(&none);
  if (pthread_sigmask(SIG_SETMASK, &none, NULL) != 0) fail("pthread_sigmask");
  l = load(argv[1]);
  config = slurp(argv[2]);
  auth = slurp(argv[3]);
  operation = start(&l, config, auth, NULL);
  status = pull(&l, operation, UINT32_MAX, &rows);
  /* Connections are closed while the last threads end. */
  answers(l.release(operation), CONNECTOR_OK, "a release");
  holds(settle(1) == 1, "threads of the library are left", "closing");
  free(config);
  free(auth);
  printf("{\"status\":%d,\"failed\":%lu}\n", (int)status, failures);
  return failures == 0 ? 0 : 1;
}
