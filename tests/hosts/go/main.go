// A connector host in Go: what an engine written in Go does with a connector library. connector.go is the binding, this
// is the engine: one file of records, one of the watermark.
//
// Build:  cd tests/hosts/go && go build -o host .
// Run:    tests/hosts/README.md has the command line, which all hosts share.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// said is the line on stdout.
type said struct {
	Status      Status          `json:"status"`
	Records     uint64          `json:"records"`
	Batches     uint64          `json:"batches"`
	Checkpoints uint64          `json:"checkpoints"`
	LogLines    uint64          `json:"logLines"`
	Result      json.RawMessage `json:"result"`
	Error       json.RawMessage `json:"error"`
}

var levels = map[uint32]string{1: "error", 2: "warning", 3: "information", 4: "debug"}

func main() {
	connectors := flag.String("connectors", "Connectors", "folder of connectors")
	connector := flag.String("connector", "", "name of the connector")
	config := flag.String("config", "", "file with ConfigJson")
	auth := flag.String("auth", "", "file with AuthJson")
	out := flag.String("out", "", "file for the records")
	watermark := flag.String("watermark", "", "file of the watermark")
	operation := flag.String("operation", "import", "import, export or check")
	cancelAfter := flag.Uint64("cancel-after", 0, "cancel once so many records are stored")
	flag.Parse()
	if *connector == "" || *config == "" || *auth == "" || *out == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	loaded, err := Load(*connectors, *connector)
	if err != nil {
		fmt.Fprintln(os.Stderr, "host:", err)
		os.Exit(2)
	}
	about, err := loaded.Describe()
	if err != nil {
		fmt.Fprintln(os.Stderr, "host:", err)
		os.Exit(2)
	}
	fmt.Fprintln(os.Stderr, "describe:", about)
	code, err := run(loaded, *operation, *config, *auth, *watermark, *out, *cancelAfter)
	if err != nil {
		fmt.Fprintln(os.Stderr, "host:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

func run(connector *Connector, operation, configFile, authFile, watermarkFile, outFile string, cancelAfter uint64) (int, error) {
	config, err := os.ReadFile(configFile)
	if err != nil {
		return 1, err
	}
	auth, err := os.ReadFile(authFile)
	if err != nil {
		return 1, err
	}
	var watermark []byte
	if watermarkFile != "" {
		if watermark, err = os.ReadFile(watermarkFile); err != nil && !errors.Is(err, os.ErrNotExist) {
			return 1, err
		}
	}
	var logLines uint64
	log := func(level uint32, message string) {
		atomic.AddUint64(&logLines, 1)
		fmt.Fprintln(os.Stderr, "log:", levels[level], message)
	}

	it := said{Result: json.RawMessage("null"), Error: json.RawMessage("null")}
	started, err := connector.Start(operation, config, auth, watermark, log)
	var refused *StartError
	if errors.As(err, &refused) {
		it.Status, it.Error = refused.Status, json.RawMessage(refused.JSON)
		return 1, json.NewEncoder(os.Stdout).Encode(it)
	} else if err != nil {
		return 1, err
	}
	defer started.Close()

	out, err := os.Create(outFile)
	if err != nil {
		return 1, err
	}
	defer out.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	batches, tick := started.Batches(ctx), time.NewTicker(250*time.Millisecond)
	defer tick.Stop()
pull:
	for {
		select {
		case <-tick.C:
			show(started.Progress())
		case batch, open := <-batches:
			if !open {
				break pull
			}
			if lines := uint64(bytes.Count(batch.Rows, []byte{'\n'})); lines != batch.RowCount {
				return 1, fmt.Errorf("%d lines where %d were announced", lines, batch.RowCount)
			}
			// Rows first, then their checkpoint: a watermark ahead of its rows would lose them for ever.
			if _, err := out.Write(batch.Rows); err != nil {
				return 1, err
			}
			it.Records += batch.RowCount
			if batch.Status == OK {
				it.Batches++
			}
			if len(batch.Checkpoint) > 0 {
				it.Checkpoints++
				if err := storeCheckpoint(watermarkFile, batch.Checkpoint); err != nil {
					return 1, err
				}
			}
			if cancelAfter > 0 && it.Records >= cancelAfter {
				cancel()
			}
		}
	}
	show(started.Progress())
	result, err := started.Result()
	if err != nil {
		return 1, err
	}
	started.Close() // before the log lines are counted: it may bring the last ones
	it.Status, it.Result, it.LogLines = started.Status(), json.RawMessage(result), atomic.LoadUint64(&logLines)
	code, known := map[Status]int{End: 0, EndPartial: 3}[it.Status]
	if !known {
		code = 1
	}
	return code, json.NewEncoder(os.Stdout).Encode(it)
}

func show(p Progress) {
	fmt.Fprintf(os.Stderr, "progress: %d rows, %d requests, %d ms\n", p.Rows, p.Requests, p.ElapsedMs)
}

// storeCheckpoint replaces the file as a whole, so that a crash leaves the old one or the new one.
func storeCheckpoint(file string, checkpoint []byte) error {
	if file == "" {
		return nil
	}
	if err := os.WriteFile(file+".new", checkpoint, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}
