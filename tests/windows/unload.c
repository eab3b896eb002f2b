/* A Windows host that frees the library's handle again and again, as no host should, also while an import runs.

   usage: unload LIBRARY CONFIG_FILE AUTH_FILE
   Ends with 0, or names on stderr what did not hold and ends with 1. That the loader does unmap a library nobody holds
   is asked first, of the same library before its first use: else the rest would prove nothing.
   Build:  x86_64-w64-mingw32-gcc -std=c99 -I include tests/windows/unload.c -o unload.exe */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include "connector.h"

static const char *path;

static void fail(const char *what) {
  fprintf(stderr, "FAILED %s\n", what);
  exit(1);
}

static HMODULE load(void) {
  HMODULE library = LoadLibraryA(path);
  if (library == NULL) fail("LoadLibrary");
  return library;
}

static void resolve(HMODULE library, const char *name, void *slot) {
  FARPROC symbol = GetProcAddress(library, name);
  if (symbol == NULL) fail(name);
  memcpy(slot, &symbol, sizeof symbol);
}

/* More often than it was loaded. */
static void unload(HMODULE library) {
  int round;
  for (round = 0; round < 8; round++) FreeLibrary(library);
}

static char *slurp(const char *name) {
  FILE *file = fopen(name, "rb");
  char *text = calloc(1, 65536);
  if (file == NULL || text == NULL || fread(text, 1, 65535, file) == 0) fail(name);
  fclose(file);
  return text;
}

int main(int argc, char **argv) {
  ConnectorAbiVersionFn version;
  DescribeFn describe;
  ImportAsyncFn import;
  OperationNextFn next;
  OperationReleaseFn release;
  BufferReleaseFn buffer_release;
  connector_buffer text = {NULL, 0, NULL};
  connector_operation operation = 0, abandoned = 0;
  connector_batch batch;
  connector_status status;
  unsigned long long rows = 0;
  char *config, *auth;
  HMODULE library;
  if (argc != 4) fail("usage: unload LIBRARY CONFIG_FILE AUTH_FILE");
  path = argv[1];
  config = slurp(argv[2]);
  auth = slurp(argv[3]);

  library = load();
  resolve(library, "ConnectorAbiVersion", &version);
  if (version() >> 16 != CONNECTOR_ABI_MAJOR) fail("another contract");
  FreeLibrary(library);
  if (GetModuleHandleA("EntraId.dll") != NULL) fail("the loader never unmaps anything: this program proves nothing here");

  library = load();
  resolve(library, "Describe", &describe);
  resolve(library, "ImportAsync", &import);
  resolve(library, "OperationNext", &next);
  resolve(library, "OperationRelease", &release);
  resolve(library, "BufferRelease", &buffer_release);
  if (describe(&text) != CONNECTOR_OK) fail("Describe");
  unload(library);
  if (GetModuleHandleA("EntraId.dll") != library) fail("unmapped after its first use");
  buffer_release(&text);
  if (describe(&text) != CONNECTOR_OK || text.len == 0) fail("Describe after FreeLibrary");
  buffer_release(&text);

  /* One that is let go with its worker running, one that is pulled to its end; the handle is freed under both. */
  if (import(config, CONNECTOR_NUL_TERMINATED, auth, CONNECTOR_NUL_TERMINATED, NULL, &abandoned, &text) != CONNECTOR_OK ||
      import(config, CONNECTOR_NUL_TERMINATED, auth, CONNECTOR_NUL_TERMINATED, NULL, &operation, &text) != CONNECTOR_OK)
    fail("an import does not start");
  unload(library);
  release(abandoned);
  memset(&batch, 0, sizeof batch);
  batch.struct_size = (uint32_t)sizeof batch;
  do {
    unload(library);
    status = next(operation, 250, &batch);
    if (status == CONNECTOR_OK) rows += batch.row_count;
    buffer_release(&batch.rows);
    buffer_release(&batch.checkpoint);
  } while (status == CONNECTOR_OK || status == CONNECTOR_PENDING);
  release(operation);
  if (status != CONNECTOR_END || rows == 0) fail("the import under FreeLibrary did not end well");
  printf("%llu rows with the handle freed\n", rows);
  return 0;
}
