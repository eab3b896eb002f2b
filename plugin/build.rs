//! Link arguments of the loadable library.
//!
//! `nodelete`: a worker may still be running when a host calls `dlclose`; unmapping its code then ends the process. The
//! soname lets a host that links against the file by mistake still find it under its own name.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libEntraId.so");
    }
}
