/* Connector contract, ABI 1.0. Generated from include/abi/ by build.rs: do not edit.

   64-bit targets only. All text is UTF-8. Load with dlopen(RTLD_NOW | RTLD_LOCAL) or LoadLibrary, by full path, and
   never unload: the library pins itself, so freeing the handle is allowed and has no effect. Do not use it after fork()
   in the child.

   Life of an operation: ConnectorAbiVersion, then Describe at any time; ImportAsync or CheckAsync -> OperationNext
   until it answers CONNECTOR_END, CONNECTOR_END_PARTIAL or a negative value -> OperationResult -> OperationRelease,
   exactly once for every operation that was started, also after a failure. Leaving the process without it is allowed.

   Every function may be called from any thread; OperationNext by one thread at a time for each operation. No error, no
   panic and no unknown handle harms the host process.

   The records (NDJSON) and JSON texts are described in docs/contract.md. */

#ifndef CONNECTOR_H
#define CONNECTOR_H

#include <stddef.h>
#include <stdint.h>

#define CONNECTOR_API extern

#define CONNECTOR_ABI_MAJOR 1u
#define CONNECTOR_ABI_MINOR 0u
/* (major << 16) | minor, as ConnectorAbiVersion answers it. */
#define CONNECTOR_ABI_VERSION ((CONNECTOR_ABI_MAJOR << 16) | CONNECTOR_ABI_MINOR)

/* As a length: the text ends at its first NUL. */
#define CONNECTOR_NUL_TERMINATED ((size_t)-1)
/* As a timeout in milliseconds: no limit. */
#define CONNECTOR_FOREVER UINT32_MAX
/* The longest text a host may pass, in bytes: 16 MiB each. CONNECTOR_NUL_TERMINATED is the one length above it that is
   no error; a NUL-terminated text is searched this far and no further. */
#define CONNECTOR_MAX_INPUT ((size_t)16 * 1024 * 1024)

/* Statuses. Not negative: success. Negative: failure; treat an unknown one as CONNECTOR_E_INTERNAL. */
#define CONNECTOR_OK                    ((connector_status)0)
#define CONNECTOR_END                   ((connector_status)1)   /* OperationNext: finished, everything was delivered */
#define CONNECTOR_PENDING               ((connector_status)2)   /* OperationNext: nothing within timeout_ms */
#define CONNECTOR_END_PARTIAL           ((connector_status)3)   /* OperationNext: ended in order, but not everything was delivered */
#define CONNECTOR_E_INVALID_ARGUMENT    ((connector_status)-1)  /* null, bad UTF-8, bad length, bad struct_size, unknown or released operation */
#define CONNECTOR_E_NOT_SUPPORTED       ((connector_status)-2)  /* ExportAsync of an import-only connector; an option it lacks */
#define CONNECTOR_E_INVALID_CONFIG      ((connector_status)-3)  /* ConfigJson or AuthJson; the error JSON lists every mistake */
#define CONNECTOR_E_INVALID_WATERMARK   ((connector_status)-4)  /* not this connector's, or another tenant; import without it */
#define CONNECTOR_E_WATERMARK_EXPIRED   ((connector_status)-5)  /* the service dropped it; import without it */
#define CONNECTOR_E_AUTH                ((connector_status)-6)  /* no token */
#define CONNECTOR_E_FORBIDDEN           ((connector_status)-7)  /* token works, permission is missing */
#define CONNECTOR_E_THROTTLED           ((connector_status)-8)  /* still throttled after the last retry */
#define CONNECTOR_E_NETWORK             ((connector_status)-9)  /* DNS, connect, TLS, reset, timeout */
#define CONNECTOR_E_SERVICE             ((connector_status)-10) /* 5xx, or an answer that cannot be read */
#define CONNECTOR_E_CANCELLED           ((connector_status)-11)
#define CONNECTOR_E_BUSY                ((connector_status)-12) /* another thread is inside OperationNext of this operation */
#define CONNECTOR_E_INVALID_STATE       ((connector_status)-13) /* forked after first use; result asked for too early */
#define CONNECTOR_E_OUT_OF_MEMORY       ((connector_status)-14) /* no thread to be had; an allocation that fails ends the process */
#define CONNECTOR_E_INTERNAL            ((connector_status)-15) /* a bug in the connector, caught; the host is unharmed */
#define CONNECTOR_E_TOO_MANY_DELETES    ((connector_status)-16) /* more deletes than the configuration allows */

