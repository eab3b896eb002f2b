//! The simulator over its sockets, as a client meets it.
//!
//! `client` speaks just enough HTTP; `follower` is a small importer that follows delta links and is compared with the
//! truth, which is how feed, log and tenant are held to each other.

mod batch;
mod changes;
mod client;
mod delta;
mod during;
mod faults;
mod follower;
mod http2;
mod lists;
mod login;
mod manual;
mod members;
mod roles;
mod rows;
mod service_principals;
mod sign_ins;
