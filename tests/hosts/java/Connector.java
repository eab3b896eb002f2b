import com.sun.jna.Callback;
import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;
import com.sun.jna.Structure;
import com.sun.jna.Structure.FieldOrder;
import com.sun.jna.ptr.LongByReference;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.function.BiConsumer;

/**
 * The binding: what the contract is in Java, over JNA. Everything that touches native memory stands in this file.
 * size_t and pointers are 64 bits wide on every platform of the contract, so they are {@code long} here.
 *
 * <p>A call keeps its thread for a quarter of a second at most. Under virtual threads give the pulling loop a platform
 * thread of its own: a native call pins its carrier.
 */
final class Connector {
    static final int OK = 0;
    static final int END = 1;
    static final int PENDING = 2;
    static final int END_PARTIAL = 3;
    static final int BUSY = -12;
    private static final int ABI_MAJOR = 1;

    /** The functions of connector.h. Names are the exported ones. */
    interface Functions extends Library {
        int ConnectorAbiVersion();

        int Describe(Bytes json);

        int ImportAsync(byte[] config, long configLen, byte[] auth, long authLen, Options options, LongByReference operation, Bytes error);

        int ExportAsync(byte[] config, long configLen, byte[] auth, long authLen, Options options, LongByReference operation, Bytes error);

        int CheckAsync(byte[] config, long configLen, byte[] auth, long authLen, Options options, LongByReference operation, Bytes error);

        int OperationNext(long operation, int timeoutMs, RawBatch batch);

        int OperationCancel(long operation);

        int OperationProgress(long operation, Progress progress);

        int OperationResult(long operation, Bytes json);

        int OperationRelease(long operation);

        void BufferRelease(Bytes buffer);
    }

    /** {@code connector_log_fn}: on a thread of ours that is inside a call; must not call the connector. */
    interface LogFn extends Callback {
        void callback(Pointer userData, int level, Pointer message, long messageLen);
    }

    /** {@code connector_buffer}. */
    @FieldOrder({"data", "len", "owner"})
    public static class Bytes extends Structure {
        public Pointer data;
        public long len;
        public Pointer owner;
    }

    /** {@code connector_callbacks}. */
    @FieldOrder({"structSize", "maxLogLevel", "userData", "log", "wake"})
    public static class Callbacks extends Structure implements Structure.ByReference {
        public int structSize = size();
        public int maxLogLevel;
        public Pointer userData;
        public LogFn log;
        public Pointer wake;
    }

    /** {@code connector_options}. */
    @FieldOrder({"structSize", "flags", "watermark", "watermarkLen", "maxBatchRows", "maxBatchBytes", "maxQueuedBatches", "reserved", "callbacks"})
    public static class Options extends Structure {
        public int structSize = size();
        public int flags;
        public Pointer watermark;
        public long watermarkLen;
        public int maxBatchRows;
        public int maxBatchBytes;
        public int maxQueuedBatches;
        public int reserved;
        public Callbacks callbacks;
    }

    /** {@code connector_batch}. */
    @FieldOrder({"structSize", "reserved", "sequence", "rowCount", "rows", "checkpoint"})
    public static class RawBatch extends Structure {
        public int structSize = size();
        public int reserved;
        public long sequence;
        public long rowCount;
        public Bytes rows;
        public Bytes checkpoint;
    }

    /** {@code connector_progress}. */
    @FieldOrder({"structSize", "state", "rowsFetched", "rowsDelivered", "requests", "retries", "throttledMs", "bytesReceived", "elapsedMs", "totalRowsEstimate"})
    public static class Progress extends Structure {
        public int structSize = size();
        public int state;
        public long rowsFetched;
        public long rowsDelivered;
        public long requests;
        public long retries;
        public long throttledMs;
        public long bytesReceived;
        public long elapsedMs;
        public long totalRowsEstimate;
    }

    /** An operation that could not be started. */
    static final class StartException extends Exception {
        private static final long serialVersionUID = 1;
        final int status;
        final String json;

        StartException(int status, String json) {
            super("the connector refused to start: " + status);
            this.status = status;
            this.json = json;
        }
    }

    /** Records, and a checkpoint that is good once they are stored. Either may be empty. */
    static final class Batch {
        final int status;
        final List<String> records;
        final byte[] checkpoint;

        Batch(int status, List<String> records, byte[] checkpoint) {
            this.status = status;
            this.records = records;
            this.checkpoint = checkpoint;
        }
    }

    /** Never closed: threads of the library may outlive every handle of ours. */
    private final Functions functions;

