// A connector host in C#: what an engine written for .NET does with a connector library. Connector.cs is the binding,
// this is the engine: one file of records, one of the watermark.
//
// Build:  mcs -unsafe -out:Host.exe Host.cs Connector.cs          (or put both into a project of your own)
// Run:    mono Host.exe ...   or   dotnet exec --runtimeconfig Host.runtimeconfig.json Host.exe ...
//         tests/hosts/README.md has the command line, which all hosts share.
using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

static class Host
{
    static readonly Encoding Utf8 = new UTF8Encoding(false);

    static int Main(string[] words)
    {
        // Whatever the locale says.
        Console.SetOut(new StreamWriter(Console.OpenStandardOutput(), Utf8) { AutoFlush = true });
        Console.SetError(TextWriter.Synchronized(new StreamWriter(Console.OpenStandardError(), Utf8) { AutoFlush = true }));
        try
        {
            var arguments = Parse(words);
            var connector = new Connector(arguments["--connectors"], arguments["--connector"]);
            Console.Error.WriteLine("describe: " + connector.Describe());
            return RunAsync(connector, arguments).GetAwaiter().GetResult();
        }
        catch (Exception error)
        {
            Console.Error.WriteLine("host: " + error.Message);
            return 2;
        }
    }

    static async Task<int> RunAsync(Connector connector, Dictionary<string, string> arguments)
    {
        string watermarkFile;
        arguments.TryGetValue("--watermark", out watermarkFile);
        var watermark = watermarkFile != null && File.Exists(watermarkFile) ? File.ReadAllBytes(watermarkFile) : new byte[0];
        var cancelAfter = ulong.Parse(arguments["--cancel-after"]);
        ulong records = 0, batches = 0, checkpoints = 0, shownMs = 0;
        long logLines = 0;
        var levels = new[] { "?", "error", "warning", "information", "debug" };
        Action<uint, string> log = (level, message) =>
        {
            Interlocked.Increment(ref logLines);
            Console.Error.WriteLine("log: " + levels[level < levels.Length ? level : 0] + " " + message);
        };

        var source = new CancellationTokenSource();
        Operation operation;
        try
        {
            operation = connector.Start(arguments["--operation"], File.ReadAllBytes(arguments["--config"]),
                                        File.ReadAllBytes(arguments["--auth"]), watermark, log, source.Token);
        }
        catch (StartException refused)
        {
            Say(refused.Status, 0, 0, 0, 0, "null", refused.Json);
            return 1;
        }
        string result;
        using (operation)
        using (var output = new StreamWriter(arguments["--out"], false, Utf8) { NewLine = "\n" })
        {
            while (await operation.MoveNextAsync())
            {
                var batch = operation.Current;
                var progress = operation.Progress();
                if (progress.ElapsedMs >= shownMs + 250) { shownMs = progress.ElapsedMs; Show(progress); }
                // Rows first, then their checkpoint: a watermark ahead of its rows would lose them for ever.
                foreach (var record in batch.Records) output.WriteLine(record);
                output.Flush();
                records += (ulong)batch.Records.Length;
                if (operation.Status == Status.Ok) batches++;
                if (batch.Checkpoint.Length > 0)
                {
                    checkpoints++;
                    if (watermarkFile != null) Replace(watermarkFile, batch.Checkpoint);
                }
                // From another thread than this one. A real engine hands the token of its "stop" button in.
                if (cancelAfter > 0 && records >= cancelAfter && !source.IsCancellationRequested) await Task.Run(() => source.Cancel());
            }
            Show(operation.Progress());
            result = operation.Result();
        }
        Say(operation.Status, records, batches, checkpoints, logLines, result, "null");
        return operation.Status == Status.End ? 0 : operation.Status == Status.EndPartial ? 3 : 1;
    }

    static void Say(Status status, ulong records, ulong batches, ulong checkpoints, long logLines, string result, string error)
    {
        Console.WriteLine("{\"status\":" + (int)status + ",\"records\":" + records + ",\"batches\":" + batches + ",\"checkpoints\":" +
                          checkpoints + ",\"logLines\":" + logLines + ",\"result\":" + result + ",\"error\":" + error + "}");
    }

    static void Show(Native.Progress progress)
    {
        Console.Error.WriteLine("progress: " + progress.RowsDelivered + " rows, " + progress.Requests + " requests, " + progress.ElapsedMs + " ms");
    }

    static void Replace(string file, byte[] checkpoint)
    {
        File.WriteAllBytes(file + ".new", checkpoint);
        if (File.Exists(file)) File.Replace(file + ".new", file, null);
        else File.Move(file + ".new", file);
    }

    static Dictionary<string, string> Parse(string[] words)
    {
        var arguments = new Dictionary<string, string> { { "--connectors", "Connectors" }, { "--operation", "import" }, { "--cancel-after", "0" } };
        var known = new HashSet<string> { "--connectors", "--connector", "--config", "--auth", "--watermark", "--operation", "--cancel-after", "--out" };
        for (var i = 0; i < words.Length; i += 2)
        {
            if (!known.Contains(words[i]) || i + 1 == words.Length)
                throw new ArgumentException(words[i] + " is unknown or has no value; tests/hosts/README.md names the arguments");
            arguments[words[i]] = words[i + 1];
        }
        foreach (var needed in new[] { "--connector", "--config", "--auth", "--out" })
            if (!arguments.ContainsKey(needed)) throw new ArgumentException(needed + " is needed");
        return arguments;
    }
}
