// The binding: what the contract is in .NET. Everything that touches native memory stands in this file.
//
// It runs on Mono, .NET Core 3.1 and all later .NET, on Linux, macOS and Windows, and needs no package. With C# 8 let
// Operation implement IAsyncEnumerator<Batch>: its members have that shape already. With .NET 5, NativeLibrary replaces
// the class of that name below.
using System;
using System.IO;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

enum Status
{
    Ok = 0, End = 1, Pending = 2, EndPartial = 3, Busy = -12
}

/// <summary>An operation that could not be started.</summary>
sealed class StartException : Exception
{
    public readonly Status Status;
    public readonly string Json;
    public StartException(Status status, string json) : base("the connector refused to start: " + (int)status) { Status = status; Json = json; }
}

/// <summary>Records, and a checkpoint that is good once they are stored. Either may be missing.</summary>
sealed class Batch
{
    public readonly string[] Records;
    public readonly byte[] Checkpoint;
    public Batch(string[] records, byte[] checkpoint) { Records = records; Checkpoint = checkpoint; }
}

/// <summary>The structs of connector.h, member by member.</summary>
static unsafe class Native
{
    [StructLayout(LayoutKind.Sequential)]
    public struct Buffer { public byte* Data; public UIntPtr Length; public IntPtr Owner; }

    [StructLayout(LayoutKind.Sequential)]
    public struct Callbacks { public uint StructSize, MaxLogLevel; public IntPtr UserData, Log, Wake; }

    [StructLayout(LayoutKind.Sequential)]
    public struct Options
    {
        public uint StructSize, Flags;
        public byte* Watermark;
        public UIntPtr WatermarkLength;
        public uint MaxBatchRows, MaxBatchBytes, MaxQueuedBatches, Reserved;
        public Callbacks* Callbacks;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct Batch { public uint StructSize, Reserved; public ulong Sequence, RowCount; public Buffer Rows, Checkpoint; }

    [StructLayout(LayoutKind.Sequential)]
    public struct Progress
    {
        public uint StructSize, State;
        public ulong RowsFetched, RowsDelivered, Requests, Retries, ThrottledMs, BytesReceived, ElapsedMs, TotalRowsEstimate;
    }

    // A SafeHandle is passed as the 8 bytes it holds, and cannot be released while a call with it is under way.
    [UnmanagedFunctionPointer(CallingConvention.Cdecl)] public delegate uint AbiVersionFn();
    [UnmanagedFunctionPointer(CallingConvention.Cdecl)] public delegate Status DescribeFn(ref Buffer json);
    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    public delegate Status StartFn(byte[] config, UIntPtr configLength, byte[] auth, UIntPtr authLength, ref Options options,
                                   out ulong operation, ref Buffer error);
    [UnmanagedFunctionPointer(CallingConvention.Cdecl)] public delegate Status NextFn(OperationHandle operation, uint timeoutMs, ref Batch batch);
    [UnmanagedFunctionPointer(CallingConvention.Cdecl)] public delegate Status CancelFn(OperationHandle operation);
    [UnmanagedFunctionPointer(CallingConvention.Cdecl)] public delegate Status ProgressFn(OperationHandle operation, ref Progress progress);
    [UnmanagedFunctionPointer(CallingConvention.Cdecl)] public delegate Status ResultFn(OperationHandle operation, ref Buffer json);
    [UnmanagedFunctionPointer(CallingConvention.Cdecl)] public delegate Status ReleaseFn(ulong operation);
    [UnmanagedFunctionPointer(CallingConvention.Cdecl)] public delegate void BufferReleaseFn(ref Buffer buffer);
    [UnmanagedFunctionPointer(CallingConvention.Cdecl)] public delegate void LogFn(IntPtr userData, uint level, byte* message, UIntPtr length);
    [UnmanagedFunctionPointer(CallingConvention.Cdecl)] public delegate void WakeFn(IntPtr userData);
}

/// <summary>A shared library, by full path and never unloaded: its threads may outlive every handle of ours.</summary>
static class NativeLibrary
{
    [DllImport("kernel32", CharSet = CharSet.Unicode, SetLastError = true)] static extern IntPtr LoadLibraryW(string path);
    [DllImport("kernel32", CharSet = CharSet.Ansi)] static extern IntPtr GetProcAddress(IntPtr library, string name);
    [DllImport("libdl.so.2", EntryPoint = "dlopen")] static extern IntPtr LinuxOpen(string path, int flags);
    [DllImport("libdl.so.2", EntryPoint = "dlsym")] static extern IntPtr LinuxSymbol(IntPtr library, string name);
    [DllImport("libSystem.dylib", EntryPoint = "dlopen")] static extern IntPtr MacOpen(string path, int flags);
    [DllImport("libSystem.dylib", EntryPoint = "dlsym")] static extern IntPtr MacSymbol(IntPtr library, string name);

