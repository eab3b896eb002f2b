/* Loads, imports, releases in the middle and unloads, again and again, while workers still run.

   usage: unload LIBRARY CONFIG_FILE AUTH_FILE ROUNDS
   Each round in a thread that ends before the library is closed: for a thread that lives and has something to destroy,
   this C library keeps it mapped by itself. Others do not, and unmap it under a worker; so it must pin itself, and that
   is what is asked once no thread is left that could keep it. */
#define _GNU_SOURCE
#include "host.h"

static const char *path, *config, *auth;

static void *one_round(void *handle) {
  struct library l = load(path);
  connector_operation operation = start(&l, config, auth, NULL);
  unsigned long rows = 0;
  *(void **)handle = l.handle;
  pull(&l, operation, 1, &rows);
  holds(rows > 0, "no rows", "a round");
  answers(l.release(operation), CONNECTOR_OK, "OperationRelease");
  return NULL;
}

int main(int argc, char **argv) {
  char *config_text, *auth_text;
  void *handle = NULL;
  int round;
  if (argc != 5) fail("usage: unload LIBRARY CONFIG_FILE AUTH_FILE ROUNDS");
  path = argv[1];
  config = config_text = slurp(argv[2]);
  auth = auth_text = slurp(argv[3]);
  for (round = 0; round < atoi(argv[4]); round++) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, one_round, &handle) != 0) fail("no thread");
    pthread_join(thread, NULL);
    if (dlclose(handle) != 0) fail(dlerror());
  }
  settle(1);
  handle = load(path).handle;
  dlclose(handle);
  handle = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
  if (holds(handle != NULL, "it is unmapped when nobody holds it", "a library that pins itself")) dlclose(handle);
  free(config_text);
  free(auth_text);
  return done("unload");
}
