/* load -> import -> cancel at a random point -> release, many times; then threads and memory are counted.

   usage: soak LIBRARY CONFIG_FILE AUTH_FILE ROUNDS SEED
   Some rounds are drained, some cancelled first, some released where they stand. Memory is read three times with no
   operation alive and no thread left: at the start, after half of the rounds, at the end. What the allocator says is in
   use is exact and shows what a round leaves behind; the resident size shows what the system sees. */
#define _GNU_SOURCE
#include "host.h"
#include <malloc.h>

struct memory {
  unsigned long in_use, resident, threads;
};

static struct memory measure(void) {
  struct memory m;
  unsigned long pages = 0;
  FILE *file;
  m.threads = settle(1);
  m.in_use = (unsigned long)mallinfo2().uordblks;
  file = fopen("/proc/self/statm", "r");
  if (file == NULL || fscanf(file, "%*s %lu", &pages) != 1) fail("/proc/self/statm cannot be read");
  fclose(file);
  m.resident = pages * (unsigned long)sysconf(_SC_PAGESIZE);
  return m;
}

struct round {
  const char *path, *config, *auth;
  uint64_t random;
  unsigned long drained, cancelled, left;
};

static uint64_t roll(struct round *r, uint64_t sides) {
  r->random ^= r->random << 13;
  r->random ^= r->random >> 7;
  r->random ^= r->random << 17;
  return r->random % sides;
}

static void *one(void *argument) {
  struct round *r = argument;
  struct library l = load(r->path);
  connector_options options = plain_options();
  connector_operation operation;
  unsigned long rows = 0;
  uint64_t how = roll(r, 4), batches = roll(r, 40);
  options.max_batch_rows = 1 + (uint32_t)roll(r, 20);
  options.max_queued_batches = 1 + (uint32_t)roll(r, 4);
  operation = start(&l, r->config, r->auth, &options);
  if (roll(r, 3) == 0) pause_ms((long)roll(r, 30));
  if (how == 0) {
    answers(pull(&l, operation, UINT32_MAX, &rows), CONNECTOR_END, "a drained round");
    r->drained++;
  } else {
    connector_status status = pull(&l, operation, (unsigned long)batches, &rows);
    if (how == 1) {
      connector_batch batch = empty_batch();
      answers(l.cancel(operation), CONNECTOR_OK, "a cancel");
      if (status != CONNECTOR_END) answers(l.next(operation, CONNECTOR_FOREVER, &batch), CONNECTOR_E_CANCELLED, "after a cancel");
      r->cancelled++;
    } else {
      r->left++;
    }
  }
  answers(l.release(operation), CONNECTOR_OK, "a release");
  if (roll(r, 2) == 0) dlclose(l.handle);
  return NULL;
}

static void rounds(struct round *r, int count) {
  while (count-- > 0) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, one, r) != 0) fail("no thread");
    pthread_join(thread, NULL);
  }
}

int main(int argc, char **argv) {
  struct round r = {0};
  struct memory begin, half, end;
  char *config_text, *auth_text;
  int count;
  if (argc != 6) fail("usage: soak LIBRARY CONFIG_FILE AUTH_FILE ROUNDS SEED");
  /* One arena: with several, which thread got which would stand in the resident size. */
  mallopt(M_ARENA_MAX, 1);
  r.path = argv[1];
  r.config = config_text = slurp(argv[2]);
  r.auth = auth_text = slurp(argv[3]);
  count = atoi(argv[4]);
  r.random = strtoull(argv[5], NULL, 10) * 2654435761u + 1;
  begin = measure();
  rounds(&r, count / 2);
  half = measure();
  rounds(&r, count - count / 2);
  end = measure();
  free(config_text);
  free(auth_text);
  printf("{\"rounds\":%d,\"seed\":%s,\"drained\":%lu,\"cancelled\":%lu,\"left\":%lu,\"failed\":%lu,"
         "\"threads\":[%lu,%lu,%lu],\"inUse\":[%lu,%lu,%lu],\"resident\":[%lu,%lu,%lu]}\n",
         count, argv[5], r.drained, r.cancelled, r.left, failures, begin.threads, half.threads, end.threads,
         begin.in_use, half.in_use, end.in_use, begin.resident, half.resident, end.resident);
  return failures == 0 ? 0 : 1;
}
