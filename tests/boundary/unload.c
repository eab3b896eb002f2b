/* Loads, imports, releases in the middle and unloads, again and again, while workers still run.

   usage: unload LIBRARY CONFIG_FILE AUTH_FILE ROUNDS
   Each round in a thread that ends: on a thread that lives, the C library keeps a library mapped for its destructors, and
   nothing would be tested. A library that does not pin itself is unmapped under its own worker, and this process dies. */
#define _GNU_SOURCE
#include "host.h"

static const char *path, *config, *auth;

static void *one_round(void *unused) {
  struct library l = load(path);
  connector_operation operation = start(&l, config, auth, NULL);
  unsigned long rows = 0;
  (void)unused;
  pull(&l, operation, 1, &rows);
  holds(rows > 0, "no rows", "a round");
  answers(l.release(operation), CONNECTOR_OK, "OperationRelease");
  if (dlclose(l.handle) != 0) fail(dlerror());
  return NULL;
}

int main(int argc, char **argv) {
  char *config_text, *auth_text;
  int round;
  if (argc != 5) fail("usage: unload LIBRARY CONFIG_FILE AUTH_FILE ROUNDS");
  path = argv[1];
  config = config_text = slurp(argv[2]);
  auth = auth_text = slurp(argv[3]);
  for (round = 0; round < atoi(argv[4]); round++) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, one_round, NULL) != 0) fail("no thread");
    pthread_join(thread, NULL);
  }
  settle(1);
  free(config_text);
  free(auth_text);
  return done("unload");
}
