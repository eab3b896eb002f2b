#!/usr/bin/env python3
"""A connector host in Python 3.8 or later, with ctypes alone: what an engine written in Python does with a connector.

`Connector` loads a library, `Operation` is a context manager, and iterating over it yields batches. The interpreter's
lock is released during every call, so other threads run while one waits in `OperationNext`; under asyncio pull with
`await asyncio.to_thread(next, batches, None)`. There is no `wake` callback here on purpose: a foreign thread must not
wait for the interpreter's lock while the interpreter ends.

tests/hosts/README.md has the command line, which all hosts share.
"""
import argparse
import ctypes
import json
import os
import sys
import threading
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_char_p, c_int32, c_size_t, c_uint32, c_uint64, c_void_p
from typing import Iterator, NamedTuple, Optional

ABI_MAJOR = 1
OK, END, PENDING, END_PARTIAL, E_BUSY = 0, 1, 2, 3, -12
LEVELS = {1: "error", 2: "warning", 3: "information", 4: "debug"}

# void log(void *user_data, uint32_t level, const char *message, size_t message_len). The message is no c_char_p: it is
# not NUL-terminated.
LogCallback = CFUNCTYPE(None, c_void_p, c_uint32, c_void_p, c_size_t)


class Buffer(Structure):
    _fields_ = [("data", c_void_p), ("len", c_size_t), ("owner", c_void_p)]


class Sized(Structure):
    """A struct whose first member is its own size."""

    def __init__(self, **members):
        super().__init__(struct_size=ctypes.sizeof(self), **members)


class Callbacks(Sized):
    _fields_ = [("struct_size", c_uint32), ("max_log_level", c_uint32), ("user_data", c_void_p), ("log", LogCallback),
                ("wake", c_void_p)]


class Options(Sized):
    _fields_ = [("struct_size", c_uint32), ("flags", c_uint32), ("watermark", c_char_p), ("watermark_len", c_size_t),
                ("max_batch_rows", c_uint32), ("max_batch_bytes", c_uint32), ("max_queued_batches", c_uint32),
                ("reserved", c_uint32), ("callbacks", POINTER(Callbacks))]


class RawBatch(Sized):
    _fields_ = [("struct_size", c_uint32), ("reserved", c_uint32), ("sequence", c_uint64), ("row_count", c_uint64),
                ("rows", Buffer), ("checkpoint", Buffer)]


class Progress(Sized):
    _fields_ = [("struct_size", c_uint32), ("state", c_uint32), ("rows_fetched", c_uint64), ("rows_delivered", c_uint64),
                ("requests", c_uint64), ("retries", c_uint64), ("throttled_ms", c_uint64), ("bytes_received", c_uint64),
                ("elapsed_ms", c_uint64), ("total_rows_estimate", c_uint64)]


class ConnectorError(Exception):
    """An operation that could not be started; `status` and the connector's `error` say why."""

    def __init__(self, status: int, error: dict):
        super().__init__(f"{status}: {error.get('Message', '')}")
        self.status, self.error = status, error


class Batch(NamedTuple):
    records: list          # JSON texts
    checkpoint: bytes      # good once the records are stored; may be empty, or come without records


class Connector:
    """A loaded library. It is never unloaded: its threads may outlive every handle."""

    def __init__(self, folder: str, name: str):
        pattern = {"win32": "{}.dll", "darwin": "lib{}.dylib"}.get(sys.platform, "lib{}.so")
        self.path = os.path.abspath(os.path.join(folder, pattern.format(name)))
        # RTLD_LOCAL is the default, RTLD_NOW is always added; Windows wants a full path.
        self.lib = ctypes.CDLL(self.path)
        # Before anything else: under another major version no other name means what we think.
        self.lib.ConnectorAbiVersion.restype = c_uint32
        version = self.lib.ConnectorAbiVersion()
        if version >> 16 != ABI_MAJOR:
            raise RuntimeError(f"{self.path} speaks contract {version >> 16}.{version & 0xffff}, this host {ABI_MAJOR}")
        # Without argument types ctypes would cut 64-bit handles down to 32 bits.
        start = [c_char_p, c_size_t, c_char_p, c_size_t, POINTER(Options), POINTER(c_uint64), POINTER(Buffer)]
        for function, arguments in {
            "Describe": [POINTER(Buffer)], "ImportAsync": start, "ExportAsync": start, "CheckAsync": start,
            "OperationNext": [c_uint64, c_uint32, POINTER(RawBatch)], "OperationCancel": [c_uint64],
            "OperationProgress": [c_uint64, POINTER(Progress)], "OperationResult": [c_uint64, POINTER(Buffer)],
            "OperationRelease": [c_uint64], "BufferRelease": [POINTER(Buffer)],
        }.items():
            getattr(self.lib, function).argtypes = arguments
            getattr(self.lib, function).restype = None if function == "BufferRelease" else c_int32

    def describe(self) -> str:
        text = Buffer()
        if self.lib.Describe(byref(text)) != OK:
            raise RuntimeError("Describe failed")
        return self.take(text).decode()

    def start(self, operation: str, config: bytes, auth: bytes, watermark: bytes = b"", log=None) -> "Operation":
        """`operation` is import, export or check. Raises ConnectorError when nothing was started."""
        function = {"import": self.lib.ImportAsync, "export": self.lib.ExportAsync, "check": self.lib.CheckAsync}[operation]

        def line(_user_data, level, message, length):
            # Called on a thread of ours that is inside a call; an exception must not leave it.
            if log is not None:
                log(LEVELS.get(level, "?"), ctypes.string_at(message, length).decode("utf-8", "replace"))

        callbacks = Callbacks(log=LogCallback(line))
        options = Options(watermark=watermark or None, watermark_len=len(watermark), callbacks=ctypes.pointer(callbacks))
        handle, error = c_uint64(), Buffer()
        status = function(config, len(config), auth, len(auth), byref(options), byref(handle), byref(error))
        if status != OK:
            raise ConnectorError(status, json.loads(self.take(error) or b"{}"))
        # The struct was copied, the function behind it was not: the operation keeps it alive.
        return Operation(self, handle, callbacks)

    def take(self, buffer: Buffer) -> bytes:
        """Copies a buffer's bytes and gives it back."""
        try:
            return ctypes.string_at(buffer.data, buffer.len) if buffer.len else b""
        finally:
            self.lib.BufferRelease(byref(buffer))


