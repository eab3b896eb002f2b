'use strict';
// The binding: what the contract is in JavaScript, over koffi. Everything that touches native memory stands in this
// file.
//
// OperationNext runs on a thread of koffi's pool (`.async`), so the event loop goes on meanwhile. koffi runs every
// callback on the main thread and keeps the calling thread waiting for it. Therefore no synchronous call that waits for
// a callback may be made while an `.async` one is under way: release an operation only when its pull has come back, as
// the iterator below does. For the same reason there is no `wake` here: it would wait for the main thread.
const path = require('node:path');
const koffi = require('koffi');

const Status = Object.freeze({ OK: 0, END: 1, PENDING: 2, END_PARTIAL: 3, E_BUSY: -12 });
const ABI_MAJOR = 1;
const LEVELS = ['?', 'error', 'warning', 'information', 'debug'];

koffi.proto('void connector_log_fn(void *user_data, uint32_t level, void *message, size_t message_len)');
koffi.struct('connector_buffer', { data: 'void *', len: 'size_t', owner: 'void *' });
const Callbacks = koffi.struct('connector_callbacks', {
  struct_size: 'uint32_t', max_log_level: 'uint32_t', user_data: 'void *', log: 'connector_log_fn *', wake: 'void *',
});
const Options = koffi.struct('connector_options', {
  struct_size: 'uint32_t', flags: 'uint32_t', watermark: 'const uint8_t *', watermark_len: 'size_t',
  max_batch_rows: 'uint32_t', max_batch_bytes: 'uint32_t', max_queued_batches: 'uint32_t', reserved: 'uint32_t',
  callbacks: 'connector_callbacks *',
});
const Batch = koffi.struct('connector_batch', {
  struct_size: 'uint32_t', reserved: 'uint32_t', sequence: 'uint64_t', row_count: 'uint64_t',
  rows: 'connector_buffer', checkpoint: 'connector_buffer',
});
const COUNTERS = ['rows_fetched', 'rows_delivered', 'requests', 'retries', 'throttled_ms', 'bytes_received', 'elapsed_ms',
  'total_rows_estimate'];
const Progress = koffi.struct('connector_progress', {
  struct_size: 'uint32_t', state: 'uint32_t', ...Object.fromEntries(COUNTERS.map((name) => [name, 'uint64_t'])),
});

const emptyBuffer = () => ({ data: null, len: 0, owner: null });
// Zeros first: members that koffi does not find in the object would be an error, and the library wants zeros.
const emptyBatch = () => ({
  struct_size: koffi.sizeof(Batch), reserved: 0, sequence: 0, row_count: 0, rows: emptyBuffer(), checkpoint: emptyBuffer(),
});
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** An operation that could not be started: `status`, and the connector's `error`. */
class StartError extends Error {
  constructor(status, error) {
    super(`${status}: ${error.Message ?? ''}`);
    Object.assign(this, { status, error });
  }
}

/** A loaded library. It is never unloaded: its threads may outlive every handle of ours. */
class Connector {
  #functions;

