// A connector host in C++17: what an engine written in C++ does with a connector library.
//
// `Connector` is a loaded library, `Operation` a running import (its destructor cancels and releases), and iterating
// over it yields batches. Nothing here throws through the library: the one callback is noexcept.
//
// Build:  c++ -std=c++17 -I include tests/hosts/cpp/host.cpp -o host -ldl -pthread
// Run:    tests/hosts/README.md has the command line, which all hosts share.
// For Windows: MinGW with POSIX threads, -std=c++17 -static.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif
#include "connector.h"

namespace fs = std::filesystem;

// ---- the binding ----------------------------------------------------------------------------------------------------

// A shared library, by full path and never unloaded: its threads may outlive every handle of ours.
class Library {
public:
    explicit Library(const fs::path &path) {
#ifdef _WIN32
        handle = LoadLibraryW(fs::absolute(path).c_str());
        if (handle == nullptr) throw std::runtime_error(path.string() + " cannot be loaded");
#else
        handle = dlopen(fs::absolute(path).c_str(), RTLD_NOW | RTLD_LOCAL);
        if (handle == nullptr) throw std::runtime_error(dlerror());
#endif
    }

    template <typename Function> Function function(const char *name) const {
#ifdef _WIN32
        auto symbol = reinterpret_cast<void *>(GetProcAddress(handle, name));
#else
        auto symbol = dlsym(handle, name);
#endif
        if (symbol == nullptr) throw std::runtime_error(std::string("not a connector, it does not export ") + name);
        return reinterpret_cast<Function>(symbol);
    }

    static std::string file_name(const std::string &connector) {
#if defined(_WIN32)
        return connector + ".dll";
#elif defined(__APPLE__)
        return "lib" + connector + ".dylib";
#else
        return "lib" + connector + ".so";
#endif
    }

private:
#ifdef _WIN32
    HMODULE handle;
#else
    void *handle;
#endif
};

// Bytes of the connector; they go back to it when this is destroyed. Movable only: copies of the struct are not
// tracked.
class Buffer {
public:
    explicit Buffer(BufferReleaseFn release, connector_buffer taken = {}) : raw(taken), release(release) {}
    Buffer(Buffer &&other) noexcept : raw(std::exchange(other.raw, {})), release(other.release) {}
    Buffer &operator=(Buffer &&other) noexcept {
        std::swap(raw, other.raw);
        return *this;
    }
    ~Buffer() { release(&raw); }

    connector_buffer *out() { return &raw; }
    std::string_view text() const { return {reinterpret_cast<const char *>(raw.data), raw.len}; }

private:
    connector_buffer raw;
    BufferReleaseFn release;
};

// An operation that could not be started.
struct StartError : std::runtime_error {
    StartError(connector_status status, std::string_view json)
        : std::runtime_error("the connector refused to start"), status(status), json(json) {}
    connector_status status;
    std::string json;
};

struct Batch {
    connector_status status; // CONNECTOR_PENDING: nothing came, and the caller may look around
    std::uint64_t sequence, row_count;
    Buffer rows, checkpoint; // the checkpoint is good once the rows are stored; it may come without rows
};

// One line of the log, on a thread of ours that is inside a call. Must not call the connector.
using Log = void (*)(void *user_data, std::uint32_t level, std::string_view message) noexcept;

class Connector {
public:
    Connector(const fs::path &folder, const std::string &name) : library(folder / Library::file_name(name)) {
        // Before anything else: under another major version no other name means what we think.
        const auto version = library.function<ConnectorAbiVersionFn>("ConnectorAbiVersion")();
        if (version >> 16 != CONNECTOR_ABI_MAJOR)
            throw std::runtime_error("it speaks contract " + std::to_string(version >> 16) + "." +
                                     std::to_string(version & 0xffff) + ", this host " + std::to_string(CONNECTOR_ABI_MAJOR));
        describe_fn = library.function<DescribeFn>("Describe");
        import_fn = library.function<ImportAsyncFn>("ImportAsync");
        export_fn = library.function<ExportAsyncFn>("ExportAsync");
        check_fn = library.function<CheckAsyncFn>("CheckAsync");
        next = library.function<OperationNextFn>("OperationNext");
        cancel = library.function<OperationCancelFn>("OperationCancel");
        progress = library.function<OperationProgressFn>("OperationProgress");
        result = library.function<OperationResultFn>("OperationResult");
        release = library.function<OperationReleaseFn>("OperationRelease");
        buffer_release = library.function<BufferReleaseFn>("BufferRelease");
    }

