package main

// The binding: what the contract is in Go. Everything that touches C stands in this file.
//
// cgo cannot call a C function pointer, so each function that dlsym finds gets a line of C that does. Structs that hold
// pointers live in C memory: Go's collector may move or hide its own.

/*
#cgo CFLAGS: -I${SRCDIR} -I${SRCDIR}/../../../include
#cgo linux LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include "connector.h"

static uint32_t abi_version(void *f) { return ((ConnectorAbiVersionFn)f)(); }
static connector_status describe(void *f, connector_buffer *json) { return ((DescribeFn)f)(json); }
static connector_status start(void *f, const char *config, size_t config_len, const char *auth, size_t auth_len,
                              const connector_options *options, connector_operation *operation, connector_buffer *error) {
  return ((ImportAsyncFn)f)(config, config_len, auth, auth_len, options, operation, error);
}
static connector_status next(void *f, connector_operation o, uint32_t ms, connector_batch *b) { return ((OperationNextFn)f)(o, ms, b); }
static connector_status cancel(void *f, connector_operation o) { return ((OperationCancelFn)f)(o); }
static connector_status progress(void *f, connector_operation o, connector_progress *p) { return ((OperationProgressFn)f)(o, p); }
static connector_status result(void *f, connector_operation o, connector_buffer *json) { return ((OperationResultFn)f)(o, json); }
static connector_status release(void *f, connector_operation o) { return ((OperationReleaseFn)f)(o); }
static void buffer_release(void *f, connector_buffer *b) { ((BufferReleaseFn)f)(b); }

// user_data is the number of a cgo.Handle: Go must not see it as a pointer, which it is not.
extern void goConnectorLog(uintptr_t handle, uint32_t level, char *message, size_t message_len);
static void log_line(void *user_data, uint32_t level, const char *message, size_t message_len) {
  goConnectorLog((uintptr_t)user_data, level, (char *)message, message_len);
}
static void set_log(connector_callbacks *callbacks, uintptr_t handle) {
  callbacks->user_data = (void *)handle;
  callbacks->log = log_line;
}
*/
import "C"

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"runtime/cgo"
	"sync"
	"unsafe"
)

// Status is a result of the contract. Not negative is success.
type Status int32

const (
	OK         Status = C.CONNECTOR_OK
	End        Status = C.CONNECTOR_END
	Pending    Status = C.CONNECTOR_PENDING
	EndPartial Status = C.CONNECTOR_END_PARTIAL
	errBusy    Status = C.CONNECTOR_E_BUSY
)

// LogFunc receives a line of the connector's log. It must not call the connector.
type LogFunc func(level uint32, message string)

// StartError says why nothing was started.
type StartError struct {
	Status Status
	JSON   string
}

func (e *StartError) Error() string {
	return fmt.Sprintf("the connector refused to start: %d", e.Status)
}

// Batch is what one pull brought. Checkpoint is good once Rows are stored; it may come without rows. The last one has
// the Status that ended the operation, all others have OK.
type Batch struct {
	Status     Status
	Rows       []byte
	RowCount   uint64
	Checkpoint []byte
}

// Progress counts what an operation did so far.
type Progress struct{ Rows, Requests, ElapsedMs uint64 }

// Connector is a loaded library. It is never unloaded: its threads may outlive every handle.
type Connector struct{ functions map[string]unsafe.Pointer }

// Load opens the connector of that name in a folder and checks that it speaks our version of the contract.
func Load(folder, name string) (*Connector, error) {
	pattern := "lib%s.so"
	if runtime.GOOS == "darwin" {
		pattern = "lib%s.dylib"
	}
	path, err := filepath.Abs(filepath.Join(folder, fmt.Sprintf(pattern, name)))
	if err != nil {
		return nil, err
	}
	// dlerror speaks of the calling thread's last failure, and a goroutine may change its thread between two calls.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cpath := C.CString(path)
	defer C.free(unsafe.Pointer(cpath))
	library := C.dlopen(cpath, C.RTLD_NOW|C.RTLD_LOCAL)
	if library == nil {
		return nil, fmt.Errorf("%s", C.GoString(C.dlerror()))
	}
	c := &Connector{functions: map[string]unsafe.Pointer{}}
	for _, function := range []string{"ConnectorAbiVersion", "Describe", "ImportAsync", "ExportAsync", "CheckAsync",
		"OperationNext", "OperationCancel", "OperationProgress", "OperationResult", "OperationRelease", "BufferRelease"} {
		cname := C.CString(function)
		symbol := C.dlsym(library, cname)
		C.free(unsafe.Pointer(cname))
		if symbol == nil {
			return nil, fmt.Errorf("%s is not a connector, it does not export %s", path, function)
		}
		c.functions[function] = symbol
		// First of all: under another major version no other name means what we think.
		if function == "ConnectorAbiVersion" {
			if version := uint32(C.abi_version(symbol)); version>>16 != C.CONNECTOR_ABI_MAJOR {
				return nil, fmt.Errorf("%s speaks contract %d.%d, this host %d", path, version>>16, version&0xffff, C.CONNECTOR_ABI_MAJOR)
			}
		}
	}
	return c, nil
}

// Describe says what the connector is, as JSON.
func (c *Connector) Describe() (string, error) {
	var json C.connector_buffer
	if status := C.describe(c.functions["Describe"], &json); status != C.CONNECTOR_OK {
		return "", fmt.Errorf("Describe answered %d", status)
	}
	return string(c.take(&json)), nil
}

