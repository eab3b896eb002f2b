//! Prints the C header from the contract's Rust source into `OUT_DIR`.
//!
//! The copy in `include/connector.h` is checked in and a test compares the two, so a build never writes into the source
//! tree. To rewrite it: `CONNECTOR_WRITE_HEADER=1 cargo build -p connector-abi`. Packages that depend on the contract
//! build it without the feature `header`: they would wait for cbindgen and never look at what it prints.

fn main() {
    println!("cargo::rerun-if-changed=include/abi");
    println!("cargo::rerun-if-changed=include/cbindgen.toml");
    println!("cargo::rerun-if-env-changed=CONNECTOR_WRITE_HEADER");
    #[cfg(feature = "header")]
    print_header();
}

#[cfg(feature = "header")]
#[expect(clippy::expect_used, reason = "a build script has nobody else to tell")]
fn print_header() {
    use std::path::Path;
    use std::{env, fs};

    let config = cbindgen::Config::from_file("include/cbindgen.toml").expect("include/cbindgen.toml can be read");
    // Just these files: the abi_stable module is no C, and no dependency needs to be parsed.
    let bindings = cbindgen::Builder::new()
        .with_config(config)
        .with_src("include/abi/status.rs")
        .with_src("include/abi/structs.rs")
        .with_src("include/abi/functions.rs")
        .generate()
        .expect("the contract can be printed as C");
    let mut header = Vec::new();
    bindings.write(&mut header);
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&out).join("connector.h"), &header).expect("OUT_DIR can be written");
    if env::var_os("CONNECTOR_WRITE_HEADER").is_some() {
        fs::write("include/connector.h", &header).expect("include/connector.h can be written");
    }
}