    std::string describe() const {
        Buffer json(buffer_release);
        if (describe_fn(json.out()) != CONNECTOR_OK) throw std::runtime_error("Describe failed");
        return std::string(json.text());
    }

    ImportAsyncFn starter(std::string_view operation) const {
        return operation == "export" ? export_fn : operation == "check" ? check_fn : import_fn;
    }

    OperationNextFn next;
    OperationCancelFn cancel;
    OperationProgressFn progress;
    OperationResultFn result;
    OperationReleaseFn release;
    BufferReleaseFn buffer_release;

private:
    Library library;
    DescribeFn describe_fn;
    ImportAsyncFn import_fn;
    ExportAsyncFn export_fn;
    CheckAsyncFn check_fn;
};

// A running operation. The destructor cancels what still runs and releases; no callback comes after it.
class Operation {
public:
    // `user_data` must live as long as this.
    Operation(const Connector &connector, std::string_view kind, std::string_view config, std::string_view auth,
              std::string_view watermark, Log log, void *user_data)
        : connector(connector), listener{log, user_data} {
        connector_callbacks callbacks{};
        callbacks.struct_size = sizeof callbacks;
        callbacks.user_data = &listener;
        callbacks.log = [](void *self, std::uint32_t level, const char *message, std::size_t length) {
            // Not NUL-terminated, and gone when we return.
            const auto &it = *static_cast<Listener *>(self);
            it.log(it.user_data, level, {message, length});
        };
        connector_options options{};
        options.struct_size = sizeof options;
        options.watermark = watermark.data();
        options.watermark_len = watermark.size();
        options.callbacks = &callbacks; // copied, like every input
        Buffer error(connector.buffer_release);
        const auto status = connector.starter(kind)(config.data(), config.size(), auth.data(), auth.size(), &options,
                                                    &handle, error.out());
        if (status != CONNECTOR_OK) throw StartError(status, error.text());
    }
    Operation(const Operation &) = delete;
    Operation &operator=(const Operation &) = delete;
    ~Operation() { connector.release(handle); }

    // Waits a quarter of a second at most, so that the caller comes by for its own matters.
    Batch next() {
        connector_batch raw{};
        raw.struct_size = sizeof raw;
        const auto status = connector.next(handle, 250, &raw);
        // Taken out of the struct at once: the next call would overwrite what stands there.
        return {status == CONNECTOR_E_BUSY ? CONNECTOR_PENDING : status, raw.sequence, raw.row_count,
                Buffer(connector.buffer_release, raw.rows), Buffer(connector.buffer_release, raw.checkpoint)};
    }

    // From any thread; returns at once. Whoever pulls sees the end.
    void cancel() const { connector.cancel(handle); }

    connector_progress progress() const {
        connector_progress progress{};
        progress.struct_size = sizeof progress;
        connector.progress(handle, &progress);
        return progress;
    }

    // Once `next` has said something final.
    std::string result() const {
        Buffer json(connector.buffer_release);
        if (connector.result(handle, json.out()) != CONNECTOR_OK) throw std::logic_error("the operation is not over");
        return std::string(json.text());
    }

private:
    struct Listener {
        Log log;
        void *user_data;
    };
    const Connector &connector;
    Listener listener;
    connector_operation handle = 0;
};

// ---- the engine of this sample: one file of records, one of the watermark ----------------------------------------

using Arguments = std::map<std::string, std::string>;

static std::string read(const fs::path &path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error(path.string() + " cannot be read");
    return {std::istreambuf_iterator<char>(file), {}};
}

static void store_checkpoint(const fs::path &path, std::string_view checkpoint) {
    auto beside = path;
    beside += ".new";
    std::ofstream file(beside, std::ios::binary);
    file << checkpoint;
    file.close();
    if (!file) throw std::runtime_error(beside.string() + " cannot be written");
    fs::rename(beside, path);
}

static void show(const connector_progress &progress) {
    std::cerr << "progress: " << progress.rows_delivered << " rows, " << progress.requests << " requests, "
              << progress.elapsed_ms << " ms\n";
}

static void log_line(void *lines, std::uint32_t level, std::string_view message) noexcept {
    static const char *const names[] = {"?", "error", "warning", "information", "debug"};
    ++*static_cast<std::uint64_t *>(lines);
    std::cerr << "log: " << names[level <= 4 ? level : 0] << ' ' << message << '\n';
}

