/* Two copies of the library under two names in one process: two connectors that know nothing of each other.

   usage: copies LIBRARY CONFIG_FILE AUTH_FILE OTHER_LIBRARY */
#define _GNU_SOURCE
#include "host.h"

static const char *config, *auth;

struct importing {
  const struct library *l;
  unsigned long rows;
};

static void *import_whole(void *argument) {
  struct importing *i = argument;
  connector_operation operation = start(i->l, config, auth, NULL);
  answers(pull(i->l, operation, UINT32_MAX, &i->rows), CONNECTOR_END, "an import side by side");
  answers(i->l->release(operation), CONNECTOR_OK, "its release");
  return NULL;
}

static void unknown_to(const struct library *l, connector_operation operation) {
  connector_batch batch = empty_batch();
  connector_buffer json = {NULL, 0, NULL};
  answers(l->next(operation, 0, &batch), CONNECTOR_E_INVALID_ARGUMENT, "the other copy's operation");
  answers(l->cancel(operation), CONNECTOR_E_INVALID_ARGUMENT, "the other copy's operation");
  answers(l->result(operation, &json), CONNECTOR_E_INVALID_ARGUMENT, "the other copy's operation");
  answers(l->release(operation), CONNECTOR_E_INVALID_ARGUMENT, "the other copy's operation");
}

int main(int argc, char **argv) {
  struct library libraries[2];
  struct importing imports[2];
  connector_operation held[2];
  pthread_t threads[2];
  char *config_text, *auth_text;
  int i, round;
  if (argc != 5) fail("usage: copies LIBRARY CONFIG_FILE AUTH_FILE OTHER_LIBRARY");
  config = config_text = slurp(argv[2]);
  auth = auth_text = slurp(argv[3]);
  libraries[0] = load(argv[1]);
  libraries[1] = load(argv[4]);
  holds(libraries[0].next != libraries[1].next, "both names are one library", "copies");
  holds(dlsym(RTLD_DEFAULT, "ImportAsync") == NULL, "a name of one is visible to all", "copies");
  for (i = 0; i < 2; i++) held[i] = start(&libraries[i], config, auth, NULL);
  for (i = 0; i < 2; i++) unknown_to(&libraries[i], held[1 - i]);
  for (round = 0; round < 3; round++) {
    for (i = 0; i < 2; i++) {
      imports[i].l = &libraries[i];
      imports[i].rows = 0;
      if (pthread_create(&threads[i], NULL, import_whole, &imports[i]) != 0) fail("no thread");
    }
    for (i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    holds(imports[0].rows == imports[1].rows && imports[0].rows > 0, "both deliver the same", "copies");
  }
  for (i = 0; i < 2; i++) answers(libraries[i].release(held[i]), CONNECTOR_OK, "each its own");
  free(config_text);
  free(auth_text);
  return done("copies");
}