#define CONNECTOR_LOG_ERROR 1u
#define CONNECTOR_LOG_WARN  2u
#define CONNECTOR_LOG_INFO  3u
#define CONNECTOR_LOG_DEBUG 4u

/* connector_progress.state */
#define CONNECTOR_STATE_RUNNING   0u
#define CONNECTOR_STATE_SUCCEEDED 1u
#define CONNECTOR_STATE_FAILED    2u
#define CONNECTOR_STATE_CANCELLED 3u
#define CONNECTOR_STATE_PARTIAL   4u

/*
 A result: not negative is success, negative is failure. A host treats an unknown negative value as
 CONNECTOR_E_INTERNAL; no non-negative value will be added within a major version.
 */
typedef int32_t connector_status;

/*
 Bytes owned by the connector: give them back with BufferRelease, once, from any thread, also after the operation is
 gone. Not NUL-terminated. Zero-initialise before use; {NULL, 0, NULL} is the empty buffer.
 */
typedef struct connector_buffer {
  /*
   The bytes, or NULL when empty.
   */
  const uint8_t *data;
  /*
   How many.
   */
  size_t len;
  /*
   Private to the connector.
   */
  void *owner;
} connector_buffer;

/*
 Receives one log line on a host thread that is inside a function of this contract; `message` is valid during the
 call only. Must not throw, unwind, longjmp or call back into the connector.
 */
typedef void (*connector_log_fn)(void *user_data, uint32_t level, const char *message, size_t message_len);

/*
 Says that OperationNext has something now: a batch, the end, an error or a cancel. Called on a thread of the
 connector and on no thread of the host, also after OperationCancel; at most once for each CONNECTOR_PENDING
 returned; never after OperationRelease has returned. Do nothing in it but set an event. Must not throw, unwind,
 longjmp or call back into the connector.
 */
typedef void (*connector_wake_fn)(void *user_data);

/*
 Callbacks of the host; every member but the size may be zero. Copied while the operation is started; `user_data`
 must stay valid until OperationRelease has returned.
 */
typedef struct connector_callbacks {
  /*
   `sizeof(connector_callbacks)` in the host's build.
   */
  uint32_t struct_size;
  /*
   Lines above this level are not made. 0 means CONNECTOR_LOG_INFO.
   */
  uint32_t max_log_level;
  /*
   Handed back to both callbacks.
   */
  void *user_data;
  /*
   Log lines, on the host's own threads.
   */
  connector_log_fn log;
  /*
   Wake-up for hosts that do not wait inside OperationNext.
   */
  connector_wake_fn wake;
} connector_callbacks;

/*
 How an operation is run. NULL in its place means all defaults and a full import.
 */
typedef struct connector_options {
  /*
   `sizeof(connector_options)` in the host's build.
   */
  uint32_t struct_size;
  /*
   0. Anything else is answered with CONNECTOR_E_NOT_SUPPORTED.
   */
  uint32_t flags;
  /*
   From an earlier checkpoint, byte for byte; NULL or length 0: full import.
   */
  const char *watermark;
  /*
   Its length in bytes, or CONNECTOR_NUL_TERMINATED.
   */
  size_t watermark_len;
  /*
   Records in a batch at most; 0: 1000.
   */
  uint32_t max_batch_rows;
  /*
   Bytes in a batch at most; 0: 1 MiB. One larger record is delivered alone.
   */
  uint32_t max_batch_bytes;
  /*
   Batches that may wait for the host; 0: 4. The connector stops reading when it is reached.
   */
  uint32_t max_queued_batches;
  /*
   0.
   */
  uint32_t reserved;
  /*
   Callbacks of the host, or NULL.
   */
  const struct connector_callbacks *callbacks;
} connector_options;

/*
 A running or finished operation. 0 is never valid; values are never reused in a process, so a stale one is answered
 with CONNECTOR_E_INVALID_ARGUMENT.
 */
typedef uint64_t connector_operation;

/*
 One batch of records. OperationNext overwrites `rows` and `checkpoint` without releasing what stood there: release
 both before the next call. Both are empty on CONNECTOR_PENDING and on errors, `rows` is empty on both ENDs.
 */