struct Totals {
    std::uint64_t records = 0, batches = 0, checkpoints = 0, log_lines = 0;
};

static void say(connector_status status, const Totals &totals, std::string_view result, std::string_view error) {
    std::cout << "{\"status\":" << status << ",\"records\":" << totals.records << ",\"batches\":" << totals.batches
              << ",\"checkpoints\":" << totals.checkpoints << ",\"logLines\":" << totals.log_lines
              << ",\"result\":" << result << ",\"error\":" << error << "}\n";
}

static int run(const Connector &connector, const Arguments &arguments) {
    const auto given = [&](const char *name) {
        const auto it = arguments.find(name);
        return it == arguments.end() ? std::optional<std::string>() : it->second;
    };
    const auto watermark_file = given("--watermark");
    const auto watermark = watermark_file && fs::exists(*watermark_file) ? read(*watermark_file) : "";
    const auto cancel_after = std::stoull(given("--cancel-after").value_or("0"));
    Totals totals;
    std::optional<Operation> operation;
    try {
        operation.emplace(connector, given("--operation").value_or("import"), read(arguments.at("--config")),
                          read(arguments.at("--auth")), watermark, log_line, &totals.log_lines);
    } catch (const StartError &refused) {
        say(refused.status, totals, "null", refused.json);
        return 1;
    }

    // Cancels from another thread than the one that pulls: true means now, false that there is nothing left to cancel.
    // Declared in this order, so that an exception below breaks the promise before the thread is waited for.
    std::future<void> canceller;
    std::promise<bool> wanted;
    canceller = std::async(std::launch::async, [&operation, want = wanted.get_future()]() mutable {
        if (want.get()) operation->cancel();
    });
    bool told = false;

    std::ofstream out(arguments.at("--out"), std::ios::binary);
    std::uint64_t shown_ms = 0;
    connector_status status;
    for (;;) {
        const auto batch = operation->next();
        status = batch.status;
        if (const auto progress = operation->progress(); progress.elapsed_ms >= shown_ms + 250) {
            shown_ms = progress.elapsed_ms;
            show(progress);
        }
        if (status == CONNECTOR_PENDING) continue;
        if (status == CONNECTOR_OK) {
            if (batch.sequence != totals.batches++) throw std::logic_error("a batch is missing");
            totals.records += batch.row_count;
            // Rows first, then their checkpoint: a watermark ahead of its rows would lose them for ever.
            out << batch.rows.text() << std::flush;
            if (!out) throw std::runtime_error("--out cannot be written");
        }
        if (const auto checkpoint = batch.checkpoint.text(); !checkpoint.empty()) { // also with both ENDs
            ++totals.checkpoints;
            if (watermark_file) store_checkpoint(*watermark_file, checkpoint);
        }
        if (status != CONNECTOR_OK) break;
        if (cancel_after > 0 && totals.records >= cancel_after && !std::exchange(told, true)) wanted.set_value(true);
    }
    if (!told) wanted.set_value(false);
    canceller.wait();

    show(operation->progress());
    const auto result = operation->result();
    operation.reset();
    say(status, totals, result, "null");
    return status == CONNECTOR_END ? 0 : status == CONNECTOR_END_PARTIAL ? 3 : 1;
}

static Arguments parse(int argc, char **argv) {
    Arguments arguments{{"--connectors", "Connectors"}};
    for (int i = 1; i < argc; i += 2) {
        const std::string name = argv[i];
        static const char *const known[] = {"--connectors", "--connector", "--config",       "--auth",
                                            "--watermark",  "--operation", "--cancel-after", "--out"};
        if (std::find(std::begin(known), std::end(known), name) == std::end(known) || i + 1 == argc)
            throw std::runtime_error(name + " is unknown or has no value; tests/hosts/README.md names the arguments");
        arguments[name] = argv[i + 1];
    }
    for (const auto needed : {"--connector", "--config", "--auth", "--out"})
        if (arguments.count(needed) == 0) throw std::runtime_error(std::string(needed) + " is needed");
    return arguments;
}

int main(int argc, char **argv) {
    try {
        const auto arguments = parse(argc, argv);
        const Connector connector(arguments.at("--connectors"), arguments.at("--connector"));
        std::cerr << "describe: " << connector.describe() << '\n';
        return run(connector, arguments);
    } catch (const std::exception &error) {
        std::cerr << "host: " << error.what() << '\n';
        return 2;
    }
}
