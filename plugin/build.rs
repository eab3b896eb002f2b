//! Link arguments of the loadable library.
//!
//! `nodelete`: a worker may still be running when a host calls `dlclose`; unmapping its code then ends the process.
//! Linkers for Windows and macOS have no such flag, so `src/ffi/pin.rs` asks the loader there. The soname (on macOS the
//! install name) lets a host that links against the file by mistake still find it under its own name.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let arguments: &[&str] = match std::env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("linux") => &["-Wl,-z,nodelete", "-Wl,-soname,libEntraId.so"],
        Ok("macos") => &["-Wl,-install_name,@rpath/libEntraId.dylib"],
        _ => &[],
    };
    for argument in arguments {
        println!("cargo::rustc-cdylib-link-arg={argument}");
    }
}
