/* A wake-up that takes a mutex, and a host that holds this mutex while it cancels and while it releases.

   usage: wake LIBRARY CONFIG_FILE AUTH_FILE
   The tenant must be silent, so that every wake-up is due to the call that is tested. A wake-up on the thread that
   holds the mutex would never return; an alarm ends the process then. */
#define _GNU_SOURCE
#include "host.h"

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t woken = PTHREAD_COND_INITIALIZER;
static pthread_t host_thread;
static unsigned long calls, calls_on_host_thread;

static void wake(void *user_data) {
  (void)user_data;
  pthread_mutex_lock(&held);
  calls++;
  calls_on_host_thread += pthread_equal(pthread_self(), host_thread) != 0;
  pthread_cond_signal(&woken);
  pthread_mutex_unlock(&held);
}

/* An operation that has answered PENDING. */
static connector_operation pending(const struct library *l, const char *config, const char *auth) {
  connector_callbacks callbacks;
  connector_options options = plain_options();
  connector_batch batch = empty_batch();
  connector_operation operation;
  memset(&callbacks, 0, sizeof callbacks);
  callbacks.struct_size = (uint32_t)sizeof callbacks;
  callbacks.wake = wake;
  options.callbacks = &callbacks;
  operation = start(l, config, auth, &options);
  answers(l->next(operation, 0, &batch), CONNECTOR_PENDING, "a silent tenant");
  return operation;
}

int main(int argc, char **argv) {
  struct library l;
  char *config, *auth;
  connector_batch batch = empty_batch();
  connector_operation operation;
  int round;
  if (argc != 4) fail("usage: wake LIBRARY CONFIG_FILE AUTH_FILE");
  alarm(120);
  host_thread = pthread_self();
  l = load(argv[1]);
  config = slurp(argv[2]);
  auth = slurp(argv[3]);

  for (round = 1; round <= 20; round++) {
    operation = pending(&l, config, auth);
    pthread_mutex_lock(&held);
    answers(l.cancel(operation), CONNECTOR_OK, "a cancel under the lock that wake takes");
    while (calls < (unsigned long)round) pthread_cond_wait(&woken, &held);
    pthread_mutex_unlock(&held);
    answers(l.next(operation, CONNECTOR_FOREVER, &batch), CONNECTOR_E_CANCELLED, "after the cancel");
    answers(l.release(operation), CONNECTOR_OK, "a release after the wake-up");
  }
  holds(calls == 20, "each cancel brings one wake-up", "wake");

  for (round = 0; round < 20; round++) {
    operation = pending(&l, config, auth);
    pthread_mutex_lock(&held);
    answers(l.release(operation), CONNECTOR_OK, "a release under the lock that wake takes");
    pthread_mutex_unlock(&held);
  }
  /* Every thread of the library has ended by then, so nothing can follow. */
  holds(settle(1) == 1, "threads of the library are left", "wake");
  holds(calls == 20, "a release brings no wake-up", "wake");
  holds(calls_on_host_thread == 0, "wake runs on threads of the library only", "wake");
  free(config);
  free(auth);
  return done("wake");
}
