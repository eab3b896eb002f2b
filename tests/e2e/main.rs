//! End-to-end proof, always through the loaded library. One test binary, so that the library is found and built once.
//!
//! A test is three lines: a world, an import, a comparison. All mechanics live in `world`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test that cannot go on should say so and stop"
)]

mod bad_input; // wrong texts, secrets, tenants, watermarks: a clear answer each, nothing lost
mod boundary; // the C functions misused on purpose
#[cfg(unix)]
mod boundary_files; // files that the documents name: regular, bounded, never waited for
mod boundary_hosts; // C programs in processes of their own: misuse, fork, exit, unloading, two copies, a soak
#[cfg(target_os = "linux")]
mod boundary_signals; // a server that closes ends no host; signal masks stay the host's
#[cfg(target_os = "linux")]
mod boundary_threads; // wake never on the host's threads, and how little stack these need
mod cancellation; // cancel and release, in waits and stalls
mod check; // the connection test
mod child; // a test that needs a process of its own
mod comments; // no line of a comment is wider than 120 columns
mod dependencies; // licences, sources, duplicates, minimum Rust, read from cargo metadata
mod describe; // Describe against what records carry
mod embedding; // docs/embedding.md: its samples are the tested files, its SQL keeps the rules
mod fault_matrix; // every fault at every place, as docs/reliability.md says
mod followed; // MembershipMode Delta
mod golden; // what engines and operators get is what they got, but where a file of tests/golden says otherwise
mod harness_names; // the harness names an object type in the table of its truth and nowhere else
mod header; // the C header is what the Rust source says, in every C and C++
mod hostile; // answers made to take the host's memory
mod http2; // over TLS as Graph speaks it: one connection, and what a break of it costs
mod imports; // the main job: full, changed, delta, equal to the tenant
mod laws; // what holds for any tenant, any changes, any faults and any kill
mod layering; // the rules of docs/architecture.md, read off the source
mod links; // links out of answers and watermarks; what a failed run leaves
mod memberships; // hidden, vanished and unreadable groups; member types
mod origins; // the token goes to the configured origin and nowhere else
mod pages; // links and tables of the pages in Markdown
mod relay; // a gateway that changes answers on their way
mod removal_guard; // the harness stops a filter that was changed by mistake
mod secrecy; // secrets and tokens leave no trace
#[path = "../fuzz/sequence/mod.rs"]
mod sequence; // sequences of calls made up from bytes, shared with the fuzzing engine
mod sequences; // random sequences of calls, several threads: the header's promises hold
mod signing_in;
mod simulator_layering; // the simulator: its layers, its circles
mod snapshot; // a first import from lists read side by side
mod symbols; // what the library exports
mod throttling; // 429 and 503 in every form
mod traps; // each trap of Graph that an importer has met, and the promise that answers it
mod tree; // the files of the repository, for tests that read them
mod world; // the harness of all of these