// take copies a buffer's bytes and gives it back.
func (c *Connector) take(buffer *C.connector_buffer) []byte {
	defer C.buffer_release(c.functions["BufferRelease"], buffer)
	// Not C.GoBytes: its length is an int32.
	return append([]byte(nil), unsafe.Slice((*byte)(unsafe.Pointer(buffer.data)), int(buffer.len))...)
}

// Operation is a running import, export or check. Close cancels and releases it.
type Operation struct {
	c      *Connector
	handle C.connector_operation
	log    cgo.Handle
	// How it ended; Pending until Batches is closed.
	status Status
	closed chan struct{}
	close  sync.Once
}

// Start starts "import", "export" or "check". A refusal is a *StartError.
func (c *Connector) Start(operation string, config, auth, watermark []byte, log LogFunc) (*Operation, error) {
	function := c.functions[map[string]string{"import": "ImportAsync", "export": "ExportAsync", "check": "CheckAsync"}[operation]]
	if function == nil {
		return nil, fmt.Errorf("%q is no operation", operation)
	}
	// In C memory, since the options point to the callbacks. Copied by the call.
	options := (*C.connector_options)(C.calloc(1, C.sizeof_connector_options))
	callbacks := (*C.connector_callbacks)(C.calloc(1, C.sizeof_connector_callbacks))
	mark, cconfig, cauth := C.CBytes(watermark), C.CBytes(config), C.CBytes(auth)
	defer func() {
		C.memset(cauth, 0, C.size_t(len(auth)))
		for _, it := range []unsafe.Pointer{unsafe.Pointer(options), unsafe.Pointer(callbacks), mark, cconfig, cauth} {
			C.free(it)
		}
	}()
	o := &Operation{c: c, status: Pending, log: cgo.NewHandle(log), closed: make(chan struct{})}
	callbacks.struct_size = C.sizeof_connector_callbacks
	C.set_log(callbacks, C.uintptr_t(o.log)) // the handle is valid until Close
	options.struct_size = C.sizeof_connector_options
	options.watermark, options.watermark_len = (*C.char)(mark), C.size_t(len(watermark))
	options.callbacks = callbacks

	var refused C.connector_buffer
	status := C.start(function, (*C.char)(cconfig), C.size_t(len(config)), (*C.char)(cauth), C.size_t(len(auth)), options,
		&o.handle, &refused)
	if status != C.CONNECTOR_OK {
		o.log.Delete()
		return nil, &StartError{Status(status), string(c.take(&refused))}
	}
	return o, nil
}

//export goConnectorLog
func goConnectorLog(handle C.uintptr_t, level C.uint32_t, message *C.char, length C.size_t) {
	// Runs on a thread of ours that is inside a call. A panic must not leave it.
	defer func() { _ = recover() }()
	log := cgo.Handle(handle).Value().(LogFunc)
	log(uint32(level), string(unsafe.Slice((*byte)(unsafe.Pointer(message)), int(length))))
}

// Batches pulls in a goroutine of its own. The channel is closed when the operation is over; Status then says how. When
// ctx is done the operation is cancelled, by another goroutine than the one that pulls.
func (o *Operation) Batches(ctx context.Context) <-chan Batch {
	batches, over := make(chan Batch), make(chan struct{})
	go func() {
		select {
		case <-ctx.Done():
			// Returns at once; the call to OperationNext comes back as cancelled.
			C.cancel(o.c.functions["OperationCancel"], o.handle)
		case <-over:
		}
	}()
	go func() {
		defer close(batches)
		defer close(over)
		for {
			raw := C.connector_batch{struct_size: C.sizeof_connector_batch}
			// A call into C keeps a thread and not the scheduler: other goroutines run meanwhile.
			status := Status(C.next(o.c.functions["OperationNext"], o.handle, 250, &raw))
			if status == Pending || status == errBusy {
				continue
			}
			batch := Batch{status, o.c.take(&raw.rows), uint64(raw.row_count), o.c.take(&raw.checkpoint)}
			if status != OK {
				o.status = status
			}
			if status >= 0 {
				select {
				case batches <- batch:
				case <-o.closed: // the reader has gone
				}
			}
			if status != OK {
				return
			}
		}
	}()
	return batches
}

// Status says how it ended, once Batches is closed.
func (o *Operation) Status() Status { return o.status }

// Progress counts, at any time and from any goroutine until Close.
func (o *Operation) Progress() Progress {
	raw := C.connector_progress{struct_size: C.sizeof_connector_progress}
	C.progress(o.c.functions["OperationProgress"], o.handle, &raw)
	return Progress{uint64(raw.rows_delivered), uint64(raw.requests), uint64(raw.elapsed_ms)}
}

// Result is the result JSON, once Batches is closed.
func (o *Operation) Result() (string, error) {
	var json C.connector_buffer
	if status := C.result(o.c.functions["OperationResult"], o.handle, &json); status != C.CONNECTOR_OK {
		return "", fmt.Errorf("OperationResult answered %d", status)
	}
	return string(o.c.take(&json)), nil
}

// Close cancels what still runs and releases the operation. No line of the log comes after it.
func (o *Operation) Close() {
	o.close.Do(func() {
		close(o.closed)
		C.release(o.c.functions["OperationRelease"], o.handle)
		o.log.Delete()
	})
}