    const int Now = 2; // RTLD_NOW, the same number on Linux and macOS; RTLD_LOCAL is the default on Linux
    const int MacLocal = 4;
    static readonly bool Windows = RuntimeInformation.IsOSPlatform(OSPlatform.Windows);
    static readonly bool Mac = RuntimeInformation.IsOSPlatform(OSPlatform.OSX);

    public static string FileName(string connector)
    {
        return Windows ? connector + ".dll" : "lib" + connector + (Mac ? ".dylib" : ".so");
    }

    public static IntPtr Load(string path)
    {
        var library = Windows ? LoadLibraryW(path) : Mac ? MacOpen(path, Now | MacLocal) : LinuxOpen(path, Now);
        if (library == IntPtr.Zero) throw new DllNotFoundException(path + " cannot be loaded");
        return library;
    }

    public static T Function<T>(IntPtr library, string name) where T : class
    {
        var symbol = Windows ? GetProcAddress(library, name) : Mac ? MacSymbol(library, name) : LinuxSymbol(library, name);
        if (symbol == IntPtr.Zero) throw new EntryPointNotFoundException("not a connector, it does not export " + name);
        return Marshal.GetDelegateForFunctionPointer<T>(symbol);
    }
}

/// <summary>An operation's number. Releasing it cancels what still runs; no callback comes after it.</summary>
sealed class OperationHandle : SafeHandle
{
    readonly Connector connector;
    // Here, so that they live until the finalizer has run: the last lines of the log come out of OperationRelease.
    readonly Delegate log, wake;

    public OperationHandle(Connector connector, ulong number, Delegate log, Delegate wake) : base(IntPtr.Zero, true)
    {
        this.connector = connector;
        this.log = log;
        this.wake = wake;
        SetHandle(new IntPtr((long)number)); // 64-bit processes only
    }

    public override bool IsInvalid { get { return handle == IntPtr.Zero; } }

    protected override bool ReleaseHandle()
    {
        var released = connector.Release((ulong)handle.ToInt64()) == Status.Ok;
        GC.KeepAlive(log);
        GC.KeepAlive(wake);
        return released;
    }
}

/// <summary>A loaded library.</summary>
sealed unsafe class Connector
{
    const uint AbiMajor = 1;
    static readonly Encoding Utf8 = new UTF8Encoding(false, true); // throws instead of putting in question marks

    readonly Native.DescribeFn describe;
    readonly Native.StartFn import, export, check;
    readonly Native.BufferReleaseFn bufferRelease;
    internal readonly Native.NextFn Next;
    internal readonly Native.CancelFn Cancel;
    internal readonly Native.ProgressFn Progress;
    internal readonly Native.ResultFn Result;
    internal readonly Native.ReleaseFn Release;

    public Connector(string folder, string name)
    {
        var path = Path.GetFullPath(Path.Combine(folder, NativeLibrary.FileName(name)));
        var library = NativeLibrary.Load(path);
        // Before anything else: under another major version no other name means what we think.
        var version = NativeLibrary.Function<Native.AbiVersionFn>(library, "ConnectorAbiVersion")();
        if (version >> 16 != AbiMajor)
            throw new NotSupportedException(path + " speaks contract " + (version >> 16) + "." + (version & 0xffff) + ", this host " + AbiMajor);
        describe = NativeLibrary.Function<Native.DescribeFn>(library, "Describe");
        import = NativeLibrary.Function<Native.StartFn>(library, "ImportAsync");
        export = NativeLibrary.Function<Native.StartFn>(library, "ExportAsync");
        check = NativeLibrary.Function<Native.StartFn>(library, "CheckAsync");
        Next = NativeLibrary.Function<Native.NextFn>(library, "OperationNext");
        Cancel = NativeLibrary.Function<Native.CancelFn>(library, "OperationCancel");
        Progress = NativeLibrary.Function<Native.ProgressFn>(library, "OperationProgress");
        Result = NativeLibrary.Function<Native.ResultFn>(library, "OperationResult");
        Release = NativeLibrary.Function<Native.ReleaseFn>(library, "OperationRelease");
        bufferRelease = NativeLibrary.Function<Native.BufferReleaseFn>(library, "BufferRelease");
    }

    public string Describe()
    {
        var json = new Native.Buffer();
        if (describe(ref json) != Status.Ok) throw new InvalidOperationException("Describe failed");
        return Utf8.GetString(Take(ref json));
    }