class Operation:
    """A running operation: a context manager (leaving it cancels and releases) and an iterable of batches."""

    def __init__(self, connector: Connector, handle: c_uint64, callbacks: Callbacks):
        self.connector, self.lib, self.handle, self.callbacks = connector, connector.lib, handle, callbacks
        self.status = PENDING

    def __enter__(self) -> "Operation":
        return self

    def __exit__(self, *_):
        self.lib.OperationRelease(self.handle)

    def __iter__(self) -> Iterator[Batch]:
        """Batches until the end; the last one has no records. `status` says how it ended."""
        raw = RawBatch()
        sequence = 0
        while True:
            # A finite time: Ctrl-C and log lines come through with every return.
            self.status = self.lib.OperationNext(self.handle, 250, byref(raw))
            if self.status in (PENDING, E_BUSY):
                yield Batch([], b"")
                continue
            rows, checkpoint = self.connector.take(raw.rows), self.connector.take(raw.checkpoint)
            records = rows.decode().split("\n")[:-1]  # not splitlines: U+2028 inside a record is no line end
            if self.status == OK:
                if (raw.sequence, raw.row_count) != (sequence, len(records)):
                    raise RuntimeError("a batch is missing or cut")
                sequence += 1
            yield Batch(records, checkpoint)
            if self.status != OK:
                return

    def cancel(self):
        """From any thread; returns at once. Whoever pulls sees the end."""
        self.lib.OperationCancel(self.handle)

    def progress(self) -> Progress:
        progress = Progress()
        self.lib.OperationProgress(self.handle, byref(progress))
        return progress

    def result(self) -> dict:
        """Once iterating has ended."""
        text = Buffer()
        if self.lib.OperationResult(self.handle, byref(text)) != OK:
            raise RuntimeError("the operation is not over")
        return json.loads(self.connector.take(text))


def read(path: Optional[str], missing: bytes = None) -> bytes:
    if path is None or (missing is not None and not os.path.exists(path)):
        return missing
    with open(path, "rb") as file:
        return file.read()


def store_checkpoint(path: str, checkpoint: bytes):
    with open(path + ".new", "wb") as file:
        file.write(checkpoint)
    os.replace(path + ".new", path)


def run(connector: Connector, arguments) -> int:
    said = {"status": OK, "records": 0, "batches": 0, "checkpoints": 0, "logLines": 0, "result": None, "error": None}

    def log(level: str, message: str):
        said["logLines"] += 1
        print(f"log: {level} {message}", file=sys.stderr)

    def show(progress: Progress):
        print(f"progress: {progress.rows_delivered} rows, {progress.requests} requests, {progress.elapsed_ms} ms",
              file=sys.stderr)

    try:
        operation = connector.start(arguments.operation, read(arguments.config), read(arguments.auth),
                                    read(arguments.watermark, missing=b""), log)
    except ConnectorError as refused:
        said.update(status=refused.status, error=refused.error)
        print(json.dumps(said))
        return 1

    with operation, open(arguments.out, "w", encoding="utf-8", newline="\n") as out:
        # Another thread than the one that pulls; a real engine would call this from its "stop" button.
        enough = threading.Event()
        threading.Thread(target=lambda: (enough.wait(), operation.cancel()), daemon=True).start()
        shown_ms = 0
        for batch in operation:
            progress = operation.progress()
            if progress.elapsed_ms >= shown_ms + 250:
                shown_ms = progress.elapsed_ms
                show(progress)
            # Rows first, then their checkpoint: a watermark ahead of its rows would lose them for ever.
            out.writelines(record + "\n" for record in batch.records)
            out.flush()
            said["records"] += len(batch.records)
            said["batches"] += operation.status == OK
            if batch.checkpoint:
                said["checkpoints"] += 1
                if arguments.watermark:
                    store_checkpoint(arguments.watermark, batch.checkpoint)
            if arguments.cancel_after and said["records"] >= arguments.cancel_after:
                enough.set()
        show(operation.progress())
        said.update(status=operation.status, result=operation.result())
    print(json.dumps(said))
    return {END: 0, END_PARTIAL: 3}.get(said["status"], 1)


def main() -> int:
    for stream in (sys.stdout, sys.stderr):  # whatever the locale says
        stream.reconfigure(encoding="utf-8")
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--connectors", default="Connectors")
    parser.add_argument("--operation", default="import", choices=["import", "export", "check"])
    parser.add_argument("--cancel-after", type=int, default=0, metavar="RECORDS")
    parser.add_argument("--watermark", metavar="FILE")
    for needed in ("--connector", "--config", "--auth", "--out"):
        parser.add_argument(needed, required=True)
    arguments = parser.parse_args()
    try:
        connector = Connector(arguments.connectors, arguments.connector)
    except (OSError, AttributeError, RuntimeError) as error:
        print(f"host: {error}", file=sys.stderr)
        return 2
    print("describe:", connector.describe(), file=sys.stderr)
    return run(connector, arguments)


if __name__ == "__main__":
    sys.exit(main())