typedef struct connector_batch {
  /*
   In: `sizeof(connector_batch)` in the host's build.
   */
  uint32_t struct_size;
  /*
   0.
   */
  uint32_t reserved;
  /*
   0, 1, 2, ... within the operation.
   */
  uint64_t sequence;
  /*
   Records in `rows`.
   */
  uint64_t row_count;
  /*
   NDJSON: `row_count` objects, each followed by one LF.
   */
  struct connector_buffer rows;
  /*
   Empty, or a watermark that is good once everything up to and including this batch is stored. At most 256 KiB.
   */
  struct connector_buffer checkpoint;
} connector_batch;

/*
 Counters of an operation, at one moment.
 */
typedef struct connector_progress {
  /*
   In: `sizeof(connector_progress)` in the host's build.
   */
  uint32_t struct_size;
  /*
   One of CONNECTOR_STATE_RUNNING, _SUCCEEDED, _FAILED, _CANCELLED, _PARTIAL.
   */
  uint32_t state;
  /*
   Upserts and Deletes made so far.
   */
  uint64_t rows_fetched;
  /*
   Upserts and Deletes handed to the host so far.
   */
  uint64_t rows_delivered;
  /*
   Requests sent to the service, retries included, token requests not.
   */
  uint64_t requests;
  /*
   Of these, how many repeated one that had failed.
   */
  uint64_t retries;
  /*
   Time for which the service told the connector to wait, in milliseconds.
   */
  uint64_t throttled_ms;
  /*
   Bytes of answers, after decompression.
   */
  uint64_t bytes_received;
  /*
   Since the operation was started, in milliseconds; stands still once it is over.
   */
  uint64_t elapsed_ms;
  /*
   Upserts and Deletes expected in all; 0: unknown.
   */
  uint64_t total_rows_estimate;
} connector_progress;

/*
 Type of ConnectorAbiVersion.
 */
typedef uint32_t (*ConnectorAbiVersionFn)(void);

/*
 Type of Describe.
 */
typedef connector_status (*DescribeFn)(struct connector_buffer *out_json);

/*
 Type of ImportAsync.
 */
typedef connector_status (*ImportAsyncFn)(const char *config_json,
                                          size_t config_json_len,
                                          const char *auth_json,
                                          size_t auth_json_len,
                                          const struct connector_options *options,
                                          connector_operation *out_operation,
                                          struct connector_buffer *out_error_json);

/*
 Type of ExportAsync.
 */
typedef ImportAsyncFn ExportAsyncFn;

/*
 Type of CheckAsync.
 */
typedef ImportAsyncFn CheckAsyncFn;

/*
 Type of OperationNext.
 */
typedef connector_status (*OperationNextFn)(connector_operation operation,
                                            uint32_t timeout_ms,
                                            struct connector_batch *out_batch);

/*
 Type of OperationCancel.
 */
typedef connector_status (*OperationCancelFn)(connector_operation operation);

/*
 Type of OperationProgress.
 */
typedef connector_status (*OperationProgressFn)(connector_operation operation,
                                                struct connector_progress *out_progress);

/*
 Type of OperationResult.
 */
typedef connector_status (*OperationResultFn)(connector_operation operation, struct connector_buffer *out_json);

/*
 Type of OperationRelease.
 */
typedef connector_status (*OperationReleaseFn)(connector_operation operation);

/*
 Type of BufferRelease.
 */
typedef void (*BufferReleaseFn)(struct connector_buffer *buffer);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/*
 (major << 16) | minor of the contract the library implements. Call it first and refuse another major version,
 naming both.

 Ownership: nothing is allocated. Threads: any. Returns: never fails.
 */
extern uint32_t ConnectorAbiVersion(void);

/*
 What the connector is: name, version, capabilities, JSON Schemas of ConfigJson and AuthJson, object types with
 their attributes and permissions, as one JSON text. No I/O.

 Ownership: release *out_json. Threads: any. Returns: CONNECTOR_OK; CONNECTOR_E_INVALID_ARGUMENT for NULL.
 */
extern connector_status Describe(struct connector_buffer *out_json);

/*
 Starts an import and returns at once, without network I/O. Faults that need no network come back here with
 *out_operation 0 and an error JSON; all others come out of OperationNext and OperationResult. A thread of the
 connector reads the documents while this one waits, so 64 KiB of stack are enough for the caller.

 Ownership: all inputs are copied; each non-zero operation needs one OperationRelease; release *out_error_json
 (it may be NULL when the text is not wanted). A length must not go beyond the caller's own buffer.
 Threads: any. Returns: CONNECTOR_OK; CONNECTOR_E_INVALID_ARGUMENT; CONNECTOR_E_NOT_SUPPORTED;
 CONNECTOR_E_INVALID_CONFIG; CONNECTOR_E_INVALID_WATERMARK; CONNECTOR_E_INVALID_STATE; CONNECTOR_E_NETWORK (no
 certificate authorities on this machine); CONNECTOR_E_OUT_OF_MEMORY (no thread); CONNECTOR_E_INTERNAL.
 */