  constructor(folder, name) {
    const file = process.platform === 'win32' ? `${name}.dll` : `lib${name}${process.platform === 'darwin' ? '.dylib' : '.so'}`;
    const library = koffi.load(path.resolve(folder, file));
    // Before anything else: under another major version no other name means what we think.
    const version = library.func('uint32_t ConnectorAbiVersion()')();
    if (version >>> 16 !== ABI_MAJOR) {
      throw new Error(`${file} speaks contract ${version >>> 16}.${version & 0xffff}, this host ${ABI_MAJOR}`);
    }
    const start = (function_) => library.func(`int32_t ${function_}(const uint8_t *config, size_t config_len, const uint8_t *auth,
      size_t auth_len, const connector_options *options, _Out_ uint64_t *operation, _Inout_ connector_buffer *error)`);
    this.#functions = {
      library,
      describe: library.func('int32_t Describe(_Inout_ connector_buffer *json)'),
      import: start('ImportAsync'),
      export: start('ExportAsync'),
      check: start('CheckAsync'),
      next: library.func('int32_t OperationNext(uint64_t operation, uint32_t timeout_ms, _Inout_ connector_batch *batch)'),
      cancel: library.func('int32_t OperationCancel(uint64_t operation)'),
      progress: library.func('int32_t OperationProgress(uint64_t operation, _Inout_ connector_progress *progress)'),
      result: library.func('int32_t OperationResult(uint64_t operation, _Inout_ connector_buffer *json)'),
      release: library.func('int32_t OperationRelease(uint64_t operation)'),
      bufferRelease: library.func('void BufferRelease(_Inout_ connector_buffer *buffer)'),
    };
  }

  describe() {
    const json = emptyBuffer();
    if (this.#functions.describe(json) !== Status.OK) throw new Error('Describe failed');
    return utf8.decode(take(this.#functions, json));
  }

  /**
   * Starts 'import', 'export' or 'check'; config, auth and watermark are Buffers. Throws a StartError when nothing was
   * started. Aborting the signal cancels the operation.
   */
  start(kind, { config, auth, watermark = Buffer.alloc(0), log = () => {}, signal }) {
    const onLog = koffi.register((_userData, level, message, length) => {
      log(LEVELS[level] ?? '?', copy(message, length).toString());
    }, koffi.pointer('connector_log_fn'));
    const options = {
      struct_size: koffi.sizeof(Options), flags: 0, watermark: watermark.length > 0 ? watermark : null,
      watermark_len: watermark.length, max_batch_rows: 0, max_batch_bytes: 0, max_queued_batches: 0, reserved: 0,
      // Copied by the call, like all inputs; the registered function must stay until the release has returned.
      callbacks: { struct_size: koffi.sizeof(Callbacks), max_log_level: 0, user_data: null, log: onLog, wake: null },
    };
    const operation = [0];
    const error = emptyBuffer();
    const status = this.#functions[kind](config, config.length, auth, auth.length, options, operation, error);
    if (status !== Status.OK) {
      koffi.unregister(onLog);
      throw new StartError(status, JSON.parse(utf8.decode(take(this.#functions, error)) || '{}'));
    }
    return new Operation(this.#functions, operation[0], onLog, signal);
  }
}

/** A running operation: `for await` yields batches, leaving the loop cancels. Then ask `result`, then `release`. */
class Operation {
  #functions;
  #handle;
  #onLog;

  constructor(functions, handle, onLog, signal) {
    this.#functions = functions;
    this.#handle = handle;
    this.#onLog = onLog;
    this.status = Status.PENDING;
    // On the main thread, while a thread of the pool is inside OperationNext; returns at once.
    signal?.addEventListener('abort', () => this.cancel());
  }

  /** { records, checkpoint }; the last batch has no records. `status` says how it ended. */
  async *[Symbol.asyncIterator]() {
    for (let sequence = 0; ;) {
      const raw = emptyBatch();
      this.status = await new Promise((resolve, reject) => {
        // A finite time, so that a thread of the pool is not kept for hours.
        this.#functions.next.async(this.#handle, 250, raw, (error, status) => (error ? reject(error) : resolve(status)));
      });
      if (this.status === Status.PENDING || this.status === Status.E_BUSY) continue;
      const rows = utf8.decode(take(this.#functions, raw.rows));
      const checkpoint = take(this.#functions, raw.checkpoint);
      const records = rows === '' ? [] : rows.slice(0, -1).split('\n');
      if (this.status === Status.OK && (Number(raw.sequence) !== sequence++ || Number(raw.row_count) !== records.length)) {
        throw new Error('a batch is missing or cut');
      }
      if (this.status >= 0) yield { records, checkpoint };
      if (this.status !== Status.OK) return;
    }
  }

  cancel() {
    this.#functions.cancel(this.#handle);
  }

  progress() {
    const zeros = Object.fromEntries(COUNTERS.map((name) => [name, 0]));
    const progress = { struct_size: koffi.sizeof(Progress), state: 0, ...zeros };
    this.#functions.progress(this.#handle, progress);
    return progress;
  }

  /** The result, once the iterator has ended. */
  result() {
    const json = emptyBuffer();
    if (this.#functions.result(this.#handle, json) !== Status.OK) throw new Error('the operation is not over');
    return JSON.parse(utf8.decode(take(this.#functions, json)));
  }

  /** Cancels what still runs and forgets it; once. No line of the log comes after it. */
  release() {
    this.#functions.release(this.#handle);
    koffi.unregister(this.#onLog);
  }
}

function copy(pointer, length) {
  return Number(length) === 0 ? Buffer.alloc(0) : Buffer.from(new Uint8Array(koffi.view(pointer, Number(length))));
}

/** Copies a buffer's bytes and gives it back. */
function take(functions, buffer) {
  try {
    return copy(buffer.data, buffer.len);
  } finally {
    functions.bufferRelease(buffer);
  }
}

module.exports = { Connector, StartError, Status };
