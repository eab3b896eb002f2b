import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A connector host in Java: what an engine written in Java does with a connector library. Connector.java is the
 * binding, this is the engine: one file of records, one of the watermark.
 *
 * <p>Build: javac -cp jna.jar Host.java Connector.java; run: java -cp jna.jar:. Host; tests/hosts/README.md has the
 * command line, which all hosts share.
 */
public final class Host {
    private static final List<String> LEVELS = List.of("?", "error", "warning", "information", "debug");
    private static final Set<String> KNOWN =
            Set.of("--connectors", "--connector", "--config", "--auth", "--watermark", "--operation", "--cancel-after", "--out");
    /** Whatever the locale says. */
    private static final PrintStream OUT = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    private static final PrintStream ERR = new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);

    private final Connector connector;
    private final Map<String, String> arguments;
    private long records;
    private long batches;
    private long checkpoints;
    private final AtomicLong logLines = new AtomicLong();

    private Host(Connector connector, Map<String, String> arguments) {
        this.connector = connector;
        this.arguments = arguments;
    }

    public static void main(String[] words) throws IOException {
        int code;
        try {
            Map<String, String> arguments = parse(words);
            Connector connector = new Connector(Path.of(arguments.get("--connectors")), arguments.get("--connector"));
            ERR.println("describe: " + connector.describe());
            code = new Host(connector, arguments).run();
        } catch (IllegalArgumentException | UnsatisfiedLinkError e) {
            ERR.println("host: " + e.getMessage());
            code = 2;
        }
        System.exit(code);
    }

    private int run() throws IOException {
        Path watermarkFile = arguments.containsKey("--watermark") ? Path.of(arguments.get("--watermark")) : null;
        byte[] watermark = watermarkFile != null && Files.exists(watermarkFile) ? Files.readAllBytes(watermarkFile) : new byte[0];
        long cancelAfter = Long.parseLong(arguments.get("--cancel-after"));
        byte[] config = Files.readAllBytes(Path.of(arguments.get("--config")));
        byte[] auth = Files.readAllBytes(Path.of(arguments.get("--auth")));
        try (Connector.Operation operation = connector.start(arguments.get("--operation"), config, auth, watermark, this::log);
                Writer out = Files.newBufferedWriter(Path.of(arguments.get("--out")), StandardCharsets.UTF_8)) {
            // Cancels from another thread than the one that pulls, when it is completed.
            CompletableFuture<Void> enough = new CompletableFuture<>();
            CompletableFuture<Void> cancelled = enough.thenRunAsync(operation::cancel);
            long shownMs = 0;
            while (operation.hasNext()) {
                Connector.Batch batch = operation.next();
                Connector.Progress progress = operation.progress();
                if (progress.elapsedMs >= shownMs + 250) {
                    shownMs = progress.elapsedMs;
                    show(progress);
                }
                // Rows first, then their checkpoint: a watermark ahead of its rows would lose them for ever.
                for (String record : batch.records) {
                    out.write(record);
                    out.write('\n');
                }
                out.flush();
                records += batch.records.size();
                if (batch.status == Connector.OK) {
                    batches++;
                }
                if (batch.checkpoint.length > 0) {
                    checkpoints++;
                    replace(watermarkFile, batch.checkpoint);
                }
                if (cancelAfter > 0 && records >= cancelAfter) {
                    enough.complete(null);
                }
            }
            if (enough.isDone()) {
                cancelled.join();
            }
            show(operation.progress());
            say(operation.status(), operation.result(), "null");
            return operation.status() == Connector.END ? 0 : operation.status() == Connector.END_PARTIAL ? 3 : 1;
        } catch (Connector.StartException refused) {
            say(refused.status, "null", refused.json);
            return 1;
        }
    }

    /** On a thread of ours that is inside a call of the connector. */
    private void log(int level, String message) {
        logLines.incrementAndGet();
        ERR.println("log: " + LEVELS.get(level < LEVELS.size() ? level : 0) + " " + message);
    }

    private static void show(Connector.Progress progress) {
        ERR.println("progress: " + progress.rowsDelivered + " rows, " + progress.requests + " requests, " + progress.elapsedMs + " ms");
    }

    private void say(int status, String result, String error) {
        OUT.println("{\"status\":" + status + ",\"records\":" + records + ",\"batches\":" + batches + ",\"checkpoints\":" + checkpoints
                + ",\"logLines\":" + logLines + ",\"result\":" + result + ",\"error\":" + error + "}");
    }

    private static void replace(Path file, byte[] checkpoint) throws IOException {
        if (file != null) {
            Path beside = file.resolveSibling(file.getFileName() + ".new");
            Files.write(beside, checkpoint);
            Files.move(beside, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        }
    }

    private static Map<String, String> parse(String[] words) {
        Map<String, String> arguments = new HashMap<>(Map.of("--connectors", "Connectors", "--operation", "import", "--cancel-after", "0"));
        for (int i = 0; i < words.length; i += 2) {
            if (!KNOWN.contains(words[i]) || i + 1 == words.length) {
                throw new IllegalArgumentException(words[i] + " is unknown or has no value; tests/hosts/README.md names the arguments");
            }
            arguments.put(words[i], words[i + 1]);
        }
        for (String needed : List.of("--connector", "--config", "--auth", "--out")) {
            if (!arguments.containsKey(needed)) {
                throw new IllegalArgumentException(needed + " is needed");
            }
        }
        return arguments;
    }
}