    Connector(Path folder, String name) {
        String file = Platform.isWindows() ? name + ".dll" : "lib" + name + (Platform.isMac() ? ".dylib" : ".so");
        Path path = folder.resolve(file).toAbsolutePath();
        int nowAndLocal = Platform.isMac() ? 2 | 4 : 2; // RTLD_NOW | RTLD_LOCAL, which is 0 on Linux; unused on Windows
        functions = Native.load(path.toString(), Functions.class, Map.of(Library.OPTION_OPEN_FLAGS, nowAndLocal));
        // Before anything else: under another major version no other name means what we think.
        int version = functions.ConnectorAbiVersion();
        if (version >>> 16 != ABI_MAJOR) {
            throw new UnsatisfiedLinkError(path + " speaks contract " + (version >>> 16) + "." + (version & 0xffff) + ", this host " + ABI_MAJOR);
        }
    }

    String describe() {
        Bytes json = new Bytes();
        if (functions.Describe(json) != OK) {
            throw new IllegalStateException("Describe failed");
        }
        return text(take(json));
    }

    /** Starts "import", "export" or "check". */
    Operation start(String kind, byte[] config, byte[] auth, byte[] watermark, BiConsumer<Integer, String> log) throws StartException {
        Callbacks callbacks = new Callbacks();
        callbacks.log = (userData, level, message, length) -> {
            try {
                log.accept(level, new String(message.getByteArray(0, (int) length), StandardCharsets.UTF_8));
            } catch (RuntimeException ignored) {
                // Nothing may be thrown through native code.
            }
        };
        Options options = new Options();
        if (watermark.length > 0) {
            Memory memory = new Memory(watermark.length);
            memory.write(0, watermark, 0, watermark.length);
            options.watermark = memory;
            options.watermarkLen = watermark.length;
        }
        options.callbacks = callbacks;
        LongByReference operation = new LongByReference();
        Bytes error = new Bytes();
        int status;
        switch (kind) {
            case "import":
                status = functions.ImportAsync(config, config.length, auth, auth.length, options, operation, error);
                break;
            case "export":
                status = functions.ExportAsync(config, config.length, auth, auth.length, options, operation, error);
                break;
            case "check":
                status = functions.CheckAsync(config, config.length, auth, auth.length, options, operation, error);
                break;
            default:
                throw new IllegalArgumentException(kind + " is no operation");
        }
        if (status != OK) {
            throw new StartException(status, text(take(error)));
        }
        return new Operation(operation.getValue(), callbacks);
    }

    /** Copies a buffer's bytes and gives it back. */
    private byte[] take(Bytes buffer) {
        byte[] bytes = buffer.len == 0 ? new byte[0] : buffer.data.getByteArray(0, Math.toIntExact(buffer.len));
        functions.BufferRelease(buffer);
        return bytes;
    }

    /** Strict, where {@code new String} would put in question marks. */
    private static String text(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw new IllegalStateException("the connector sent something that is not UTF-8", e);
        }
    }

    /** A running operation: pull with the iterator, which ends with the operation. Closing cancels and releases it. */
    final class Operation implements AutoCloseable, Iterator<Batch> {
        private final long handle;
        /** The struct was copied, the function behind it was not: it must be reachable until the release returned. */
        private final Callbacks callbacks;
        private final RawBatch raw = new RawBatch();
        private volatile int status = PENDING;
        private long sequence;

        private Operation(long handle, Callbacks callbacks) {
            this.handle = handle;
            this.callbacks = callbacks;
        }

        /** How it stands: PENDING and OK go on, everything else is how it ended. */
        int status() {
            return status;
        }

        @Override
        public boolean hasNext() {
            return status == OK || status == PENDING;
        }

        /** Waits a quarter of a second at most: a batch of status PENDING lets the caller see to its own matters. */
        @Override
        public Batch next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            int answer = functions.OperationNext(handle, 250, raw);
            status = answer == BUSY ? PENDING : answer;
            List<String> records = List.of();
            byte[] checkpoint = new byte[0];
            if (status != PENDING) {
                String rows = text(take(raw.rows));
                checkpoint = take(raw.checkpoint);
                if (status == OK) {
                    // At LF alone: other line ends may stand inside a record. The text ends with one.
                    records = rows.isEmpty() ? List.of() : List.of(rows.split("\n"));
                    if (raw.sequence != sequence++ || raw.rowCount != records.size()) {
                        throw new IllegalStateException("a batch is missing or cut");
                    }
                }
            }
            return new Batch(status, records, checkpoint);
        }

        /** From any thread; returns at once. Whoever pulls sees the end. */
        void cancel() {
            functions.OperationCancel(handle);
        }

        Progress progress() {
            Progress progress = new Progress();
            functions.OperationProgress(handle, progress);
            return progress;
        }

        /** The result JSON, once {@link #hasNext} is false. */
        String result() {
            Bytes json = new Bytes();
            if (functions.OperationResult(handle, json) != OK) {
                throw new IllegalStateException("the operation is not over");
            }
            return text(take(json));
        }

        @Override
        public void close() {
            functions.OperationRelease(handle);
            java.lang.ref.Reference.reachabilityFence(callbacks);
        }
    }
}
