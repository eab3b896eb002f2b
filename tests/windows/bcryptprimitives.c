/* A stand-in for one system library that Wine 8 does not have and every Windows has: Rust's standard library takes the
   seeds of its hash maps from it. Test only: .ci/windows puts it into the system folder of its own Wine.

   Build:  x86_64-w64-mingw32-gcc -shared bcryptprimitives.c -o bcryptprimitives.dll -ladvapi32 */
#include <windows.h>

/* RtlGenRandom by its real name. */
BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length) {
  while (length > 0) {
    ULONG part = length > 0x10000 ? 0x10000 : (ULONG)length;
    if (!SystemFunction036(data, part)) return FALSE;
    data += part;
    length -= part;
  }
  return TRUE;
}