extern connector_status ImportAsync(const char *config_json,
                                    size_t config_json_len,
                                    const char *auth_json,
                                    size_t auth_json_len,
                                    const struct connector_options *options,
                                    connector_operation *out_operation,
                                    struct connector_buffer *out_error_json);

/*
 As ImportAsync, in the other direction. A connector that imports only answers CONNECTOR_E_NOT_SUPPORTED with
 operation 0 and an error JSON that says what the engine should do instead.
 */
extern connector_status ExportAsync(const char *config_json,
                                    size_t config_json_len,
                                    const char *auth_json,
                                    size_t auth_json_len,
                                    const struct connector_options *options,
                                    connector_operation *out_operation,
                                    struct connector_buffer *out_error_json);

/*
 Starts a connection test, same shape as ImportAsync. Its records say, for each object type that is switched on,
 whether a token can be had, the permission is granted and what must be done about each failure. Ends with
 CONNECTOR_END when no record failed, CONNECTOR_END_PARTIAL when one did, negative when nothing could be checked.
 */
extern connector_status CheckAsync(const char *config_json,
                                   size_t config_json_len,
                                   const char *auth_json,
                                   size_t auth_json_len,
                                   const struct connector_options *options,
                                   connector_operation *out_operation,
                                   struct connector_buffer *out_error_json);

/*
 Waits up to timeout_ms (0: does not wait; CONNECTOR_FOREVER) for the next batch.

 Ownership: release out_batch->rows and out_batch->checkpoint. Threads: one at a time for each operation; another
 one gets CONNECTOR_E_BUSY. Returns: CONNECTOR_OK with a batch; CONNECTOR_PENDING; CONNECTOR_END or
 CONNECTOR_END_PARTIAL with the new watermark in checkpoint; negative: failed, and the last checkpoint stays
 good. Both ENDs and every negative value but CONNECTOR_E_BUSY and CONNECTOR_E_INVALID_ARGUMENT are final and
 repeat.
 */
extern connector_status OperationNext(connector_operation operation,
                                      uint32_t timeout_ms,
                                      struct connector_batch *out_batch);

/*
 Asks the operation to stop and returns at once; may be repeated. A thread inside OperationNext returns
 CONNECTOR_E_CANCELLED; batches that were not fetched are dropped. A wake-up that is due comes on a thread of the
 connector, so the caller may hold a lock that the wake callback takes.

 Threads: any. Returns: CONNECTOR_OK, also when the operation is over; CONNECTOR_E_INVALID_ARGUMENT.
 */
extern connector_status OperationCancel(connector_operation operation);

/*
 Counters of the operation, now.

 Threads: any. Returns: CONNECTOR_OK; CONNECTOR_E_INVALID_ARGUMENT.
 */
extern connector_status OperationProgress(connector_operation operation,
                                          struct connector_progress *out_progress);

/*
 The result JSON: outcome, watermark, counts, warnings, error.

 Ownership: release *out_json. Threads: any. Returns: CONNECTOR_OK; CONNECTOR_E_INVALID_STATE until OperationNext
 has returned an END or a final error; CONNECTOR_E_INVALID_ARGUMENT.
 */
extern connector_status OperationResult(connector_operation operation,
                                        struct connector_buffer *out_json);

/*
 Cancels what still runs and forgets the operation. Brings no wake-up. Does not wait for the network, only for a
 callback that is being called right now; afterwards none is called. Do not hold a lock that the wake callback
 takes: one that is being called would wait for the lock, and this function for the callback.

 Threads: any. Returns: CONNECTOR_OK; CONNECTOR_E_INVALID_ARGUMENT the second time.
 */
extern connector_status OperationRelease(connector_operation operation);

/*
 Frees the bytes and empties the struct, so that twice is harmless; copies of the struct are not tracked. NULL
 and empty buffers are fine.

 Threads: any.
 */
extern void BufferRelease(struct connector_buffer *buffer);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* CONNECTOR_H */
