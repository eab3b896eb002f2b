#!/usr/bin/env node
'use strict';
// A connector host in JavaScript: what an engine on Node does with a connector library. connector.js is the binding,
// this is the engine: one file of records, one of the watermark.
//
// Once:  npm install
// Run:   node host.js ...    tests/hosts/README.md has the command line, which all hosts share.
const fs = require('node:fs/promises');
const { parseArgs } = require('node:util');
const { Connector, StartError, Status } = require('./connector.js');

const given = () => {
  const { values } = parseArgs({
    options: {
      connectors: { type: 'string', default: 'Connectors' },
      operation: { type: 'string', default: 'import' },
      'cancel-after': { type: 'string', default: '0' },
      ...Object.fromEntries(['connector', 'config', 'auth', 'out', 'watermark'].map((name) => [name, { type: 'string' }])),
    },
  });
  for (const needed of ['connector', 'config', 'auth', 'out']) {
    if (values[needed] === undefined) throw new Error(`--${needed} is needed`);
  }
  if (!['import', 'export', 'check'].includes(values.operation)) throw new Error('--operation is import, export or check');
  return values;
};

const ifThere = (file) => fs.readFile(file).catch((error) => (error.code === 'ENOENT' ? undefined : Promise.reject(error)));

async function replace(file, checkpoint) {
  await fs.writeFile(`${file}.new`, checkpoint);
  await fs.rename(`${file}.new`, file);
}

async function run(connector, values) {
  const said = { status: 0, records: 0, batches: 0, checkpoints: 0, logLines: 0, result: null, error: null };
  const cancelAfter = Number(values['cancel-after']);
  const stop = new AbortController();
  let operation;
  try {
    operation = connector.start(values.operation, {
      config: await fs.readFile(values.config),
      auth: await fs.readFile(values.auth),
      watermark: values.watermark && (await ifThere(values.watermark)),
      log: (level, message) => {
        said.logLines++;
        console.error(`log: ${level} ${message}`);
      },
      signal: stop.signal,
    });
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    Object.assign(said, { status: error.status, error: error.error });
    console.log(JSON.stringify(said));
    return 1;
  }
  const show = () => {
    const it = operation.progress();
    console.error(`progress: ${it.rows_delivered} rows, ${it.requests} requests, ${it.elapsed_ms} ms`);
  };
  const out = await fs.open(values.out, 'w');
  // The event loop is free while a batch is waited for, so a plain timer does.
  const timer = setInterval(show, 250);
  try {
    for await (const { records, checkpoint } of operation) {
      // Rows first, then their checkpoint: a watermark ahead of its rows would lose them for ever.
      if (records.length > 0) await out.writeFile(`${records.join('\n')}\n`);
      said.records += records.length;
      if (operation.status === Status.OK) said.batches++;
      if (checkpoint.length > 0) {
        said.checkpoints++;
        if (values.watermark) await replace(values.watermark, checkpoint);
      }
      if (cancelAfter > 0 && said.records >= cancelAfter) stop.abort();
    }
    show();
    Object.assign(said, { status: operation.status, result: operation.result() });
  } finally {
    clearInterval(timer);
    operation.release();
    await out.close();
  }
  console.log(JSON.stringify(said));
  return { [Status.END]: 0, [Status.END_PARTIAL]: 3 }[said.status] ?? 1;
}

async function main() {
  let connector;
  let values;
  try {
    values = given();
    connector = new Connector(values.connectors, values.connector);
  } catch (error) {
    console.error(`host: ${error.message}`);
    return 2;
  }
  console.error(`describe: ${connector.describe()}`);
  return run(connector, values);
}

main().then(
  (code) => (process.exitCode = code),
  (error) => {
    console.error(`host: ${error.stack}`);
    process.exitCode = 1;
  },
);