    /// <summary>Starts "import", "export" or "check". Cancelling the token cancels the operation.</summary>
    public Operation Start(string kind, byte[] config, byte[] auth, byte[] watermark, Action<uint, string> log, CancellationToken token)
    {
        var woken = new SemaphoreSlim(0);
        // Both are called from native code: nothing may be thrown out of them, and neither may call the connector.
        Native.LogFn onLog = (_, level, message, length) =>
        {
            try { log(level, Encoding.UTF8.GetString(message, checked((int)length))); } catch (Exception) { }
        };
        // On a thread of the connector. The semaphore never runs the waiting code in here; a TaskCompletionSource
        // would.
        Native.WakeFn onWake = _ => { try { woken.Release(); } catch (Exception) { } };

        var callbacks = new Native.Callbacks
        {
            StructSize = (uint)sizeof(Native.Callbacks),
            Log = Marshal.GetFunctionPointerForDelegate(onLog),
            Wake = Marshal.GetFunctionPointerForDelegate(onWake),
        };
        var error = new Native.Buffer();
        ulong number;
        Status status;
        fixed (byte* mark = watermark)
        {
            // Everything in here is copied by the call.
            var options = new Native.Options
            {
                StructSize = (uint)sizeof(Native.Options),
                Watermark = mark,
                WatermarkLength = (UIntPtr)watermark.Length,
                Callbacks = &callbacks,
            };
            var start = kind == "export" ? export : kind == "check" ? check : import;
            status = start(config, (UIntPtr)config.Length, auth, (UIntPtr)auth.Length, ref options, out number, ref error);
        }
        GC.KeepAlive(onLog);
        GC.KeepAlive(onWake);
        if (status != Status.Ok) throw new StartException(status, Utf8.GetString(Take(ref error)));
        return new Operation(this, new OperationHandle(this, number, onLog, onWake), woken, token);
    }

    /// <summary>Copies a buffer's bytes and gives it back.</summary>
    internal byte[] Take(ref Native.Buffer buffer)
    {
        try
        {
            var bytes = new byte[checked((int)buffer.Length)];
            if (bytes.Length > 0) Marshal.Copy((IntPtr)buffer.Data, bytes, 0, bytes.Length);
            return bytes;
        }
        finally { bufferRelease(ref buffer); }
    }

    internal string[] TakeLines(ref Native.Buffer buffer, ulong count)
    {
        var text = Utf8.GetString(Take(ref buffer));
        if (text.Length == 0 && count == 0) return new string[0];
        // At LF alone: other line ends may stand inside a record.
        var lines = text.Substring(0, text.Length - 1).Split('\n');
        if ((ulong)lines.Length != count) throw new InvalidDataException(lines.Length + " records where " + count + " were announced");
        return lines;
    }

    internal string TakeText(ref Native.Buffer buffer) { return Utf8.GetString(Take(ref buffer)); }
}

/// <summary>A running operation. Use it from one asynchronous flow; Cancel may come from any thread.</summary>
sealed class Operation : IDisposable
{
    readonly Connector connector;
    readonly OperationHandle handle;
    readonly SemaphoreSlim woken;
    readonly CancellationTokenRegistration registration;

    internal Operation(Connector connector, OperationHandle handle, SemaphoreSlim woken, CancellationToken token)
    {
        this.connector = connector;
        this.handle = handle;
        this.woken = woken;
        Status = Status.Pending;
        // OperationCancel returns at once; the flow that pulls sees the end.
        registration = token.Register(() => connector.Cancel(handle));
    }

    /// <summary>How it ended, once MoveNextAsync has answered false.</summary>
    public Status Status { get; private set; }

    public Batch Current { get; private set; }

    /// <summary>Waits for the next batch without keeping a thread. The last one comes with true, too: it has no
    /// records.</summary>
    public async Task<bool> MoveNextAsync()
    {
        while (Status == Status.Pending || Status == Status.Ok)
        {
            Batch batch;
            Status = TryNext(out batch);
            if (Status == Status.Pending)
            {
                // After a second at the latest, so that lines of the log come through.
                await woken.WaitAsync(1000).ConfigureAwait(false);
                continue;
            }
            Current = batch;
            return Status >= 0;
        }
        return false;
    }

    Status TryNext(out Batch batch)
    {
        var raw = new Native.Batch { StructSize = (uint)Marshal.SizeOf(typeof(Native.Batch)) };
        var status = connector.Next(handle, 0, ref raw);
        // Taken out of the struct at once: the next call would overwrite what stands there.
        batch = new Batch(connector.TakeLines(ref raw.Rows, raw.RowCount), connector.Take(ref raw.Checkpoint));
        return status == Status.Busy ? Status.Pending : status;
    }

    public Native.Progress Progress()
    {
        var progress = new Native.Progress { StructSize = (uint)Marshal.SizeOf(typeof(Native.Progress)) };
        connector.Progress(handle, ref progress);
        return progress;
    }

    /// <summary>The result JSON, once MoveNextAsync has answered false.</summary>
    public string Result()
    {
        var json = new Native.Buffer();
        if (connector.Result(handle, ref json) != Status.Ok) throw new InvalidOperationException("the operation is not over");
        return connector.TakeText(ref json);
    }

    public void Dispose()
    {
        registration.Dispose();
        handle.Dispose();
    }
}
